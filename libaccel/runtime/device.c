/* SPDX-License-Identifier: MIT */
#include <accel/device.h>

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include <spmm/registers.h>

#include "backend/backend.h"
#include "core/deadline.h"
#include "core/error.h"
#include "runtime/device.h"
#include "runtime/sized.h"
#include "runtime/stats.h"
#include "runtime/uri.h"
#include "transport/sim.h"

#define DEFAULT_URI "sim:"
#define DEFAULT_STALL_TIMEOUT (30 * ACCEL_SECOND)
/* Until a device whose queues are idle has nothing to do. */
#define SETTLE_TIMEOUT (5 * ACCEL_SECOND)

static int backend_open(const char *uri,
			const struct accel_device_options *options,
			struct accel_device **device)
{
	struct uri parsed;
	int ret = uri_parse(uri, &parsed);

	if (ret)
		return ret;
	switch (parsed.scheme) {
	case URI_NIL:
		ret = nil_backend_open(device);
		break;
	case URI_CPU:
		ret = cpu_backend_open(device);
		break;
	case URI_SIM:
		ret = driver_backend_open_sim(&parsed.sim, options, device);
		break;
	case URI_VFIO:
		ret = driver_backend_open_vfio(&parsed.vfio, options, device);
		break;
	case URI_KERNEL:
		ret = driver_backend_open_kernel(parsed.buffer,
						 parsed.user_queues, device);
		break;
	case URI_VFIO_USER:
		ret = driver_backend_open_vfio_user(parsed.buffer, options,
						    device);
		break;
	}
	uri_free(&parsed);
	return ret;
}

/* The device is complete, and its first reference the caller's. */
static void device_publish(struct accel_device *device, char *uri,
			   struct accel_device **out)
{
	device->uri = uri;
	device->stats = stats_create(uri, device->operations->name);
	atomic_init(&device->references, 1);
	*out = device;
}

int accel_device_open(const char *uri,
		      const struct accel_device_options *options,
		      struct accel_device **out)
{
	struct accel_device_options known;
	struct accel_device *device;
	char *copy;
	int ret;

	if (!out)
		return accel_error(-EINVAL,
				   "accel_device_open: device is NULL");
	*out = NULL;
	ret = sized_read(&known, sizeof(known), options,
			 "accel_device_options");
	if (ret)
		return ret;
	if (known.stall_timeout_ns < 0)
		return accel_error(-EINVAL, "stall_timeout_ns is negative");
	if (!known.stall_timeout_ns)
		known.stall_timeout_ns = DEFAULT_STALL_TIMEOUT;
	copy = strdup(uri ? uri : DEFAULT_URI);
	if (!copy)
		return accel_error(-ENOMEM, "out of memory");
	ret = backend_open(copy, &known, &device);
	if (ret) {
		free(copy);
		return ret;
	}
	device_publish(device, copy, out);
	return 0;
}

int device_open_sim(const struct sim_config *config, struct accel_device **out)
{
	const struct accel_device_options options = {
		.size = sizeof(options),
		.stall_timeout_ns = DEFAULT_STALL_TIMEOUT,
	};
	struct accel_device *device;
	struct transport *transport;
	char *uri = strdup(DEFAULT_URI);
	int ret;

	*out = NULL;
	if (!uri)
		return accel_error(-ENOMEM, "out of memory");
	ret = transport_sim_create(config, NULL, &transport);
	if (!ret)
		ret = driver_backend_open(transport, "simulated", &options,
					  &device);
	if (ret) {
		free(uri);
		return ret;
	}
	device_publish(device, uri, out);
	return 0;
}

void device_get(struct accel_device *device)
{
	atomic_fetch_add_explicit(&device->references, 1, memory_order_relaxed);
}

void device_put(struct accel_device *device)
{
	struct stats *stats;
	char *uri;

	if (atomic_fetch_sub_explicit(&device->references, 1,
				      memory_order_acq_rel) != 1)
		return;
	uri = device->uri;
	stats = device->stats;
	accel_error_hold();
	device->operations->close(device);
	accel_error_release();
	stats_destroy(stats);
	free(uri);
}

void accel_device_close(struct accel_device *device)
{
	if (device)
		device_put(device);
}

static const char *memory_kind_name(uint32_t kind)
{
	switch (kind) {
	case SPMM_MEMORY_DDR4:
		return "DDR4";
	case SPMM_MEMORY_LPDDR5X:
		return "LPDDR5X";
	case SPMM_MEMORY_HBM2E:
		return "HBM2E";
	default:
		return "other";
	}
}

int accel_device_get_info(struct accel_device *device,
			  struct accel_device_info *info)
{
	struct accel_device_info full = { 0 };
	const struct geometry *geometry;

	if (!device)
		return accel_error(-EINVAL, "accel_device_get_info: no device");
	geometry = device->geometry;
	full.uri = device->uri;
	full.backend = device->operations->name;
	if (geometry) {
		full.memory_bytes = geometry->memory_bytes;
		full.sram_bytes = geometry->sram_bytes;
		full.memory_bandwidth = geometry->memory_bandwidth;
		full.link_bandwidth = geometry->link_bandwidth;
		full.clock_hz = geometry->clock_hz;
		full.clusters = geometry->clusters;
		full.lanes = geometry->lanes;
		full.vector_width = geometry->vector_width;
		if (geometry->memory_bytes)
			full.memory_kind =
				memory_kind_name(geometry->memory_kind);
	}
	device->operations->describe(device, &full);
	return sized_write(info, &full, sizeof(full), "accel_device_info");
}

int accel_device_reset(struct accel_device *device)
{
	if (!device)
		return accel_error(-EINVAL, "accel_device_reset: no device");
	return device->operations->reset(device);
}

int accel_device_end_trace(struct accel_device *device)
{
	if (!device)
		return accel_error(-EINVAL,
				   "accel_device_end_trace: no device");
	if (!device->operations->end_trace)
		return 0;
	return device->operations->end_trace(device,
					     deadline_after(SETTLE_TIMEOUT));
}
