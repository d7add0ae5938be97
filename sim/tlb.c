/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <sim/tlb.h>

#define INDEX_BITS 9 /* of a page's number, for each level */

/**
 * struct tlb_entry - an entry of the page tables: a page of either size, or the table
 *	of the level below
 * @page: number of a small page, without the bits of the levels below
 * @used: clock of the TLB; 0: the entry is free
 * @level: of the table that it is in
 */
struct tlb_entry {
	uint64_t page;
	uint64_t used;
	uint16_t context;
	uint16_t level;
};

/* Entries of a set are neighbours; the least recently used makes room. */
struct sim_tlb {
	uint64_t clock;
	uint32_t sets;
	uint32_t ways;
	struct tlb_entry *latest;
	struct tlb_entry entries[];
};

int tlb_create(struct sim_device *device)
{
	uint32_t entries = device->config.tlb_entries;
	struct sim_tlb *tlb =
		calloc(1, sizeof(*tlb) + entries * sizeof(tlb->entries[0]));

	device->timing_tlb = tlb;
	if (!tlb)
		return accel_error(-ENOMEM, "no memory for the TLB");
	tlb->ways = device->config.tlb_ways;
	tlb->sets = entries / tlb->ways;
	tlb->latest = tlb->entries;
	return 0;
}

void tlb_destroy(struct sim_device *device)
{
	free(device->timing_tlb);
	device->timing_tlb = NULL;
}

void tlb_clear(struct sim_device *device)
{
	struct sim_tlb *tlb = device->timing_tlb;

	memset(tlb->entries, 0,
	       sizeof(tlb->entries[0]) * tlb->sets * tlb->ways);
	tlb->clock = 0;
}

void tlb_invalidate(struct sim_device *device, uint16_t context)
{
	struct sim_tlb *tlb = device->timing_tlb;

	for (uint32_t i = 0; i < tlb->sets * tlb->ways; i++)
		if (tlb->entries[i].context == context)
			tlb->entries[i].used = 0;
}

static bool entry_is(const struct tlb_entry *entry,
		     const struct tlb_entry *wanted)
{
	return entry->used && entry->page == wanted->page &&
	       entry->context == wanted->context &&
	       entry->level == wanted->level;
}

/* The entry of a page, or the one that makes room for it. */
static struct tlb_entry *entry_find(struct sim_tlb *tlb,
				    const struct tlb_entry *wanted)
{
	uint64_t hash = wanted->page ^ (uint64_t)wanted->context * 0x9e5;
	struct tlb_entry *set = tlb->entries + hash % tlb->sets * tlb->ways;
	struct tlb_entry *oldest = set;

	for (uint32_t i = 0; i < tlb->ways; i++) {
		if (entry_is(&set[i], wanted))
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	return oldest;
}

/* Was it there? It is now, and was used last. */
static bool entry_use(struct sim_tlb *tlb, const struct tlb_entry *wanted)
{
	struct tlb_entry *entry = tlb->latest;
	bool hit = entry_is(entry, wanted);

	if (!hit) {
		entry = entry_find(tlb, wanted);
		hit = entry_is(entry, wanted);
	}
	if (!hit)
		*entry = *wanted;
	entry->used = ++tlb->clock;
	tlb->latest = entry;
	return hit;
}

uint32_t tlb_access(struct sim_device *device,
		    const struct sim_translation *page)
{
	struct tlb_entry wanted = {
		.page = page->large ? page->page >> INDEX_BITS : page->page,
		.context = page->context,
		.level = page->large,
	};
	uint32_t walks = 0;

	/* A walk begins below the lowest table that is known. */
	while (wanted.level < SPMM_PAGE_TABLE_LEVELS &&
	       !entry_use(device->timing_tlb, &wanted)) {
		wanted.page >>= INDEX_BITS;
		wanted.level++;
		walks++;
	}
	return walks;
}

bool tlb_next_record(const struct sim_tlb *tlb, uint32_t *cursor,
		     struct tlb_record *out)
{
	const struct tlb_entry *entry;

	for (; *cursor < tlb->sets * tlb->ways; (*cursor)++) {
		entry = &tlb->entries[*cursor];
		if (!entry->used)
			continue;
		*out = (struct tlb_record){ .index = (*cursor)++,
					    .page = entry->page,
					    .used = entry->used,
					    .context = entry->context,
					    .level = entry->level };
		return true;
	}
	return false;
}

bool tlb_insert_record(struct sim_tlb *tlb, const struct tlb_record *record)
{
	if (record->index >= tlb->sets * tlb->ways || !record->used ||
	    record->used > tlb->clock ||
	    record->level >= SPMM_PAGE_TABLE_LEVELS)
		return false;
	tlb->entries[record->index] =
		(struct tlb_entry){ .page = record->page,
				    .used = record->used,
				    .context = record->context,
				    .level = record->level };
	return true;
}

uint64_t tlb_clock(const struct sim_tlb *tlb)
{
	return tlb->clock;
}

void tlb_set_clock(struct sim_tlb *tlb, uint64_t clock)
{
	tlb->clock = clock;
}
