/* SPDX-License-Identifier: MIT */
/* Public queues and buffers on a device behind the userspace driver. */
#ifndef BACKEND_DRIVER_IO_H
#define BACKEND_DRIVER_IO_H

#include "backend/driver_plan.h"

struct driver_buffer {
	struct accel_buffer base;
	struct driver_memory memory;
};

static inline struct driver_buffer *driver_buffer(struct accel_buffer *buffer)
{
	return (struct driver_buffer *)buffer;
}

int driver_io_create(struct accel_device *device, uint32_t depth,
		     uint32_t priority, struct accel_queue **queue);

/* Resets the device; plans become stale and queues find out. */
int driver_backend_reset(struct accel_device *device);

#endif
