// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Checks of what a process hands in, after it was copied. Pure: compiled into the module,
 * KUnit and fuzzers in userspace.
 */
#include "spmm_validate.h"

#include <asm/byteorder.h>
#include <drm/spmm_accel.h>
#include <linux/errno.h>
#include <spmm/descriptor.h>
#include <spmm/page_table.h>
#include <spmm/queue.h>

#include "spmm_layout.h"

#define HIGHEST_PRIORITY 3

/* That [address, address + length) does not go round, and lies below the limit. */
static _Bool range_valid(__u64 address, __u64 length)
{
	return address < DRM_SPMM_ADDRESS_LIMIT &&
	       length <= DRM_SPMM_ADDRESS_LIMIT - address;
}

static _Bool page_aligned(__u64 value)
{
	return !(value & (SPMM_PAGE_SIZE - 1));
}

int spmm_validate_bo_create(const struct drm_spmm_bo_create *arguments)
{
	/* Rounding up to pages of the host, which have at most 64 KiB, must not overflow. */
	const __u64 length_max = ~0ull >> 1;

	if (!arguments->length || arguments->length > length_max)
		return -EINVAL;
	switch (arguments->flags) {
	case DRM_SPMM_BO_HOST:
	case DRM_SPMM_BO_DEVICE:
	case DRM_SPMM_BO_DEVICE | DRM_SPMM_BO_VISIBLE:
		return 0;
	default:
		return -EINVAL;
	}
}

int spmm_validate_vm_bind(const struct drm_spmm_vm_bind *arguments)
{
	const __u32 access = DRM_SPMM_VM_BIND_READ | DRM_SPMM_VM_BIND_WRITE;

	if (!arguments->length || !page_aligned(arguments->address) ||
	    !page_aligned(arguments->offset) ||
	    !page_aligned(arguments->length) ||
	    !range_valid(arguments->address, arguments->length) ||
	    arguments->offset > ~0ull - arguments->length)
		return -EINVAL;
	if (arguments->flags == DRM_SPMM_VM_BIND_UNMAP)
		return arguments->handle || arguments->offset ? -EINVAL : 0;
	if (!arguments->flags || arguments->flags & ~access)
		return -EINVAL;
	return 0;
}

static int validate_user_queue(const struct drm_spmm_queue_create *arguments,
			       __u32 entries_max)
{
	__u64 entries = arguments->entries;

	if (entries < 2 || entries > entries_max)
		return -EINVAL;
	if (!page_aligned(arguments->sq_address) ||
	    !page_aligned(arguments->cq_address) ||
	    !range_valid(arguments->sq_address,
			 entries * sizeof(struct spmm_sqe)) ||
	    !range_valid(arguments->cq_address,
			 entries * sizeof(struct spmm_cqe)))
		return -EINVAL;
	return 0;
}

int spmm_validate_queue_create(const struct drm_spmm_queue_create *arguments,
			       __u32 entries_max)
{
	if (arguments->flags & ~DRM_SPMM_QUEUE_USER ||
	    arguments->priority > HIGHEST_PRIORITY || arguments->eventfd < -1 ||
	    arguments->pad)
		return -EINVAL;
	if (arguments->flags & DRM_SPMM_QUEUE_USER)
		return validate_user_queue(arguments, entries_max);
	if (arguments->entries || arguments->sq_address ||
	    arguments->cq_address)
		return -EINVAL;
	return 0;
}

int spmm_validate_job_submit(const struct drm_spmm_job_submit *arguments)
{
	if (arguments->flags || arguments->pad || !arguments->command_count ||
	    arguments->command_count > SPMM_JOB_COMMANDS_MAX ||
	    arguments->in_sync_count > SPMM_JOB_SYNCS_MAX ||
	    arguments->out_sync_count > SPMM_JOB_SYNCS_MAX)
		return -EINVAL;
	return 0;
}

/* Fields of a command that differ between opcodes, in the host's byte order. */
struct command_fields {
	__u64 address;
	__u64 destination;
	__u64 length;
	__u64 value;
};

static int validate_copy(const struct command_fields *fields)
{
	if (!fields->length || fields->value ||
	    !range_valid(fields->address, fields->length) ||
	    !range_valid(fields->destination, fields->length))
		return -EINVAL;
	return 0;
}

/* An aligned structure of @length bytes at the address, and nothing else. */
static int validate_object(const struct command_fields *fields, __u64 length)
{
	if (fields->destination || fields->address & 7 ||
	    !range_valid(fields->address, length))
		return -EINVAL;
	return 0;
}

static int validate_descriptor(const struct command_fields *fields,
			       __u64 length)
{
	if (fields->length != length || fields->value)
		return -EINVAL;
	return validate_object(fields, length);
}

static __u64 descriptor_bytes(__u8 opcode)
{
	switch (opcode) {
	case SPMM_IO_COPY_STRIDED:
		return sizeof(struct spmm_copy_descriptor);
	case SPMM_IO_SPMM:
		return sizeof(struct spmm_descriptor);
	case SPMM_IO_ELTWISE:
		return sizeof(struct spmm_eltwise_descriptor);
	default:
		return sizeof(struct spmm_recurrent_descriptor);
	}
}

static int validate_fields(__u8 opcode, const struct command_fields *fields)
{
	switch (opcode) {
	case SPMM_IO_NOP:
	case SPMM_IO_FENCE:
		return fields->address || fields->destination ||
				       fields->length || fields->value ?
			       -EINVAL :
			       0;
	case SPMM_IO_COPY:
		return validate_copy(fields);
	case SPMM_IO_COPY_STRIDED:
	case SPMM_IO_SPMM:
	case SPMM_IO_ELTWISE:
	case SPMM_IO_RECURRENT:
		return validate_descriptor(fields, descriptor_bytes(opcode));
	case SPMM_IO_SEMAPHORE_SIGNAL:
		return fields->length ? -EINVAL :
					validate_object(fields, sizeof(__u64));
	case SPMM_IO_TIMESTAMP:
		return fields->length || fields->value ?
			       -EINVAL :
			       validate_object(fields, sizeof(__u64));
	default:
		/* LIST would nest, SEMAPHORE_WAIT make a fence depend on a process. */
		return -EINVAL;
	}
}

static __u8 known_flags(__u8 opcode)
{
	if (opcode == SPMM_IO_COPY || opcode == SPMM_IO_COPY_STRIDED)
		return SPMM_SQE_FENCE | SPMM_SQE_STREAM;
	return SPMM_SQE_FENCE;
}

static int validate_command(const struct spmm_sqe *command)
{
	const struct command_fields fields = {
		.address = __le64_to_cpu(command->address),
		.destination = __le64_to_cpu(command->destination),
		.length = __le64_to_cpu(command->length),
		.value = __le64_to_cpu(command->value),
	};
	__u64 stats = __le64_to_cpu(command->stats_address);

	if (command->id || command->reserved || command->pad ||
	    command->flags & ~known_flags(command->opcode))
		return -EINVAL;
	if (stats & 7 || !range_valid(stats, sizeof(struct spmm_command_stats)))
		return -EINVAL;
	return validate_fields(command->opcode, &fields);
}

int spmm_validate_commands(const struct spmm_sqe *commands, __u32 count,
			   __u32 *bad)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		if (validate_command(&commands[i])) {
			*bad = i;
			return -EINVAL;
		}
	}
	return 0;
}
