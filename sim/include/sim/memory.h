/* SPDX-License-Identifier: MIT */
/* Device DRAM: sparse, zero at first, all of it addressable. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <sim/state.h>

int sim_memory_create(struct sim_device *device);
void sim_memory_destroy(struct sim_device *device);
void sim_memory_clear(struct sim_device *device);
/* What clients have mapped reads as ones, until it is cleared. */
void sim_memory_hide(struct sim_device *device);

/*
 * A copy in which naturally aligned 2, 4 and 8 byte words are not torn, as
 * memory written by one party and polled by another needs it.
 */
void sim_memory_copy(void *to, const void *from, size_t length);

#endif
