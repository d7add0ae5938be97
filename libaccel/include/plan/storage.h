/* SPDX-License-Identifier: MIT */
/*
 * Which tensors lie in the same memory. A tensor is a contiguous range of bytes,
 * since the channel is the outermost dimension: a slice of channels and a reshape
 * are ranges of their input, and a concat is its inputs one after the other. A
 * storage is a set of nodes, tensors and copies, with fixed distances.
 *
 * Every byte of a storage is written at most once in a run. That is what makes
 * sharing safe, and it is checked on each union.
 */
#ifndef PLAN_STORAGE_H
#define PLAN_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct storage_node - a tensor, or the destination of a copy
 * @parent: another node of the storage, or itself for the root
 * @distance: from the parent's first byte to this node's, may be negative
 * @bytes: length
 * @written: some command writes exactly this range
 */
struct storage_node {
	uint32_t parent;
	int64_t distance;
	uint64_t bytes;
	bool written;
};

struct storage_set {
	struct storage_node *nodes;
	uint32_t count;
	uint32_t capacity;
};

/* Room for so many nodes. */
int storage_set_create(struct storage_set *set, uint32_t capacity);
void storage_set_free(struct storage_set *set);
/* Both of the same capacity. */
void storage_set_copy(struct storage_set *to, const struct storage_set *from);

/* A new node, alone in its storage; its index. */
uint32_t storage_add(struct storage_set *set, uint64_t bytes, bool written);

/* The root of a node, and its distance from the root's first byte. */
uint32_t storage_root(const struct storage_set *set, uint32_t node,
		      int64_t *distance);

/*
 * Put inner's first byte at distance from outer's. False, and nothing changed, if
 * they already lie elsewhere or if a byte would be written twice.
 */
bool storage_join(struct storage_set *set, uint32_t outer, uint32_t inner,
		  int64_t distance);

/* Is it the only node of its storage? */
bool storage_is_alone(const struct storage_set *set, uint32_t node);

/* Do two nodes share a byte? */
bool storage_overlap(const struct storage_set *set, uint32_t a, uint32_t b);

#endif
