/* SPDX-License-Identifier: MIT */
#include "backend/operation.h"

#include <errno.h>

#include "core/checked.h"
#include "core/error.h"

static int copy_check(const struct accel_queue *queue,
		      const struct accel_operation *operation)
{
	const struct accel_buffer *source = operation->copy.source;
	const struct accel_buffer *destination = operation->copy.destination;
	uint64_t length = operation->copy.length;

	if (!source || !destination)
		return accel_error(-EINVAL, "copy: a buffer is NULL");
	if (source->device != queue->device ||
	    destination->device != queue->device)
		return accel_error(-EINVAL,
				   "copy: a buffer is of another device");
	if (!length ||
	    !checked_range(operation->copy.source_offset, length,
			   source->length) ||
	    !checked_range(operation->copy.destination_offset, length,
			   destination->length))
		return accel_error(
			-EINVAL,
			"copy: %llu bytes do not lie within both buffers",
			(unsigned long long)length);
	return 0;
}

static int run_check(const struct accel_queue *queue,
		     const struct accel_operation *operation)
{
	const struct accel_plan *plan = operation->run.plan;

	if (!plan || plan->device != queue->device)
		return accel_error(-EINVAL,
				   "run: no plan, or one of another device");
	if (plan->outstanding)
		return accel_error(-EBUSY,
				   "%s: a run is outstanding; reap it first",
				   plan->model->model->name);
	if (plan->generation != atomic_load_explicit(&queue->device->generation,
						     memory_order_relaxed))
		return accel_error(
			-ESTALE, "%s: the device was reset; make the plan anew",
			plan->model->model->name);
	return 0;
}

int operation_check_slow(const struct accel_queue *queue,
			 const struct accel_operation *operation)
{
	if (operation->flags & ~(uint32_t)ACCEL_OPERATION_AFTER_ALL)
		return accel_error(-EINVAL, "operation: unknown flags 0x%x",
				   operation->flags);
	switch (operation->opcode) {
	case ACCEL_OPERATION_NOP:
	case ACCEL_OPERATION_FENCE:
		return 0;
	case ACCEL_OPERATION_COPY:
		return copy_check(queue, operation);
	case ACCEL_OPERATION_RUN:
		return run_check(queue, operation);
	default:
		return accel_error(-EINVAL, "operation: unknown opcode %u",
				   operation->opcode);
	}
}

int operation_refuse_full(const struct accel_queue *queue)
{
	return accel_error(-EAGAIN,
			   "queue: %u operations are outstanding; reap some",
			   queue->outstanding);
}
