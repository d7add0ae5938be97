/* SPDX-License-Identifier: MIT */
/* What a queue of the kernel module has besides struct driver_queue. */
#ifndef KERNEL_QUEUE_H
#define KERNEL_QUEUE_H

#include "driver/queue.h"
#include "kernel/device.h"

/**
 * struct kernel_job - a command that the module was given
 * @number: of the job, 0 if the module did not take it
 * @error: why not
 * @command: of its list, that failed
 * @address: that it failed at
 */
struct kernel_job {
	uint64_t number;
	int error;
	uint32_t command;
	uint64_t address;
};

/**
 * struct kernel_queue - for the module
 * @number: of the queue in this context
 * @open: the module has such a queue
 * @submitted: of a job queue: counter of the ring up to which jobs were made
 * @completed: likewise, up to which their completions are in the ring
 * @failed: likewise, a job has, and the queue was not recovered since
 * @jobs: of a job queue, one for each entry of the ring
 * @doorbell_page: of a user queue
 */
struct kernel_queue {
	uint32_t number;
	bool open;
	uint32_t submitted;
	uint32_t completed;
	bool failed;
	struct kernel_job *jobs;
	void *doorbell_page;
};

/*
 * Make the module's queue; flags and addresses are set. Sets number and eventfd, which is
 * the one that an earlier queue had: somebody may be waiting for it.
 */
struct drm_spmm_queue_create;
int kernel_queue_open(struct driver_queue *queue,
		      struct drm_spmm_queue_create *arguments);
/* Undo it but for the eventfd; does nothing on a device that is gone. */
void kernel_queue_close(struct driver_queue *queue);
/* Undo it all. */
void kernel_queue_release(struct driver_queue *queue);
int kernel_queue_event(struct driver_queue *queue);

extern const struct driver_operations kernel_job_operations;
extern const struct driver_operations kernel_user_operations;

/* For both: see struct driver_operations. */
void kernel_device_destroy(struct driver_device *device);
int kernel_device_reset(struct driver_device *device);

#endif
