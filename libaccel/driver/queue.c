/* SPDX-License-Identifier: MIT */
#include "driver/queue.h"

#include <errno.h>

#include "core/error.h"

int driver_queue_distrust(struct driver_queue *queue)
{
	queue->corrupt = true;
	return accel_error(
		-EIO,
		"queue %u: a completion is not of the command whose turn it was; the device has to be reset",
		queue->number);
}
