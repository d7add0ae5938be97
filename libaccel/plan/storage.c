/* SPDX-License-Identifier: MIT */
#include "plan/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

int storage_set_create(struct storage_set *set, uint32_t capacity)
{
	set->nodes = calloc(capacity ? capacity : 1, sizeof(*set->nodes));
	if (!set->nodes)
		return accel_error(-ENOMEM, "out of memory");
	set->count = 0;
	set->capacity = capacity;
	return 0;
}

void storage_set_free(struct storage_set *set)
{
	free(set->nodes);
	memset(set, 0, sizeof(*set));
}

void storage_set_copy(struct storage_set *to, const struct storage_set *from)
{
	memcpy(to->nodes, from->nodes, from->count * sizeof(*to->nodes));
	to->count = from->count;
}

uint32_t storage_add(struct storage_set *set, uint64_t bytes, bool written)
{
	uint32_t node = set->count++;

	set->nodes[node] = (struct storage_node){ .parent = node,
						  .bytes = bytes,
						  .written = written };
	return node;
}

uint32_t storage_root(const struct storage_set *set, uint32_t node,
		      int64_t *distance)
{
	*distance = 0;
	while (set->nodes[node].parent != node) {
		*distance += set->nodes[node].distance;
		node = set->nodes[node].parent;
	}
	return node;
}

static bool ranges_overlap(int64_t a, uint64_t a_bytes, int64_t b,
			   uint64_t b_bytes)
{
	return a < b + (int64_t)b_bytes && b < a + (int64_t)a_bytes;
}

bool storage_overlap(const struct storage_set *set, uint32_t a, uint32_t b)
{
	int64_t a_distance, b_distance;

	if (storage_root(set, a, &a_distance) !=
	    storage_root(set, b, &b_distance))
		return false;
	return ranges_overlap(a_distance, set->nodes[a].bytes, b_distance,
			      set->nodes[b].bytes);
}

bool storage_is_alone(const struct storage_set *set, uint32_t node)
{
	int64_t distance;

	if (set->nodes[node].parent != node)
		return false;
	for (uint32_t i = 0; i < set->count; i++)
		if (i != node && storage_root(set, i, &distance) == node)
			return false;
	return true;
}

/* Would a byte of node, put at start, be one that the storage of root writes? */
static bool write_conflicts(const struct storage_set *set, uint32_t root,
			    uint32_t node, int64_t start)
{
	for (uint32_t i = 0; i < set->count; i++) {
		int64_t distance;

		if (!set->nodes[i].written ||
		    storage_root(set, i, &distance) != root)
			continue;
		if (ranges_overlap(distance, set->nodes[i].bytes, start,
				   set->nodes[node].bytes))
			return true;
	}
	return false;
}

static bool join_conflicts(const struct storage_set *set, uint32_t outer,
			   uint32_t inner, int64_t shift)
{
	for (uint32_t i = 0; i < set->count; i++) {
		int64_t distance;

		if (!set->nodes[i].written ||
		    storage_root(set, i, &distance) != inner)
			continue;
		if (write_conflicts(set, outer, i, distance + shift))
			return true;
	}
	return false;
}

bool storage_join(struct storage_set *set, uint32_t outer, uint32_t inner,
		  int64_t distance)
{
	int64_t outer_distance, inner_distance, shift;
	uint32_t outer_root = storage_root(set, outer, &outer_distance);
	uint32_t inner_root = storage_root(set, inner, &inner_distance);

	if (outer_root == inner_root)
		return inner_distance - outer_distance == distance;
	shift = outer_distance + distance - inner_distance;
	if (join_conflicts(set, outer_root, inner_root, shift))
		return false;
	set->nodes[inner_root].parent = outer_root;
	set->nodes[inner_root].distance = shift;
	return true;
}
