/* SPDX-License-Identifier: MIT */
#include "driver/queue.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "core/error.h"

uint64_t driver_queue_signals(struct driver_queue *queue)
{
	eventfd_t count;

	if (queue->event >= 0 && !eventfd_read(queue->event, &count))
		queue->signals += count;
	return queue->signals;
}

int driver_queue_distrust(struct driver_queue *queue)
{
	queue->corrupt = true;
	return accel_error(
		-EIO,
		"queue %u: a completion is not of the command whose turn it was; the device has to be reset",
		queue->number);
}
