/* SPDX-License-Identifier: MIT */
/*
 * A transport without a device: memory at bus addresses, and registers that a
 * test writes. For tests of what the driver leaves in memory.
 */
#ifndef FAKE_TRANSPORT_H
#define FAKE_TRANSPORT_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <transport/transport.h>

#include "unit.h"

#define FAKE_REGIONS_MAX 4096
#define FAKE_BUS_FIRST 0x40000000ull

struct fake_transport {
	struct transport base;
	struct fake_region {
		uint64_t bus;
		size_t length;
		uint8_t *memory;
	} regions[FAKE_REGIONS_MAX];
	uint32_t region_count;
	uint64_t next;
};

static inline struct fake_transport *fake(struct transport *transport)
{
	return (struct fake_transport *)transport;
}

static inline int fake_map_dma(struct transport *transport,
			       const struct transport_memory *memory,
			       uint64_t *bus_address)
{
	struct fake_transport *t = fake(transport);

	if (t->region_count == FAKE_REGIONS_MAX)
		return -ENOMEM;
	*bus_address = t->next;
	t->regions[t->region_count++] = (struct fake_region){ t->next,
							      memory->length,
							      memory->address };
	t->next += (memory->length + 0x1fffff) & ~0x1fffffull;
	return 0;
}

static inline int fake_unmap_dma(struct transport *transport,
				 uint64_t bus_address, size_t length)
{
	struct fake_transport *t = fake(transport);

	for (uint32_t i = 0; i < t->region_count; i++)
		if (t->regions[i].bus == bus_address &&
		    t->regions[i].length == length) {
			t->regions[i] = t->regions[--t->region_count];
			return 0;
		}
	return -EINVAL;
}

/* The byte at a bus address, or NULL. */
static inline void *fake_at(const struct fake_transport *t, uint64_t bus)
{
	for (uint32_t i = 0; i < t->region_count; i++)
		if (bus >= t->regions[i].bus &&
		    bus - t->regions[i].bus < t->regions[i].length)
			return t->regions[i].memory + (bus - t->regions[i].bus);
	return NULL;
}

static inline void fake_create(struct fake_transport *t)
{
	static const struct transport_operations operations = {
		.scheme = "fake",
		.map_dma = fake_map_dma,
		.unmap_dma = fake_unmap_dma,
	};

	memset(t, 0, sizeof(*t));
	t->base.operations = &operations;
	t->next = FAKE_BUS_FIRST;
}

#endif
