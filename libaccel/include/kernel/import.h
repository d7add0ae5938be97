/* SPDX-License-Identifier: MIT */
/* Memory that others have allocated, as objects of the kernel module. */
#ifndef KERNEL_IMPORT_H
#define KERNEL_IMPORT_H

#include <stdint.h>

struct kernel_device;
struct transport_memory;

/* The object of a file, and where in it the memory begins. −ENOTSUP with a text. */
int kernel_import_get(struct kernel_device *device,
		      const struct transport_memory *shown, uint32_t *handle,
		      uint64_t *offset);

/* Others may have the same object still. */
void kernel_import_put(struct kernel_device *device, uint32_t handle);

#endif
