/* SPDX-License-Identifier: MIT */
#include "core/range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/integer.h"

int range_set_create(struct range_set *set, uint64_t start, uint64_t length)
{
	memset(set, 0, sizeof(*set));
	set->capacity = 16;
	set->free = calloc(set->capacity, sizeof(*set->free));
	if (!set->free)
		return accel_error(-ENOMEM, "out of memory");
	set->size = length;
	if (length)
		set->free[set->count++] = (struct range){ start, length };
	return 0;
}

void range_set_destroy(struct range_set *set)
{
	free(set->free);
	memset(set, 0, sizeof(*set));
}

static void remove_at(struct range_set *set, size_t i)
{
	memmove(&set->free[i], &set->free[i + 1],
		(set->count - i - 1) * sizeof(*set->free));
	set->count--;
}

static void insert_at(struct range_set *set, size_t i, struct range range)
{
	memmove(&set->free[i + 1], &set->free[i],
		(set->count - i) * sizeof(*set->free));
	set->free[i] = range;
	set->count++;
}

/* Room for one more, and for the one that cutting a range in two adds. */
static int reserve(struct range_set *set)
{
	struct range *grown;

	if (set->count + 2 <= set->capacity)
		return 0;
	grown = realloc(set->free, 2 * set->capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->free = grown;
	set->capacity *= 2;
	return 0;
}

/* Cut [start, start + length) out of free range i. */
static void cut(struct range_set *set, size_t i, uint64_t start,
		uint64_t length)
{
	struct range *range = &set->free[i];
	uint64_t before = start - range->start;
	uint64_t after = range->length - before - length;

	if (before && after) {
		range->length = before;
		insert_at(set, i + 1, (struct range){ start + length, after });
	} else if (before) {
		range->length = before;
	} else if (after) {
		*range = (struct range){ start + length, after };
	} else {
		remove_at(set, i);
	}
}

/* From the end of a range, or all of it: cutting one in two would need room. */
void range_set_remove(struct range_set *set, uint64_t start, uint64_t length)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct range *range = &set->free[i];

		if (start < range->start ||
		    start + length != range->start + range->length)
			continue;
		cut(set, i, start, length);
		set->size -= length;
		return;
	}
}

int range_allocate(struct range_set *set, uint64_t length, uint64_t alignment,
		   uint64_t *start)
{
	if (!length || reserve(set))
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++) {
		const struct range *range = &set->free[i];
		uint64_t first = align_up(range->start, alignment);
		uint64_t skipped = first - range->start;

		if (first < range->start || skipped > range->length ||
		    range->length - skipped < length)
			continue;
		cut(set, i, first, length);
		set->used += length;
		*start = first;
		return 0;
	}
	return -ENOMEM;
}

/* Beside what is free already, of which it may be the missing piece. */
static int add(struct range_set *set, uint64_t start, uint64_t length)
{
	size_t i = 0;

	while (i < set->count && set->free[i].start < start)
		i++;
	if (i && set->free[i - 1].start + set->free[i - 1].length == start) {
		set->free[i - 1].length += length;
		if (i < set->count && start + length == set->free[i].start) {
			set->free[i - 1].length += set->free[i].length;
			remove_at(set, i);
		}
		return 0;
	}
	if (i < set->count && start + length == set->free[i].start) {
		set->free[i].start = start;
		set->free[i].length += length;
		return 0;
	}
	if (reserve(set))
		return -ENOMEM;
	insert_at(set, i, (struct range){ start, length });
	return 0;
}

int range_set_add(struct range_set *set, uint64_t start, uint64_t length)
{
	int ret = add(set, start, length);

	if (!ret)
		set->size += length;
	return ret;
}

void range_release(struct range_set *set, uint64_t start, uint64_t length)
{
	/* Without memory to note it, the range stays lost: safe, if wasteful. */
	add(set, start, length);
	set->used -= length;
}
