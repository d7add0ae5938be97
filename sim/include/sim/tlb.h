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

/**
 * struct tlb_record - an entry in use, for a checkpoint
 * @level: of the table that it is from
 * @used: when, by tlb_clock()
 */
struct tlb_record {
	uint32_t index;
	uint64_t page;
	uint64_t used;
	uint16_t context;
	uint16_t level;
};

/* The one at *cursor or after it, which moves on; false: there are no more. */
bool tlb_next_record(const struct sim_tlb *tlb, uint32_t *cursor,
		     struct tlb_record *out);

/* False: there cannot be such an entry. */
bool tlb_insert_record(struct sim_tlb *tlb, const struct tlb_record *record);

/* Counts accesses. */
uint64_t tlb_clock(const struct sim_tlb *tlb);
void tlb_set_clock(struct sim_tlb *tlb, uint64_t clock);

/* Forgets the entries of a context. */
void tlb_invalidate(struct sim_device *device, uint16_t context);

#endif
