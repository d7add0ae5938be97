/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DRM scheduler: when a job has waited for its fences it goes to its queue.
 */
#ifndef SPMM_SCHEDULER_H
#define SPMM_SCHEDULER_H

struct spmm_queue;

/* A scheduler and an entity for one queue. */
int spmm_scheduler_create(struct spmm_queue *queue);
/* There are no jobs any more. Not from the scheduler's own work. */
void spmm_scheduler_destroy(struct spmm_queue *queue);

#endif
