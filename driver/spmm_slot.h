/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address-space slots and hardware queues: contexts hold them while they have work.
 *
 * A context that has none and gets work is given a free slot, or that of the context that
 * has been idle longest, or waits: spmm_slot_wanted() then tells the holders, and
 * spmm_queue_kick() is called for it when one comes free. Holders with work that others wait
 * for take no new jobs after a time slice, so that everybody's turn comes.
 */
#ifndef SPMM_SLOT_H
#define SPMM_SLOT_H

#include <linux/types.h>

struct spmm_context;
struct spmm_device;
struct spmm_queue;

int spmm_slots_init(struct spmm_device *spmm); /* drmm-managed */

/*
 * Give the queue a hardware queue and its context a slot. Return: 0; -EAGAIN: it will be
 * kicked; for a user queue -EBUSY instead; -EIO, -ETIMEDOUT, -ENODEV.
 * Context: may sleep, allocates nothing: also for the scheduler's run_job.
 */
int spmm_slot_acquire(struct spmm_device *spmm, struct spmm_queue *queue);
/* A job of the queue has left the device, or a user queue is no more. Any context. */
void spmm_slot_release(struct spmm_device *spmm, struct spmm_queue *queue);
/* Take slot and hardware queues away, what they hold is aborted. May sleep. */
int spmm_slot_evict(struct spmm_device *spmm, struct spmm_context *context);
/* Likewise, of all contexts; before sleep, and before the driver lets go of the device. */
int spmm_slots_evict_all(struct spmm_device *spmm);
/* The device was reset: nobody holds anything, jobs on the device are victims. */
void spmm_slots_forget(struct spmm_device *spmm);
/* The device is SPMM_DEVICE_READY again, after a reset or sleep: kick who waits. */
void spmm_slots_restart(struct spmm_device *spmm);
/*
 * Before sleep, in SPMM_DEVICE_ASLEEP, in which spmm_slot_acquire() says -EAGAIN: wait until
 * no job is on the device. Return: 0 or -ETIMEDOUT.
 */
int spmm_slots_drain(struct spmm_device *spmm, u32 timeout_ms);
/* INVALIDATE, if the context has a slot. For spmm_vm.c. */
int spmm_slot_invalidate(struct spmm_device *spmm, struct spmm_context *context,
			 u64 address, u64 length);

#endif
