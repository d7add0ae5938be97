/* SPDX-License-Identifier: MIT */
#include "driver/memory.h"

#include <drm/spmm_accel.h>
#include <spmm/page_table.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "core/checked.h"
#include "core/error.h"
#include "kernel/device.h"
#include "kernel/import.h"
#include "transport/transport.h"

static uint64_t alignment_of(uint64_t length)
{
	return length >= SPMM_LARGE_PAGE_SIZE ? SPMM_LARGE_PAGE_SIZE :
						SPMM_PAGE_SIZE;
}

static int object_create(struct kernel_device *device, bool on_device,
			 struct driver_memory *memory)
{
	struct drm_spmm_bo_create create = {
		.length = memory->length,
		.flags = on_device ? DRM_SPMM_BO_DEVICE : DRM_SPMM_BO_HOST,
	};
	int ret = kernel_ioctl(device, DRM_IOCTL_SPMM_BO_CREATE, &create);

	memory->length = create.length;
	memory->handle = create.handle;
	switch (ret) {
	case 0:
		return 0;
	case -EPERM:
		return accel_error(
			-ENOMEM,
			"host memory: %llu bytes more than may be locked; raise the limit (ulimit -l)",
			(unsigned long long)memory->length);
	case -ENOSPC:
		return accel_error(
			-ENOMEM,
			"device memory is short: %llu bytes wanted; free buffers or plans, or run a smaller batch",
			(unsigned long long)memory->length);
	case -EINVAL: /* of a length that cannot be rounded up; 0 was refused before */
		return accel_error(
			-ENOMEM, "%llu bytes of memory: no device has so many",
			(unsigned long long)memory->length);
	default:
		return accel_error(ret, "%llu bytes of memory: %s",
				   (unsigned long long)memory->length,
				   strerror(-ret));
	}
}

static void object_close(struct kernel_device *device,
			 const struct driver_memory *memory)
{
	struct drm_gem_close close = { .handle = memory->handle };

	kernel_ioctl(device, DRM_IOCTL_GEM_CLOSE, &close);
}

/* What was made here, or what others know, too. */
static void object_release(struct kernel_device *device,
			   const struct driver_memory *memory)
{
	if (memory->imported)
		kernel_import_put(device, memory->handle);
	else
		object_close(device, memory);
}

static int object_map(struct kernel_device *device,
		      struct driver_memory *memory)
{
	struct drm_spmm_bo_mmap_offset offset = { .handle = memory->handle };
	int ret = kernel_ioctl(device, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &offset);
	void *address;

	if (ret)
		return accel_error(ret, "host memory: %s", strerror(-ret));
	address = mmap(NULL, memory->length, PROT_READ | PROT_WRITE, MAP_SHARED,
		       device->file, (off_t)offset.offset);
	if (address == MAP_FAILED)
		return accel_error(-errno, "host memory: %s", strerror(errno));
	memory->host.address = address;
	memory->host.length = memory->length;
	return 0;
}

static void object_unmap(const struct driver_memory *memory)
{
	if (memory->host.address)
		munmap(memory->host.address, memory->length);
}

/* The lock is held. */
static int object_bind(struct kernel_device *device, uint64_t offset,
		       struct driver_memory *memory)
{
	struct drm_spmm_vm_bind bind = {
		.handle = memory->handle,
		.flags = DRM_SPMM_VM_BIND_READ | DRM_SPMM_VM_BIND_WRITE,
		.offset = offset,
		.length = memory->length,
	};
	int ret = range_allocate(&device->addresses, memory->length,
				 alignment_of(memory->length),
				 &memory->virtual_address);

	if (ret)
		return accel_error(ret, "no virtual addresses left");
	bind.address = memory->virtual_address;
	ret = kernel_ioctl(device, DRM_IOCTL_SPMM_VM_BIND, &bind);
	if (!ret)
		return 0;
	range_release(&device->addresses, memory->virtual_address,
		      memory->length);
	if (ret == -EPERM)
		return accel_error(
			-ENOMEM,
			"host memory: %llu bytes more than may be locked; raise the limit (ulimit -l)",
			(unsigned long long)memory->length);
	return accel_error(ret, "%llu bytes cannot be bound: %s",
			   (unsigned long long)memory->length, strerror(-ret));
}

int kernel_memory_allocate(struct driver_device *base, bool on_device,
			   struct driver_memory *memory)
{
	struct kernel_device *device = kernel_device(base);
	size_t rounded;
	int ret;

	if (!checked_align(memory->length, SPMM_PAGE_SIZE, &rounded))
		return accel_error(-ENOMEM, "%llu bytes are too many",
				   (unsigned long long)memory->length);
	memory->length = rounded;
	ret = object_create(device, on_device, memory);
	if (ret)
		return ret;
	if (!on_device)
		ret = object_map(device, memory);
	if (!ret) {
		pthread_mutex_lock(&device->lock);
		ret = object_bind(device, 0, memory);
		if (!ret && on_device)
			device->memory_used += memory->length;
		pthread_mutex_unlock(&device->lock);
	}
	if (ret) {
		object_unmap(memory);
		object_close(device, memory);
	}
	return ret;
}

static int file_map(const struct transport_memory *shown,
		    struct driver_memory *memory)
{
	void *address = mmap(NULL, shown->length, PROT_READ | PROT_WRITE,
			     MAP_SHARED, shown->file, (off_t)shown->offset);

	if (address == MAP_FAILED)
		return accel_error(-ENOTSUP,
				   "import: the file cannot be mapped: %s",
				   strerror(errno));
	memory->host.address = address;
	memory->host.length = shown->length;
	memory->length = shown->length;
	return 0;
}

int kernel_memory_import(struct driver_device *base,
			 const struct transport_memory *shown,
			 struct driver_memory *memory)
{
	struct kernel_device *device = kernel_device(base);
	uint64_t offset;
	int ret = kernel_import_get(device, shown, &memory->handle, &offset);

	if (ret)
		return ret;
	memory->imported = true;
	ret = file_map(shown, memory);
	if (!ret) {
		pthread_mutex_lock(&device->lock);
		ret = object_bind(device, offset, memory);
		pthread_mutex_unlock(&device->lock);
	}
	if (ret) {
		object_unmap(memory);
		object_release(device, memory);
	}
	return ret;
}

void kernel_memory_release(struct driver_device *base,
			   struct driver_memory *memory)
{
	struct kernel_device *device = kernel_device(base);
	struct drm_spmm_vm_bind bind = {
		.flags = DRM_SPMM_VM_BIND_UNMAP,
		.address = memory->virtual_address,
		.length = memory->length,
	};

	pthread_mutex_lock(&device->lock);
	/* An address that the device may still know is not given out again. */
	if (!kernel_ioctl(device, DRM_IOCTL_SPMM_VM_BIND, &bind))
		range_release(&device->addresses, memory->virtual_address,
			      memory->length);
	if (!memory->host.address)
		device->memory_used -= memory->length;
	pthread_mutex_unlock(&device->lock);
	object_unmap(memory);
	object_release(device, memory);
}

uint64_t kernel_memory_used(struct driver_device *base)
{
	struct kernel_device *device = kernel_device(base);
	uint64_t used;

	pthread_mutex_lock(&device->lock);
	used = device->memory_used;
	pthread_mutex_unlock(&device->lock);
	return used;
}
