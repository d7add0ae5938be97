/* SPDX-License-Identifier: MIT */
/* BAR0 below the doorbells: uapi/spmm/registers.h. From any thread. */
#ifndef SIM_REGISTERS_H
#define SIM_REGISTERS_H

#include <sim/state.h>

uint64_t registers_read(struct sim_device *device, uint32_t offset,
			size_t length);
void registers_write(struct sim_device *device, uint32_t offset, uint64_t value,
		     size_t length);

/* With the lock held: power-on values. */
void registers_clear(struct sim_device *device);

#endif
