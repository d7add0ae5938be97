/* SPDX-License-Identifier: MIT */
/* Memory that commands can address, in the host or in the device. */
#ifndef DRIVER_MEMORY_H
#define DRIVER_MEMORY_H

#include "driver/device.h"
#include "driver/dma.h"

/**
 * struct driver_memory - one allocation
 * @host: of host memory; its address is NULL for device memory
 * @device_offset: of device memory
 * @virtual_address: for commands
 * @length: rounded up to pages; 0: nothing is allocated
 */
struct driver_memory {
	struct dma_memory host;
	uint64_t device_offset;
	uint64_t virtual_address;
	uint64_t length;
};

int driver_memory_allocate_host(struct driver_device *device, uint64_t length,
				struct driver_memory *memory);
int driver_memory_allocate_device(struct driver_device *device, uint64_t length,
				  struct driver_memory *memory);

/* No command that addresses it may be outstanding. */
void driver_memory_release(struct driver_device *device,
			   struct driver_memory *memory);

uint64_t driver_memory_used(struct driver_device *device);

#endif
