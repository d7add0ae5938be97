/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address-space slots and hardware queues: contexts hold them while they have work.
 *
 * A queue with work that has none is given a free one, or that of the queue that has been
 * idle longest, its context likewise a slot; or it waits in line. Queues that have
 * work take no new jobs after a time slice while others wait, so that everybody's
 * turn comes. User queues hold theirs for as long as they exist, but never all.
 */
#ifndef SPMM_SLOT_H
#define SPMM_SLOT_H

#include "spmm_interrupt.h"

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <spmm/queue.h>
#include <spmm/registers.h>

struct spmm_context;
struct spmm_device;
struct spmm_queue;

/* One of the module's own (spmm_blit.h), and those of the processes. */
#define SPMM_SLOT_FIRST 2
#define SPMM_QUEUE_FIRST 2

/* Faults that are remembered for a dump. */
#define SPMM_FAULTS_SEEN 16

/**
 * struct spmm_slots - who has what of the device
 * @lock: slots.lock of spmm_device.h; protects all that follows but works and queues
 * @spmm: its device
 * @owners: who has a hardware queue, by its number
 * @holders: which context has a slot, by its number
 * @parked: hardware queues whose doorbell a process may still reach
 * @users: how many hardware queues user queues have
 * @waiters: struct spmm_queue that wait, the first in line first
 * @is_wanted: there are waiters; also read without the lock
 * @contexts: all struct spmm_context of the device
 * @with_memory: all struct spmm_queue that have rings of their own
 * @doorbells: held for reading while a doorbell is mapped, see spmm_user_queue.c; no
 *	fence waits for it
 * @next_doorbell: for the next user queue's offset
 * @workqueue: for all that fences wait for
 * @timeouts: for time limits of jobs, one after the other
 * @serve: gives waiters what has become free
 * @recover: resets contexts in trouble
 * @look: whether there is a fault of a user queue
 * @faults: listens to the vector that tells of them
 * @fault_count: that @look has seen
 * @faults_seen: the last of the device's fault records, as a ring
 * @seen: how many there were
 * @unpark: makes doorbells of user queues that were evicted unreachable
 */
struct spmm_slots {
	struct mutex lock; /* see above */
	struct spmm_device *spmm;
	struct spmm_queue *owners[SPMM_IO_QUEUES_MAX + 1];
	struct spmm_context *holders[SPMM_CONTEXTS_MAX + 1];
	DECLARE_BITMAP(parked, SPMM_IO_QUEUES_MAX + 1);
	u32 users;
	struct list_head waiters;
	bool is_wanted;
	struct list_head contexts;
	struct list_head with_memory;
	struct rw_semaphore doorbells;
	u64 next_doorbell;
	struct workqueue_struct *workqueue;
	struct workqueue_struct *timeouts;
	struct work_struct serve;
	struct work_struct recover;
	struct work_struct look;
	struct spmm_interrupt_listener faults;
	u64 fault_count;
	struct spmm_fault_record faults_seen[SPMM_FAULTS_SEEN];
	u32 seen;
	struct work_struct unpark;
};

int spmm_slots_init(struct spmm_device *spmm); /* drmm-managed */

/*
 * Give the queue a hardware queue and its context a slot, and push what waits. Return: 0;
 * -EAGAIN: that will be done later; for a user queue -EBUSY instead; -ENODEV.
 * Context: may sleep, allocates nothing: also for the scheduler's run_job.
 */
int spmm_slot_acquire(struct spmm_device *spmm, struct spmm_queue *queue);
/* The queue has no jobs on the device any more. Any context, with queue.lock held. */
void spmm_slot_release(struct spmm_device *spmm, struct spmm_queue *queue);
/* Whether a queue that has work is to take no more for now. With queue.lock held. */
bool spmm_slot_is_over(struct spmm_device *spmm,
		       const struct spmm_queue *queue);

/*
 * Take the hardware queue away; jobs that it holds end as @state (enum drm_spmm_job_state).
 * Return: 0, also if it has none; else the device will be reset, -ENODEV.
 */
int spmm_slot_detach(struct spmm_queue *queue, u32 state);
/* The same at any price: waits for resets. */
void spmm_slot_force_detach(struct spmm_queue *queue, u32 state);
/* With slots.lock held. */
int spmm_slot_detach_locked(struct spmm_slots *slots, struct spmm_queue *queue,
			    u32 state);
/*
 * Take all queues of a context away that is not reset, and what they hold ends as its
 * spmm_queue.trouble and abort_state say. They are given others by spmm_slots_restart().
 */
int spmm_slot_renew_locked(struct spmm_slots *slots,
			   struct spmm_context *context);
/* Take slot and hardware queues away, what they hold is aborted. May sleep. */
int spmm_slot_evict(struct spmm_device *spmm, struct spmm_context *context);
void spmm_slot_force_evict(struct spmm_device *spmm,
			   struct spmm_context *context);
/* Likewise, of all contexts; before sleep, and before the driver lets go of the device. */
int spmm_slots_evict_all(struct spmm_device *spmm);
/* The device was reset or is gone: nobody holds anything, jobs on the device are victims. */
void spmm_slots_forget(struct spmm_device *spmm);
/*
 * The device is SPMM_DEVICE_READY again, after a reset or sleep, and who waits goes on; or
 * it is gone, and who waits fails.
 */
void spmm_slots_restart(struct spmm_device *spmm);
/*
 * Before sleep, in SPMM_DEVICE_ASLEEP, in which spmm_slot_acquire() says -EAGAIN: wait until
 * no job is on the device. Return: 0 or -ETIMEDOUT.
 */
int spmm_slots_drain(struct spmm_device *spmm, u32 timeout_ms);
/* INVALIDATE, if the context has a slot. For spmm_vm.c. */
int spmm_slot_invalidate(struct spmm_device *spmm, struct spmm_context *context,
			 u64 address, u64 length);
/*
 * The SPMM_COUNTER_COUNT counters of all that the context has done, but for what a reset of
 * the device took with it. May sleep.
 */
void spmm_slot_counters(struct spmm_context *context, u64 *counters);

#endif
