/* SPDX-License-Identifier: MIT */
#include "driver/status.h"

#include <spmm/status.h>

#include <errno.h>
#include <stddef.h>

struct status_meaning {
	enum spmm_status status;
	int error;
	const char *text;
};

static const struct status_meaning meanings[] = {
	{ SPMM_SC_SUCCESS, 0, "success" },
	{ SPMM_SC_INVALID_OPCODE, -EOPNOTSUPP,
	  "the device does not know the command" },
	{ SPMM_SC_INVALID_FIELD, -EINVAL, "a field of the command is invalid" },
	{ SPMM_SC_INVALID_QUEUE, -EINVAL, "there is no such queue" },
	{ SPMM_SC_INVALID_CONTEXT, -EINVAL, "there is no such context" },
	{ SPMM_SC_INVALID_ENTRIES, -EINVAL,
	  "the number of entries is invalid" },
	{ SPMM_SC_BUSY, -EBUSY, "the device is busy" },
	{ SPMM_SC_ABORTED, -ECANCELED, "cancelled" },
	{ SPMM_SC_TIMEOUT, -ETIMEDOUT,
	  "the command took more device time than it may" },
	{ SPMM_SC_CONTEXT_RESET, -ECANCELED,
	  "cancelled because another command of its queue failed" },
	{ SPMM_SC_INTERNAL, -EIO, "internal failure of the device" },
	{ SPMM_SC_PAGE_FAULT_READ, -EFAULT,
	  "read of an address that is not mapped" },
	{ SPMM_SC_PAGE_FAULT_WRITE, -EFAULT,
	  "write to an address that is not mapped" },
	{ SPMM_SC_BUS_ERROR, -EIO, "host memory did not answer" },
	{ SPMM_SC_MEMORY_ERROR, -EIO,
	  "device memory has lost data (uncorrectable error)" },
	{ SPMM_SC_DESCRIPTOR_VERSION, -EOPNOTSUPP,
	  "the device does not know this version of descriptor" },
	{ SPMM_SC_DESCRIPTOR_SHAPE, -EINVAL,
	  "sizes in the descriptor contradict each other" },
	{ SPMM_SC_DESCRIPTOR_ADDRESS, -EINVAL,
	  "an address in the descriptor is misaligned or out of range" },
	{ SPMM_SC_DESCRIPTOR_SCALE, -EINVAL,
	  "a scale is not finite or not positive" },
	{ SPMM_SC_STREAM_HEADER, -EBADMSG,
	  "the weight stream's header is invalid" },
	{ SPMM_SC_STREAM_TRUNCATED, -EBADMSG, "the weight stream ends early" },
	{ SPMM_SC_STREAM_BLOCK, -EBADMSG,
	  "a block of the weight stream is malformed" },
	{ SPMM_SC_STREAM_ROW, -EBADMSG,
	  "a row of the weight stream is out of range" },
	{ SPMM_SC_STREAM_COLUMN, -EBADMSG,
	  "a column of the weight stream is out of range" },
	{ SPMM_SC_STREAM_GEOMETRY, -EBADMSG,
	  "the weight stream was packed for another device" },
};

static const struct status_meaning *find(unsigned int status)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if ((unsigned int)meanings[i].status == status)
			return &meanings[i];
	return NULL;
}

int status_errno(unsigned int status)
{
	const struct status_meaning *meaning = find(status);

	return meaning ? meaning->error : -EIO;
}

const char *status_text(unsigned int status)
{
	const struct status_meaning *meaning = find(status);

	return meaning ? meaning->text : "a status that is not known here";
}
