/* SPDX-License-Identifier: MIT */
/*
 * The requests that a controller has accepted and not yet issued, found by
 * address, so that a later one to the same address can be merged with it.
 */
#ifndef SIM_DRAM_PENDING_H
#define SIM_DRAM_PENDING_H

#include "sim/dram/controller.h"

#define DRAM_NO_ENTRY UINT16_MAX
#define DRAM_NO_MERGED UINT32_MAX
#define DRAM_MERGED_MAX 1024

struct dram_entry {
	struct dram_address address;
	bool write;
	uint32_t age; /* order of acceptance, modulo 2³² */
	uint64_t id;
	uint16_t next; /* in the hash chain, or in the list of free entries */
	uint32_t merged; /* head of the requests that complete with this one */
};

struct dram_merged {
	uint64_t id;
	uint32_t next;
};

struct dram_pending {
	struct dram_entry *entries;
	uint16_t free_entry;
	uint16_t *bucket;
	uint32_t bucket_mask;
	struct dram_merged *merged;
	uint32_t free_merged;
};

int dram_pending_init(struct dram_pending *pending, uint32_t entries);
void dram_pending_destroy(struct dram_pending *pending);

/* The pending request of that kind and address, or DRAM_NO_ENTRY. */
uint16_t dram_pending_find(const struct dram_pending *pending,
			   const struct dram_address *address, bool write);

uint16_t dram_pending_add(struct dram_pending *pending,
			  const struct dram_request *request, uint32_t age);
void dram_pending_remove(struct dram_pending *pending, uint16_t entry);

static inline bool dram_pending_may_merge(const struct dram_pending *pending)
{
	return pending->free_merged != DRAM_NO_MERGED;
}

/* Lets @id complete with @entry, if it may. */
void dram_pending_merge(struct dram_pending *pending, uint16_t entry,
			uint64_t id);

#endif
