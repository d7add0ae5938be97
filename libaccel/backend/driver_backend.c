/* SPDX-License-Identifier: MIT */
/* Devices behind a transport: the public interface on the userspace driver. */
#include "backend/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/driver_io.h"
#include "core/error.h"
#include "driver/bare.h"
#include "kernel/device.h"
#include "transport/sim.h"
#include "transport/transport.h"
#include "transport/vfio.h"
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
	struct driver_device *driver = driver_backend(device)->device;

	if (!driver->operations->end_trace)
		return 0;
	return driver->operations->end_trace(driver, deadline);
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

static int driver_buffer_import(struct accel_device *device,
				const struct accel_buffer_import *import,
				struct accel_buffer **out)
{
	const struct transport_memory shown = {
		.address = import->address,
		.length = import->length,
		.file = import->address ? -1 : import->file,
		.offset = import->offset,
	};
	struct driver_buffer *buffer = calloc(1, sizeof(*buffer));
	int ret;

	if (!buffer)
		return accel_error(-ENOMEM, "out of memory");
	ret = driver_memory_import(driver_backend(device)->device, &shown,
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

#define DRIVER_OPERATIONS(called)                                           \
	{                                                                   \
		.name = called, .close = driver_close,                      \
		.describe = driver_describe, .reset = driver_backend_reset, \
		.end_trace = driver_end_trace,                              \
		.buffer_create = driver_buffer_create,                      \
		.buffer_import = driver_buffer_import,                      \
		.buffer_destroy = driver_buffer_destroy,                    \
		.plan_allocate = driver_plan_allocate,                      \
		.plan_prepare = driver_plan_prepare,                        \
		.plan_release = driver_plan_release,                        \
		.plan_collect = driver_plan_collect,                        \
		.plan_read_tensor = driver_plan_read_tensor,                \
		.queue_create = driver_io_create,                           \
	}

static const struct backend_operations bare_operations =
	DRIVER_OPERATIONS("sim");
static const struct backend_operations vfio_operations =
	DRIVER_OPERATIONS("vfio");
static const struct backend_operations kernel_operations =
	DRIVER_OPERATIONS("dev");

/* Takes the device over, also when it fails. */
static int backend_create(struct driver_device *device, const char *kind,
			  const struct backend_operations *operations,
			  struct accel_device **out)
{
	struct driver_backend *backend = calloc(1, sizeof(*backend));
	const struct geometry *geometry = &device->geometry;

	if (!backend) {
		driver_device_destroy(device);
		return accel_error(-ENOMEM, "out of memory");
	}
	backend->device = device;
	transfer_create(device, &backend->transfer);
	snprintf(backend->name, sizeof(backend->name),
		 "%s spmm, %u clusters of %u lanes of %u MACs", kind,
		 geometry->clusters, geometry->lanes, geometry->vector_width);
	backend->base.geometry = geometry;
	backend->base.operations = operations;
	*out = &backend->base;
	return 0;
}

/* Takes the transport over, also when it fails. */
static int bare_open(struct transport *transport, const char *kind,
		     const struct backend_operations *operations,
		     const struct accel_device_options *options,
		     struct accel_device **device)
{
	struct driver_device *driver;
	int ret = bare_device_create(
		transport, (uint64_t)options->stall_timeout_ns, &driver);

	if (ret)
		return ret;
	return backend_create(driver, kind, operations, device);
}

int driver_backend_open(struct transport *transport, const char *kind,
			const struct accel_device_options *options,
			struct accel_device **device)
{
	return bare_open(transport, kind, &bare_operations, options, device);
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

int driver_backend_open_vfio(const struct transport_vfio_options *vfio,
			     const struct accel_device_options *options,
			     struct accel_device **device)
{
	struct transport *transport;
	int ret = transport_vfio_open(vfio, &transport);

	if (ret)
		return ret;
	return bare_open(transport, "VFIO", &vfio_operations, options, device);
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

int driver_backend_open_kernel(const char *path, bool user_queues,
			       struct accel_device **device)
{
	struct driver_device *driver;
	int ret = kernel_device_open(path, user_queues, &driver);

	if (ret)
		return ret;
	return backend_create(driver, "kernel's", &kernel_operations, device);
}
