/* SPDX-License-Identifier: MIT */
#include "kernel/device.h"

#include <drm/spmm_accel.h>
#include <spmm/page_table.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/error.h"
#include "kernel/queue.h"

/* Address 0 stays unmapped, and so do its neighbours. */
#define FIRST_ADDRESS SPMM_LARGE_PAGE_SIZE

#define DRIVER_NAME "spmm"
#define NS_PER_MS 1000000ull

int kernel_ioctl(const struct kernel_device *device, unsigned long request,
		 void *arguments)
{
	int ret;

	do
		ret = ioctl(device->file, request, arguments);
	while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

/* Another driver's node would take our ioctls for its own. */
static int driver_check(const struct kernel_device *device, const char *path)
{
	char name[sizeof(DRIVER_NAME)] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};
	int ret = kernel_ioctl(device, DRM_IOCTL_VERSION, &version);

	if (ret || version.name_len != strlen(DRIVER_NAME) ||
	    strcmp(name, DRIVER_NAME))
		return accel_error(
			-ENODEV,
			"%s: not a device of the spmm module; `accel list` shows what there is",
			path);
	return registers_check_version(
		(uint32_t)version.version_major << 16 |
			((uint32_t)version.version_minor & 0xffff),
		"module");
}

static void info_use(struct driver_device *device, bool user_queues,
		     const struct drm_spmm_device_info *info)
{
	device->geometry = (struct geometry){
		.clusters = info->clusters,
		.lanes = info->lanes,
		.vector_width = info->vector_width,
		.banks = info->banks,
		.accumulators = info->accumulators,
		.decoder_rate = info->decoder_rate,
		.activation_buffer = info->activation_buffer,
		.schedule_window = info->schedule_window,
		.sram_port_bytes = info->sram_port_bytes,
		.epilogue_rate = info->epilogue_rate,
		.clock_hz = info->clock_hz,
		.memory_kind = info->memory_kind,
		.sram_bytes = info->sram_bytes,
		.memory_bytes = info->memory_bytes,
		.memory_bandwidth = info->memory_bandwidth,
		.link_bandwidth = info->link_bandwidth,
	};
	device->capabilities = (struct capabilities){
		.queue_entries = info->queue_entries,
		.job_timeout_ns = info->job_limit_ms * NS_PER_MS,
		.queues = info->queues,
		.omitted = info->omitted,
		.list_entries = user_queues ? 0 : info->job_commands_max,
	};
	device->stall_timeout_ns = info->job_timeout_ms * NS_PER_MS;
}

static int info_read(struct kernel_device *device, const char *path,
		     bool user_queues)
{
	struct drm_spmm_device_info info = { 0 };
	struct drm_spmm_query query = {
		.kind = DRM_SPMM_QUERY_DEVICE,
		.size = sizeof(info),
		.pointer = (uintptr_t)&info,
	};
	int ret = kernel_ioctl(device, DRM_IOCTL_SPMM_QUERY, &query);

	if (ret)
		return accel_error(ret, "%s: cannot ask the module: %s", path,
				   strerror(-ret));
	if (query.size < offsetof(struct drm_spmm_device_info, omitted))
		return accel_error(
			-EOPNOTSUPP,
			"%s: the module tells %u bytes of the device, of which this library needs %zu; a newer one is needed",
			path, query.size,
			offsetof(struct drm_spmm_device_info, omitted));
	if (user_queues && !(info.features & DRM_SPMM_FEATURE_USER_QUEUES))
		return accel_error(
			-EOPNOTSUPP,
			"%s: the module has no user queues; open it without queues=user",
			path);
	info_use(&device->base, user_queues, &info);
	ret = registers_check_omitted(info.omitted);
	if (ret)
		return ret;
	return registers_check_geometry(&device->base.geometry);
}

static int file_open(struct kernel_device *device, const char *path)
{
	device->file = open(path, O_RDWR | O_CLOEXEC);
	if (device->file >= 0)
		return 0;
	switch (errno) {
	case ENOENT:
		return accel_error(
			-ENOENT,
			"%s: no such device; is the spmm module loaded (modprobe spmm) and bound?",
			path);
	case EACCES:
		return accel_error(
			-EACCES,
			"%s: permission denied; join the group that owns it, usually render",
			path);
	default:
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	}
}

int kernel_device_open(const char *path, bool user_queues,
		       struct driver_device **out)
{
	struct kernel_device *device = calloc(1, sizeof(*device));
	int ret;

	if (!device)
		return accel_error(-ENOMEM, "out of memory");
	device->base.operations = user_queues ? &kernel_user_operations :
						&kernel_job_operations;
	pthread_mutex_init(&device->lock, NULL);
	ret = file_open(device, path);
	if (!ret)
		ret = driver_check(device, path);
	if (!ret)
		ret = info_read(device, path, user_queues);
	if (!ret)
		ret = range_set_create(&device->addresses, FIRST_ADDRESS,
				       DRM_SPMM_ADDRESS_LIMIT - FIRST_ADDRESS);
	if (ret) {
		kernel_device_destroy(&device->base);
		return ret;
	}
	*out = &device->base;
	return 0;
}

void kernel_device_destroy(struct driver_device *base)
{
	struct kernel_device *device = kernel_device(base);

	range_set_destroy(&device->addresses);
	pthread_mutex_destroy(&device->lock);
	if (device->file >= 0)
		close(device->file);
	free(device);
}

/*
 * The device is the module's to reset, and others'. What a process can do is to go on
 * when that was done: queues are made anew, contents of device memory are lost.
 */
int kernel_device_reset(struct driver_device *base)
{
	struct drm_spmm_context_restart restart = { 0 };
	int ret = kernel_ioctl(kernel_device(base),
			       DRM_IOCTL_SPMM_CONTEXT_RESTART, &restart);

	atomic_fetch_add(&base->generation, 1);
	if (ret)
		return accel_error(ret, "the device cannot be restarted: %s",
				   strerror(-ret));
	return 0;
}
