/* SPDX-License-Identifier: MIT */
/* What every backend checks before it accepts an operation. */
#ifndef BACKEND_OPERATION_H
#define BACKEND_OPERATION_H

#include "runtime/object.h"

/* The slow half: COPY and RUN, and the text for what is wrong. */
int operation_check_slow(const struct accel_queue *queue,
			 const struct accel_operation *operation);

static inline int operation_check(const struct accel_queue *queue,
				  const struct accel_operation *operation)
{
	if (operation->opcode <= ACCEL_OPERATION_FENCE &&
	    !(operation->flags & ~(uint32_t)ACCEL_OPERATION_AFTER_ALL))
		return 0;
	return operation_check_slow(queue, operation);
}

/* The queue is full. */
int operation_refuse_full(const struct accel_queue *queue);

#endif
