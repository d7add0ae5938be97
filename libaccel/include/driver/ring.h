/* SPDX-License-Identifier: MIT */
/*
 * Ring arithmetic of submission and completion queues. Counters run freely
 * modulo 2^32; a ring has a power of two of entries, and the device sees counters
 * modulo that. A ring whose head equals its tail is empty, so one entry always
 * stays free.
 */
#ifndef DRIVER_RING_H
#define DRIVER_RING_H

#include <stdbool.h>
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

#endif
