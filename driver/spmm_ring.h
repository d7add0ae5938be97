/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Arithmetic of rings. Pure: compiled into the module, KUnit and fuzzers in userspace.
 */
#ifndef SPMM_RING_H
#define SPMM_RING_H

#include <linux/types.h>

/**
 * struct spmm_ring - a pair of rings as the host sees it
 * @entries: of each
 * @sq_tail: where the next entry goes
 * @sq_head: how far the device has read, as it last said
 * @cq_head: the next completion to look at
 * @phase: that a new completion has
 */
struct spmm_ring {
	__u32 entries;
	__u32 sq_tail;
	__u32 sq_head;
	__u32 cq_head;
	__u32 phase;
};

void spmm_ring_init(struct spmm_ring *ring, __u32 entries);
__u32 spmm_ring_room(const struct spmm_ring *ring);
/* The slot of the next entry; there must be room. */
__u32 spmm_ring_push(struct spmm_ring *ring);
/* Not 0 if the status word at cq_head is a new completion's. */
int spmm_ring_is_new(const struct spmm_ring *ring, __u16 status);
/* Take it. Return: 0, -EPROTO if the head that it tells is not in the ring or goes back. */
int spmm_ring_take(struct spmm_ring *ring, __u16 sq_head);

#endif
