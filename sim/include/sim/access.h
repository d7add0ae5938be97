/* SPDX-License-Identifier: MIT */
/* Reads and writes of a context's memory, page by page through its MMU. */
#ifndef SIM_ACCESS_H
#define SIM_ACCESS_H

#include <stddef.h>

#include <sim/state.h>

/*
 * Return enum spmm_status; *fault is then the address that failed. What lies
 * before it may have been copied.
 */
int access_read(struct sim_device *device, uint16_t context, uint64_t address,
		void *to, size_t length, uint64_t *fault);
int access_write(struct sim_device *device, uint16_t context, uint64_t address,
		 const void *from, size_t length, uint64_t *fault);

#endif
