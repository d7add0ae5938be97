/* SPDX-License-Identifier: MIT */
/* Devices behind a transport: the public interface on the userspace driver. */
#include "backend/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/driver_io.h"
#include "core/error.h"
#include "transport/sim.h"
#include "transport/vfio_user.h"

static void driver_close(struct accel_device *device)
{
	struct driver_backend *backend = driver_backend(device);

	transfer_destroy(&backend->transfer);
	driver_device_destroy(backend->device);
	free(backend);
}

static void driver_describe(struct accel_device *device,
			    struct accel_device_info *info)
{
	struct driver_backend *backend = driver_backend(device);
	const struct capabilities *capabilities =
		&backend->device->capabilities;

	info->name = backend->name;
	info->memory_used = driver_memory_used(backend->device);
	info->queue_count = capabilities->queues;
	info->queue_depth = capabilities->queue_entries / 2;
}

int driver_backend_reset(struct accel_device *device)
{
	int ret = driver_device_reset(driver_backend(device)->device);

	atomic_fetch_add(&device->generation, 1);
	return ret;
}

static int driver_end_trace(struct accel_device *device, uint64_t deadline)
{
	struct transport *transport = driver_backend(device)->device->transport;

	if (!transport->operations->end_trace)
		return 0;
	return transport->operations->end_trace(transport, deadline);
}

static int driver_buffer_create(struct accel_device *device,
				enum accel_memory memory, uint64_t length,
				struct accel_buffer **out)
{
	struct driver_device *driver = driver_backend(device)->device;
	struct driver_buffer *buffer = calloc(1, sizeof(*buffer));
	int ret;

	if (!buffer)
		return accel_error(-ENOMEM, "out of memory");
	if (memory == ACCEL_MEMORY_HOST)
		ret = driver_memory_allocate_host(driver, length,
						  &buffer->memory);
	else
		ret = driver_memory_allocate_device(driver, length,
						    &buffer->memory);
	if (ret) {
		free(buffer);
		return ret;
	}
	buffer->base.address = buffer->memory.host.address;
	*out = &buffer->base;
	return 0;
}

static void driver_buffer_destroy(struct accel_buffer *base)
{
	struct driver_buffer *buffer = driver_buffer(base);

	driver_memory_release(driver_backend(base->device)->device,
			      &buffer->memory);
	free(buffer);
}

static const struct backend_operations sim_operations = {
	.name = "sim",
	.close = driver_close,
	.describe = driver_describe,
	.reset = driver_backend_reset,
	.end_trace = driver_end_trace,
	.buffer_create = driver_buffer_create,
	.buffer_destroy = driver_buffer_destroy,
	.plan_allocate = driver_plan_allocate,
	.plan_prepare = driver_plan_prepare,
	.plan_release = driver_plan_release,
	.plan_collect = driver_plan_collect,
	.plan_read_tensor = driver_plan_read_tensor,
	.queue_create = driver_io_create,
};

int driver_backend_open(struct transport *transport, const char *kind,
			const struct accel_device_options *options,
			struct accel_device **out)
{
	struct driver_backend *backend = calloc(1, sizeof(*backend));
	const struct geometry *geometry;
	int ret;

	if (!backend) {
		transport->operations->close(transport);
		return accel_error(-ENOMEM, "out of memory");
	}
	ret = driver_device_create(transport,
				   (uint64_t)options->stall_timeout_ns,
				   &backend->device);
	if (ret) {
		free(backend);
		return ret;
	}
	geometry = &backend->device->geometry;
	transfer_create(backend->device, &backend->transfer);
	snprintf(backend->name, sizeof(backend->name),
		 "%s spmm, %u clusters of %u lanes of %u MACs", kind,
		 geometry->clusters, geometry->lanes, geometry->vector_width);
	backend->base.geometry = geometry;
	backend->base.operations = &sim_operations;
	*out = &backend->base;
	return 0;
}

int driver_backend_open_sim(const struct transport_sim_options *simulation,
			    const struct accel_device_options *options,
			    struct accel_device **device)
{
	struct transport *transport;
	int ret = transport_sim_open(simulation, &transport);

	if (ret)
		return ret;
	return driver_backend_open(transport, "simulated", options, device);
}

int driver_backend_open_vfio_user(const char *path,
				  const struct accel_device_options *options,
				  struct accel_device **device)
{
	struct transport *transport;
	int ret = transport_vfio_user_open(path, &transport);

	if (ret)
		return ret;
	return driver_backend_open(transport, "vfio-user", options, device);
}
