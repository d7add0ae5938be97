/* SPDX-License-Identifier: MIT */
/*
 * The TLB in time: which translations cost a walk. What an access finds is mmu.c's;
 * entries here only tell whether the hardware would have had to look for it.
 */
#ifndef SIM_TLB_H
#define SIM_TLB_H

#include <sim/state.h>

int tlb_create(struct sim_device *device);
void tlb_destroy(struct sim_device *device);
void tlb_clear(struct sim_device *device);

/* Page-table levels to be read for an access to a page; 0: it hits. */
uint32_t tlb_access(struct sim_device *device,
		    const struct sim_translation *page);

/* Forgets the entries of a context. */
void tlb_invalidate(struct sim_device *device, uint16_t context);

#endif
