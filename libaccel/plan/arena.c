/* SPDX-License-Identifier: MIT */
#include "plan/arena.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/checked.h"
#include "core/error.h"
#include "core/integer.h"

/* Placed items by offset; the order of the indices breaks ties: deterministic. */
struct order {
	struct arena_item *items;
	uint32_t *index;
	uint32_t count;
};

static int compare_size(const void *left, const void *right, void *argument)
{
	const struct arena_item *items = argument;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	if (items[a].bytes != items[b].bytes)
		return items[a].bytes > items[b].bytes ? -1 : 1;
	return a < b ? -1 : a > b;
}

static bool lives_overlap(const struct arena_item *a,
			  const struct arena_item *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static uint64_t place_lowest(const struct order *placed,
			     const struct arena_item *item)
{
	uint64_t offset = 0;

	for (uint32_t i = 0; i < placed->count; i++) {
		const struct arena_item *other =
			&placed->items[placed->index[i]];
		uint64_t end =
			align_up(other->offset + other->bytes, ARENA_ALIGNMENT);

		if (!lives_overlap(item, other) || end <= offset)
			continue;
		if (offset + item->bytes <= other->offset)
			break;
		offset = end;
	}
	return offset;
}

static void placed_insert(struct order *placed, uint32_t item)
{
	uint32_t i = placed->count++;

	while (i && placed->items[placed->index[i - 1]].offset >
			    placed->items[item].offset) {
		placed->index[i] = placed->index[i - 1];
		i--;
	}
	placed->index[i] = item;
}

static int bytes_check(const struct arena_item *items, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		if (!checked_add_u64(sum, items[i].bytes + ARENA_ALIGNMENT,
				     &sum) ||
		    sum > INT64_MAX)
			return accel_error(-EINVAL,
					   "plan: activations too large");
	return 0;
}

int arena_place(struct arena_item *items, uint32_t count, uint64_t *bytes)
{
	uint32_t *by_size = calloc((size_t)count + 1, sizeof(*by_size));
	struct order placed = {
		.items = items,
		.index = calloc((size_t)count + 1, sizeof(*placed.index)),
	};
	int ret = bytes_check(items, count);

	*bytes = 0;
	if (!by_size || !placed.index)
		ret = accel_error(-ENOMEM, "out of memory");
	if (ret)
		goto out;
	for (uint32_t i = 0; i < count; i++)
		by_size[i] = i;
	qsort_r(by_size, count, sizeof(*by_size), compare_size, items);
	for (uint32_t i = 0; i < count; i++) {
		struct arena_item *item = &items[by_size[i]];

		item->offset = place_lowest(&placed, item);
		placed_insert(&placed, by_size[i]);
		if (item->offset + item->bytes > *bytes)
			*bytes = align_up(item->offset + item->bytes,
					  ARENA_ALIGNMENT);
	}
out:
	free(by_size);
	free(placed.index);
	return ret;
}
