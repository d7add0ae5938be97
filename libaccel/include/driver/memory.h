/* SPDX-License-Identifier: MIT */
/* Memory that commands can address, in the host or in the device. */
#ifndef DRIVER_MEMORY_H
#define DRIVER_MEMORY_H

#include <string.h>

#include "driver/device.h"
#include "driver/dma.h"

/**
 * struct driver_memory - one allocation
 * @host: of host memory; its address is NULL for device memory
 * @device_offset: of device memory that this process shares out
 * @handle: of memory that the kernel module shares out
 * @imported: the object of @handle may be others', too
 * @virtual_address: for commands
 * @length: rounded up to pages; 0: nothing is allocated
 */
struct driver_memory {
	struct dma_memory host;
	uint64_t device_offset;
	uint32_t handle;
	bool imported;
	uint64_t virtual_address;
	uint64_t length;
};

static inline int driver_memory_allocate(struct driver_device *device,
					 bool on_device, uint64_t length,
					 struct driver_memory *memory)
{
	int ret;

	memset(memory, 0, sizeof(*memory));
	memory->length = length;
	ret = device->operations->memory_allocate(device, on_device, memory);
	if (ret)
		memory->length = 0;
	return ret;
}

static inline int driver_memory_allocate_host(struct driver_device *device,
					      uint64_t length,
					      struct driver_memory *memory)
{
	return driver_memory_allocate(device, false, length, memory);
}

static inline int driver_memory_allocate_device(struct driver_device *device,
						uint64_t length,
						struct driver_memory *memory)
{
	return driver_memory_allocate(device, true, length, memory);
}

/* Of this process, or of a file where it has no address: see dma_import(). */
static inline int driver_memory_import(struct driver_device *device,
				       const struct transport_memory *shown,
				       struct driver_memory *memory)
{
	int ret;

	memset(memory, 0, sizeof(*memory));
	ret = device->operations->memory_import(device, shown, memory);
	if (ret)
		memory->length = 0;
	return ret;
}

/* No command that addresses it may be outstanding. Does nothing for a length of 0. */
static inline void driver_memory_release(struct driver_device *device,
					 struct driver_memory *memory)
{
	if (!memory->length)
		return;
	device->operations->memory_release(device, memory);
	memset(memory, 0, sizeof(*memory));
}

static inline uint64_t driver_memory_used(struct driver_device *device)
{
	return device->operations->memory_used(device);
}

#endif
