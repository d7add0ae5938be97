/* SPDX-License-Identifier: MIT */
/* Places for ranges that live for a part of the run each. */
#ifndef PLAN_ARENA_H
#define PLAN_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* A cache line of the device's SRAM: no two ranges share one. */
#define ARENA_ALIGNMENT 64

/**
 * struct arena_item - one range
 * @bytes: length
 * @first: moment of the first write
 * @last: moment of the last read, itself included
 * @offset: the result, a multiple of ARENA_ALIGNMENT
 */
struct arena_item {
	uint64_t bytes;
	uint32_t first;
	uint32_t last;
	uint64_t offset;
};

/*
 * Choose offsets so that ranges which live at the same moment do not overlap:
 * the largest first, each at the lowest place that is free during its life. Sets
 * *bytes to what all take together.
 */
int arena_place(struct arena_item *items, uint32_t count, uint64_t *bytes);

#endif
