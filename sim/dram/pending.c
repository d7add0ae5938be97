/* SPDX-License-Identifier: MIT */
#include "sim/dram/pending.h"

#include <errno.h>
#include <stdlib.h>

#include "core/error.h"

static uint32_t buckets_for(uint32_t entries)
{
	uint32_t buckets = 64;

	while (buckets < 2 * entries)
		buckets *= 2;
	return buckets;
}

int dram_pending_init(struct dram_pending *pending, uint32_t entries)
{
	uint32_t buckets = buckets_for(entries);

	*pending = (struct dram_pending){
		.entries = calloc(entries, sizeof(*pending->entries)),
		.bucket = calloc(buckets, sizeof(*pending->bucket)),
		.bucket_mask = buckets - 1,
		.merged = calloc(DRAM_MERGED_MAX, sizeof(*pending->merged)),
	};
	if (!pending->entries || !pending->bucket || !pending->merged) {
		dram_pending_destroy(pending);
		return accel_error(-ENOMEM, "no memory for a DRAM controller");
	}
	for (uint32_t i = 0; i < entries; i++)
		pending->entries[i].next = i + 1 < entries ? (uint16_t)(i + 1) :
							     DRAM_NO_ENTRY;
	for (uint32_t i = 0; i < buckets; i++)
		pending->bucket[i] = DRAM_NO_ENTRY;
	for (uint32_t i = 0; i < DRAM_MERGED_MAX; i++)
		pending->merged[i].next =
			i + 1 < DRAM_MERGED_MAX ? i + 1 : DRAM_NO_MERGED;
	return 0;
}

void dram_pending_destroy(struct dram_pending *pending)
{
	free(pending->entries);
	free(pending->bucket);
	free(pending->merged);
}

static uint16_t *bucket_of(const struct dram_pending *pending,
			   const struct dram_address *address)
{
	uint32_t hash = address->row * 0x9e3779b1u ^
			address->column * 0x85ebca6bu ^ address->bank << 7;

	return &pending->bucket[(hash >> 8 ^ hash) & pending->bucket_mask];
}

uint16_t dram_pending_find(const struct dram_pending *pending,
			   const struct dram_address *address, bool write)
{
	uint16_t i = *bucket_of(pending, address);

	for (; i != DRAM_NO_ENTRY; i = pending->entries[i].next) {
		const struct dram_entry *entry = &pending->entries[i];

		if (entry->write == write &&
		    entry->address.row == address->row &&
		    entry->address.column == address->column &&
		    entry->address.bank == address->bank)
			return i;
	}
	return DRAM_NO_ENTRY;
}

uint16_t dram_pending_add(struct dram_pending *pending,
			  const struct dram_request *request, uint32_t age)
{
	uint16_t index = pending->free_entry;
	struct dram_entry *entry = &pending->entries[index];
	uint16_t *bucket = bucket_of(pending, &request->address);

	pending->free_entry = entry->next;
	*entry = (struct dram_entry){
		.address = request->address,
		.write = request->write,
		.age = age,
		.id = request->id,
		.next = *bucket,
		.merged = DRAM_NO_MERGED,
	};
	*bucket = index;
	return index;
}

void dram_pending_remove(struct dram_pending *pending, uint16_t index)
{
	struct dram_entry *entry = &pending->entries[index];
	uint16_t *link = bucket_of(pending, &entry->address);

	while (*link != index)
		link = &pending->entries[*link].next;
	*link = entry->next;
	entry->next = pending->free_entry;
	pending->free_entry = index;
	while (entry->merged != DRAM_NO_MERGED) {
		uint32_t next = pending->merged[entry->merged].next;

		pending->merged[entry->merged].next = pending->free_merged;
		pending->free_merged = entry->merged;
		entry->merged = next;
	}
}

void dram_pending_merge(struct dram_pending *pending, uint16_t entry,
			uint64_t id)
{
	uint32_t *link = &pending->entries[entry].merged;
	uint32_t index = pending->free_merged;

	pending->free_merged = pending->merged[index].next;
	/* At the end: they complete in the order in which they came. */
	while (*link != DRAM_NO_MERGED)
		link = &pending->merged[*link].next;
	pending->merged[index] =
		(struct dram_merged){ .id = id, .next = DRAM_NO_MERGED };
	*link = index;
}
