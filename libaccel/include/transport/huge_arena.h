/* SPDX-License-Identifier: MIT */
/*
 * Memory whose physical addresses are known and stay: huge pages, shared out in pieces. For
 * devices without an IOMMU, to which a physical address is what they are given.
 */
#ifndef TRANSPORT_HUGE_ARENA_H
#define TRANSPORT_HUGE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "core/range.h"

/**
 * struct huge_arena - huge pages, one behind the other in this process
 * @start: of a reserved part of the address space; NULL: nothing is reserved
 * @count: huge pages that are there
 * @physical: their addresses
 * @free: addresses of this process that are not in use
 */
struct huge_arena {
	char *start;
	size_t count;
	uint64_t *physical;
	struct range_set free;
};

int huge_arena_create(struct huge_arena *arena);
void huge_arena_destroy(struct huge_arena *arena);

/*
 * Zeros, within one huge page if they fit into one. −ENOMEM with a text that says how many
 * huge pages are missing; −EPERM, if the process may not know physical addresses.
 */
int huge_arena_allocate(struct huge_arena *arena, size_t length,
			void **address);
void huge_arena_release(struct huge_arena *arena, void *address, size_t length);

/* Of memory that is allocated. */
uint64_t huge_arena_physical(const struct huge_arena *arena,
			     const void *address);

#endif
