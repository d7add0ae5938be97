// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Arithmetic of rings. Pure: compiled into the module, KUnit and fuzzers in userspace. */
#include "spmm_ring.h"

#include <linux/errno.h>
#include <spmm/queue.h>

void spmm_ring_init(struct spmm_ring *ring, __u32 entries)
{
	ring->entries = entries;
	ring->sq_tail = 0;
	ring->sq_head = 0;
	ring->cq_head = 0;
	ring->phase = SPMM_CQE_PHASE;
}

static __u32 ring_next(const struct spmm_ring *ring, __u32 index)
{
	return index + 1 == ring->entries ? 0 : index + 1;
}

/* Entries from @from up to @to, going round. */
static __u32 ring_distance(const struct spmm_ring *ring, __u32 from, __u32 to)
{
	return to >= from ? to - from : to + ring->entries - from;
}

/* One entry stays unused: a full ring is not an empty one. */
__u32 spmm_ring_room(const struct spmm_ring *ring)
{
	return ring->entries - 1 -
	       ring_distance(ring, ring->sq_head, ring->sq_tail);
}

__u32 spmm_ring_push(struct spmm_ring *ring)
{
	__u32 slot = ring->sq_tail;

	ring->sq_tail = ring_next(ring, slot);
	return slot;
}

int spmm_ring_is_new(const struct spmm_ring *ring, __u16 status)
{
	return (status & SPMM_CQE_PHASE) == ring->phase;
}

/* The completion was written by the device, or by whoever can write the queue's memory. */
int spmm_ring_take(struct spmm_ring *ring, __u16 sq_head)
{
	if (sq_head >= ring->entries ||
	    ring_distance(ring, ring->sq_head, sq_head) >
		    ring_distance(ring, ring->sq_head, ring->sq_tail))
		return -EPROTO;
	ring->sq_head = sq_head;
	ring->cq_head = ring_next(ring, ring->cq_head);
	if (ring->cq_head == 0)
		ring->phase ^= SPMM_CQE_PHASE;
	return 0;
}
