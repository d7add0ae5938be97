/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI-X vectors: 0 is the admin queue's, the others are shared out to queues; with fewer
 * granted than queues, queues share.
 */
#ifndef SPMM_INTERRUPT_H
#define SPMM_INTERRUPT_H

#include <linux/list.h>
#include <linux/types.h>

struct spmm_device;

/**
 * struct spmm_interrupt_listener - who wants to know of a queue's completions
 * @node: in the vector's list
 * @notify: called in interrupt context, also spuriously
 */
struct spmm_interrupt_listener {
	struct list_head node;
	void (*notify)(struct spmm_interrupt_listener *listener);
};

int spmm_interrupts_init(struct spmm_device *spmm); /* devm-managed */
/*
 * The vector that completions of hardware queue @queue are to raise. Queue 0 stands for
 * the admin queue, whose vector also tells of faults.
 */
u32 spmm_interrupt_vector(struct spmm_device *spmm, u32 queue);
void spmm_interrupt_listen(struct spmm_device *spmm, u32 queue,
			   struct spmm_interrupt_listener *listener);
/* After it returns notify is not running and will not be called. May sleep. */
void spmm_interrupt_ignore(struct spmm_device *spmm, u32 queue,
			   struct spmm_interrupt_listener *listener);

#endif
