/* SPDX-License-Identifier: MIT */
#include <accel/buffer.h>

#include <errno.h>

#include "backend/backend.h"
#include "core/error.h"

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
	buffer->device = device;
	buffer->memory = memory;
	buffer->length = length;
	device_get(device);
	*out = buffer;
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
