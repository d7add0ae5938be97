/* SPDX-License-Identifier: MIT */
/*
 * Ring arithmetic of submission and completion queues. Counters run freely
 * modulo 2^32; a ring has a power of two of entries, and the device sees counters
 * modulo that. A ring whose head equals its tail is empty, so one entry always
 * stays free.
 */
#ifndef DRIVER_RING_H
#define DRIVER_RING_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>
#include <spmm/queue.h>

struct ring {
	uint32_t entries; /* a power of two */
	uint32_t head; /* taken so far */
	uint32_t tail; /* put so far */
};

static inline uint32_t ring_index(const struct ring *ring, uint32_t counter)
{
	return counter & (ring->entries - 1);
}

static inline uint32_t ring_used(const struct ring *ring)
{
	return ring->tail - ring->head;
}

static inline uint32_t ring_space(const struct ring *ring)
{
	return ring->entries - 1 - ring_used(ring);
}

/* The phase bit that marks the entry at a counter as new: 1 on the first pass. */
static inline uint16_t ring_phase(const struct ring *ring, uint32_t counter)
{
	return counter & ring->entries ? 0 : SPMM_CQE_PHASE;
}

_Static_assert(offsetof(struct spmm_cqe, id) % 4 == 0 &&
		       offsetof(struct spmm_cqe, status) ==
			       offsetof(struct spmm_cqe, id) + 2,
	       "id and status are one word");

/*
 * Has the device written the completion that belongs to a counter? It writes the
 * word of id and status last; after this has seen it, so is the rest.
 */
static inline bool ring_is_complete(const struct ring *ring, uint32_t counter,
				    const struct spmm_cqe *entry)
{
	const uint32_t *word = (const void *)&entry->id;
	uint32_t value = le32toh(__atomic_load_n(word, __ATOMIC_ACQUIRE));

	return (value >> 16 & SPMM_CQE_PHASE) == ring_phase(ring, counter);
}

/*
 * Does a completion belong to the oldest command of a submission ring, which has that
 * id? Commands complete in order; the device has read at least that one, and none that
 * was not put.
 */
static inline bool ring_is_oldest(const struct ring *sq, uint16_t id,
				  const struct spmm_cqe *entry)
{
	uint32_t head = le16toh(entry->sq_head);

	return le16toh(entry->id) == id && head < sq->entries &&
	       ring_index(sq, head - (sq->head + 1)) < ring_used(sq);
}

#endif
