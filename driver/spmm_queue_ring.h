/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings of a queue that takes jobs: its memory, what goes to the device, what comes back.
 *
 * Rings and commands are coherent memory, mapped above DRM_SPMM_ADDRESS_LIMIT
 * (spmm_layout.h), where no command of the process's jobs can name them. Nevertheless,
 * nothing that is read from a completion ring is trusted.
 */
#ifndef SPMM_QUEUE_RING_H
#define SPMM_QUEUE_RING_H

#include <linux/types.h>

struct spmm_device;
struct spmm_queue;

#define SPMM_QUEUE_RING_ENTRIES 256

/* Allocate and map. Return: 0, -ENOMEM, or an error of spmm_vm_map_bus(). */
int spmm_queue_memory_create(struct spmm_queue *queue);
/* The queue has no hardware. Resets the device if it does not let go otherwise. May sleep. */
void spmm_queue_memory_destroy(struct spmm_queue *queue);
/*
 * The driver lets go of the device, which is gone: no mapping for DMA may outlive that,
 * though files are open. Nothing is pushed any more.
 */
void spmm_queues_unplug(struct spmm_device *spmm);

/*
 * How much of the credits a job takes: they bound the memory for commands and, by a
 * minimum for each job, the entries of the ring.
 */
u32 spmm_job_credits(u32 commands);
u32 spmm_queue_credits(void);

/* All of the following with queue.lock held. */

/* Empty rings, for a hardware queue that was just created. */
void spmm_queue_ring_start(struct spmm_queue *queue);
/* Give to the device what waits, as far as it goes. */
void spmm_queue_push(struct spmm_queue *queue);
/* Whether a job waits to be given to the device. */
bool spmm_queue_has_waiting(const struct spmm_queue *queue);

/*
 * Take completions. One that failed is left in the ring, and spmm_recovery.c called for,
 * which resets the context and lets it be taken then (is_settling).
 */
void spmm_queue_reap(struct spmm_queue *queue);
/*
 * The device has stopped: take what it has completed; the first of the jobs that are left
 * is to blame if the queue is in trouble, the others are lost (abort_state). Return:
 * whether there were none, and the rings are sound.
 */
bool spmm_queue_finish(struct spmm_queue *queue);
/* Jobs that wait to be given to the device end so. */
void spmm_queue_fail_waiting(struct spmm_queue *queue, u32 state);
/* Complete, in order, all jobs of which the outcome is known. */
void spmm_queue_settle(struct spmm_queue *queue);

/* Outcomes that have no details. */
struct spmm_outcome spmm_outcome_of(u32 state);

#endif
