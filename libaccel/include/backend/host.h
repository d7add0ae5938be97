/* SPDX-License-Identifier: MIT */
/* Buffers and staging in plain host memory, for backends without a device. */
#ifndef BACKEND_HOST_H
#define BACKEND_HOST_H

#include "runtime/object.h"

struct host_buffer {
	struct accel_buffer base;
	void *memory; /* also of "device" memory, which has no public address */
	enum host_memory {
		HOST_ALLOCATED,
		HOST_BORROWED,
		HOST_MAPPED,
	} kind;
};

int host_buffer_create(struct accel_device *device, enum accel_memory memory,
		       uint64_t length, struct accel_buffer **buffer);
int host_buffer_import(struct accel_device *device,
		       const struct accel_buffer_import *import,
		       struct accel_buffer **buffer);
void host_buffer_destroy(struct accel_buffer *buffer);

static inline struct host_buffer *host_buffer(struct accel_buffer *buffer)
{
	return (struct host_buffer *)buffer;
}

/* Staging of all ports; freed also when creating failed halfway. */
int host_staging_create(struct accel_plan *plan);
void host_staging_free(struct accel_plan *plan);

#endif
