/* SPDX-License-Identifier: MIT */
#include <accel/buffer.h>

#include <errno.h>
#include <linux/types.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "core/checked.h"
#include "core/error.h"
#include "runtime/sized.h"
#include "spmm/page_table.h"

#define PAGE_BYTES ((unsigned long long)SPMM_PAGE_SIZE)

/* What all buffers have in common; the buffer keeps the device. */
static void buffer_publish(struct accel_device *device,
			   struct accel_buffer *buffer,
			   enum accel_memory memory, uint64_t length,
			   struct accel_buffer **out)
{
	buffer->device = device;
	buffer->memory = memory;
	buffer->length = length;
	device_get(device);
	*out = buffer;
}

int accel_buffer_create(struct accel_device *device, enum accel_memory memory,
			uint64_t length, struct accel_buffer **out)
{
	struct accel_buffer *buffer;
	int ret;

	if (!device || !out)
		return accel_error(-EINVAL, "accel_buffer_create: NULL");
	*out = NULL;
	if (memory != ACCEL_MEMORY_HOST && memory != ACCEL_MEMORY_DEVICE)
		return accel_error(-EINVAL, "buffer: unknown memory %d",
				   (int)memory);
	if (!length || length > INT64_MAX)
		return accel_error(-EINVAL, "buffer: a length of %llu bytes",
				   (unsigned long long)length);
	ret = device->operations->buffer_create(device, memory, length,
						&buffer);
	if (ret)
		return ret;
	buffer_publish(device, buffer, memory, length, out);
	return 0;
}

/* Bytes of a file; a dma-buf tells only lseek(), and has no position to lose. */
static int file_length(int file, uint64_t *length)
{
	struct stat status;
	off_t end;

	if (fstat(file, &status))
		return accel_error(-errno, "import: file %d: %s", file,
				   strerror(errno));
	end = S_ISREG(status.st_mode) ? status.st_size :
					lseek(file, 0, SEEK_END);
	if (end < 0)
		return accel_error(
			-ENOTSUP,
			"import: file %d is no memfd, file or dma-buf", file);
	*length = (uint64_t)end;
	return 0;
}

static int import_check_file(const struct accel_buffer_import *import)
{
	uint64_t length = 0;
	int ret = file_length(import->file, &length);

	if (ret)
		return ret;
	if (import->offset % PAGE_BYTES)
		return accel_error(
			-EINVAL,
			"import: an offset of %llu, no multiple of %llu",
			(unsigned long long)import->offset, PAGE_BYTES);
	if (checked_range(import->offset, import->length, length))
		return 0;
	return accel_error(-EINVAL,
			   "import: %llu bytes from %llu on, of a file of %llu",
			   (unsigned long long)import->length,
			   (unsigned long long)import->offset,
			   (unsigned long long)length);
}

static int import_check(const struct accel_buffer_import *import)
{
	if (!import->length || import->length > INT64_MAX ||
	    import->length % PAGE_BYTES)
		return accel_error(
			-EINVAL,
			"import: a length of %llu, no multiple of %llu",
			(unsigned long long)import->length, PAGE_BYTES);
	if (!import->address)
		return import_check_file(import);
	if ((uintptr_t)import->address % PAGE_BYTES ||
	    (uintptr_t)import->address + import->length <
		    (uintptr_t)import->address)
		return accel_error(-EINVAL,
				   "import: address %p, no multiple of %llu",
				   import->address, PAGE_BYTES);
	return 0;
}

int accel_buffer_import(struct accel_device *device,
			const struct accel_buffer_import *import,
			struct accel_buffer **out)
{
	struct accel_buffer_import known;
	struct accel_buffer *buffer;
	int ret;

	if (!device || !import || !out)
		return accel_error(-EINVAL, "accel_buffer_import: NULL");
	*out = NULL;
	ret = sized_read(&known, sizeof(known), import, "accel_buffer_import");
	if (!ret)
		ret = import_check(&known);
	if (!ret)
		ret = device->operations->buffer_import(device, &known,
							&buffer);
	if (ret)
		return ret;
	buffer_publish(device, buffer, ACCEL_MEMORY_HOST, known.length, out);
	return 0;
}

void accel_buffer_destroy(struct accel_buffer *buffer)
{
	struct accel_device *device;

	if (!buffer)
		return;
	device = buffer->device;
	accel_error_hold();
	device->operations->buffer_destroy(buffer);
	accel_error_release();
	device_put(device);
}

int accel_buffer_map(struct accel_buffer *buffer, void **address)
{
	if (!buffer || !address)
		return accel_error(-EINVAL, "accel_buffer_map: NULL");
	if (!buffer->address)
		return accel_error(
			-ENOTSUP,
			"buffer: device memory has no address here; copy to a host buffer");
	*address = buffer->address;
	return 0;
}

uint64_t accel_buffer_length(const struct accel_buffer *buffer)
{
	return buffer ? buffer->length : 0;
}
