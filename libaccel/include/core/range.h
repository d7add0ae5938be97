/* SPDX-License-Identifier: MIT */
/* Which parts of an address space are free: of commands, of device memory, of a bus. */
#ifndef CORE_RANGE_H
#define CORE_RANGE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct range_set - free ranges, ascending, never touching
 * @free: the ranges
 * @count: of them
 * @capacity: room in @free
 * @size: of the whole space
 * @used: bytes that are allocated
 */
struct range_set {
	struct range {
		uint64_t start;
		uint64_t length;
	} * free;
	size_t count;
	size_t capacity;
	uint64_t size;
	uint64_t used;
};

/* [start, start + length) is free. */
int range_set_create(struct range_set *set, uint64_t start, uint64_t length);
void range_set_destroy(struct range_set *set);

/* [start, start + length) is free, too. −ENOMEM, no text. */
int range_set_add(struct range_set *set, uint64_t start, uint64_t length);

/* [start, start + length), all of it free, is no part of the set any more. */
void range_set_remove(struct range_set *set, uint64_t start, uint64_t length);

/* The lowest place that fits; alignment is a power of two. −ENOMEM, no text. */
int range_allocate(struct range_set *set, uint64_t length, uint64_t alignment,
		   uint64_t *start);

/* Give back what range_allocate() gave, with the same length. */
void range_release(struct range_set *set, uint64_t start, uint64_t length);

#endif
