/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job: commands copied from a process, what they wait for, and what became of them.
 */
#ifndef SPMM_JOB_H
#define SPMM_JOB_H

#include <drm/gpu_scheduler.h>
#include <linux/list.h>
#include <linux/types.h>

struct dma_fence;
struct drm_device;
struct drm_file;
struct spmm_queue;
struct spmm_sqe;

/**
 * struct spmm_outcome - what became of a job
 * @state: enum drm_spmm_job_state; PENDING: nothing yet
 * @error: 0 or a negative errno value, also of the job's fence
 * @device_status: enum spmm_status
 * @command: index of the command that failed
 * @address: that it failed at
 */
struct spmm_outcome {
	u32 state;
	int error;
	u32 device_status;
	u32 command;
	u64 address;
};

/**
 * struct spmm_job - commands on their way to the device and back
 * @base: what the scheduler knows of it
 * @queue: where it belongs, with a reference
 * @fence: parent of the scheduler's fences, see spmm_fence.h
 * @commands: copied and validated
 * @count: of @commands
 * @waits: fences of its in-syncs, kept for their errors
 * @wait_count: of @waits
 * @number: 1 … in the order of the queue
 * @node: in queue.jobs from run_job to its end; under queue.lock, as all that follows
 * @on_device: is in the ring, or was and its queue has been taken away
 * @outcome: not PENDING: it is done as soon as all before it are
 */
struct spmm_job {
	struct drm_sched_job base;
	struct spmm_queue *queue;
	struct dma_fence *fence;
	struct spmm_sqe *commands;
	u32 count;
	struct dma_fence **waits;
	u32 wait_count;
	u64 number;
	struct list_head node;
	bool on_device;
	struct spmm_outcome outcome;
};

static inline struct spmm_job *to_spmm_job(struct drm_sched_job *base)
{
	return container_of(base, struct spmm_job, base);
}

/* A fence that it waited for has failed: with what error, else 0. Any context. */
int spmm_job_dependency_error(const struct spmm_job *job);
/* The scheduler is done with it. May sleep. */
void spmm_job_free(struct spmm_job *job);

int spmm_job_submit_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);

#endif
