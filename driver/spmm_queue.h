/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A queue of a context: one entity and one instance of the DRM scheduler, a pair of rings
 * and the commands of its jobs (spmm_queue_ring.c); or a user queue, whose rings are the
 * process's (spmm_user_queue.c).
 */
#ifndef SPMM_QUEUE_H
#define SPMM_QUEUE_H

#include "spmm_interrupt.h"
#include "spmm_job.h"
#include "spmm_ring.h"

#include <drm/gpu_scheduler.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct drm_device;
struct drm_file;
struct eventfd_ctx;
struct spmm_context;
struct spmm_device;
struct spmm_job_records;
struct spmm_queue_memory;
struct spmm_user_queue;

/**
 * enum spmm_queue_trouble - why a queue's context has to be reset
 * @SPMM_QUEUE_WELL: it has not
 * @SPMM_QUEUE_FAULT: a command failed
 * @SPMM_QUEUE_CORRUPT: a completion makes no sense
 * @SPMM_QUEUE_HUNG: the first of its jobs does not end
 */
enum spmm_queue_trouble {
	SPMM_QUEUE_WELL,
	SPMM_QUEUE_FAULT,
	SPMM_QUEUE_CORRUPT,
	SPMM_QUEUE_HUNG,
};

/**
 * struct spmm_queue_watch - what the time limit of the first job has seen
 * @job: its number
 * @progress: of the queue's register
 * @others: sum of those of all others
 * @looks: how often in a row it had not moved, though others had
 * @start_cycle: device time when it was first seen
 */
struct spmm_queue_watch {
	u64 job;
	u64 progress;
	u64 others;
	u32 looks;
	u64 start_cycle;
};

/**
 * struct spmm_queue - a queue of a context
 * @reference: the context's, one for each job, and those of mappings of its doorbell
 * @release: destroys it: the last reference may go where that cannot be done
 * @context: with a reference
 * @number: in the context
 * @priority: of the hardware's
 * @eventfd: to tell of completions, or NULL
 * @user: a user queue, which has nothing of the scheduler's; else NULL
 * @scheduler: a scheduler for this queue alone
 * @entity: where its jobs come from
 * @fence_context: of the jobs' own fences
 * @records: of its last jobs
 * @room: woken when a job has completed
 * @submit_lock: queue.submit_lock of spmm_device.h: jobs are numbered, armed and pushed in
 *	one go
 * @is_closed: takes no more jobs; under @submit_lock
 * @submitted: number of the last job; likewise
 * @memory: rings and commands; NULL when the driver has let go of the device. Changed
 *	under slots.lock and @lock
 * @with_memory: in slots.with_memory; under slots.lock
 * @lock: queue.lock of spmm_device.h; fences are signalled under it, in order. It protects
 *	all that follows
 * @ring: of @memory
 * @command_tail: where the next job's commands go, in commands
 * @jobs: struct spmm_job, in order: those on the device first
 * @on_device: how many of them are
 * @hardware: number of the hardware's queue that it has, or 0; changed under slots.lock
 *	as well
 * @is_stopped: nothing is pushed, because it is being taken away or its context reset
 * @is_settling: commands that failed are taken note of, see spmm_queue_reap()
 * @trouble: found by spmm_queue_reap() and not yet dealt with
 * @abort_state: enum drm_spmm_job_state of jobs that are aborted
 * @canceled: jobs up to this number are to end as CANCELED
 * @completed: how many jobs have
 * @last_used: when it last got a job, in jiffies
 * @slice_end: until when it may take jobs though others wait, in jiffies
 * @log: record of the device's log for the job that failed; state PENDING if there is none
 * @last_fault: for DRM_SPMM_QUEUE_STATUS
 * @watch: of the time limit
 * @listener: for its completions
 * @waiter: in slots.waiters; under slots.lock
 */
struct spmm_queue {
	struct kref reference;
	struct work_struct release;
	struct spmm_context *context;
	u32 number;
	u32 priority;
	struct eventfd_ctx *eventfd;
	struct spmm_user_queue *user;

	struct drm_gpu_scheduler scheduler;
	struct drm_sched_entity entity;
	u64 fence_context;
	struct spmm_job_records *records;
	wait_queue_head_t room;

	struct mutex submit_lock; /* see above */
	bool is_closed;
	u64 submitted;

	struct spmm_queue_memory *memory;
	struct list_head with_memory;

	spinlock_t lock; /* see above */
	struct spmm_ring ring;
	u32 command_tail;
	struct list_head jobs;
	u32 on_device;
	u32 hardware;
	bool is_stopped;
	bool is_settling;
	enum spmm_queue_trouble trouble;
	u32 abort_state;
	u64 canceled;
	u64 completed;
	unsigned long last_used;
	unsigned long slice_end;
	struct spmm_outcome log;
	struct spmm_outcome last_fault;
	struct spmm_queue_watch watch;
	struct spmm_interrupt_listener listener;
	struct list_head waiter;
};

/* By number, with a reference, or NULL. */
struct spmm_queue *spmm_queue_lookup(struct spmm_context *context, u32 number);
void spmm_queue_get(struct spmm_queue *queue);
/* Any context. */
void spmm_queue_put(struct spmm_queue *queue);
/* Cancel and unlink all queues of a file that is closed. */
void spmm_queues_close(struct spmm_context *context);

int spmm_queue_create_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int spmm_queue_destroy_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file);
int spmm_queue_cancel_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int spmm_queue_status_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);

#endif
