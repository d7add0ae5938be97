/* SPDX-License-Identifier: MIT */
/*
 * Rings in plain memory, which the module never sees: each command put into the one
 * becomes a job, what became of a job a completion in the other.
 */
#include "kernel/queue.h"

#include <drm/spmm_accel.h>
#include <spmm/status.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/deadline.h"
#include "core/error.h"
#include "driver/ring_memory.h"

static void rings_free(struct driver_queue *queue)
{
	free(queue->sq_entries);
	free((void *)(uintptr_t)queue->cq_entries);
	free(queue->lists);
	if (queue->kernel)
		free(queue->kernel->jobs);
	free(queue->kernel);
}

static int rings_allocate(struct driver_queue *queue)
{
	uint32_t entries = queue->sq.entries;

	queue->sq_entries = calloc(entries, sizeof(*queue->sq_entries));
	queue->cq_entries = calloc(entries, sizeof(*queue->cq_entries));
	queue->lists = calloc(entries, sizeof(*queue->lists));
	queue->kernel = calloc(1, sizeof(*queue->kernel));
	if (queue->kernel)
		queue->kernel->jobs =
			calloc(entries, sizeof(*queue->kernel->jobs));
	if (queue->sq_entries && queue->cq_entries && queue->lists &&
	    queue->kernel && queue->kernel->jobs)
		return 0;
	rings_free(queue);
	return accel_error(-ENOMEM, "out of memory");
}

static void job_queue_destroy(struct driver_queue *queue)
{
	kernel_queue_release(queue);
	rings_free(queue);
}

static int job_queue_create(struct driver_queue *queue, uint32_t depth)
{
	struct drm_spmm_queue_create arguments = { 0 };
	int ret = ring_memory_size(queue, depth);

	if (!ret)
		ret = rings_allocate(queue);
	if (ret)
		return ret;
	ret = kernel_queue_open(queue, &arguments);
	if (ret)
		job_queue_destroy(queue);
	return ret;
}

/* The module has put its own side in order; a reset leaves jobs of before it behind. */
static int job_queue_recover(struct driver_queue *queue)
{
	struct kernel_queue *kernel = queue->kernel;
	struct drm_spmm_queue_create arguments = { 0 };
	int ret = 0;

	if (driver_queue_is_lost(queue)) {
		kernel_queue_close(queue);
		ret = kernel_queue_open(queue, &arguments);
	}
	queue->sq.head = queue->sq.tail;
	queue->cq.head = queue->sq.tail;
	kernel->submitted = queue->sq.tail;
	kernel->completed = queue->sq.tail;
	kernel->failed = false;
	if (!ret)
		queue->failed = false;
	return ret;
}

static void job_submit(struct driver_queue *queue, uint32_t index)
{
	const struct spmm_sqe *entry = &queue->sq_entries[index];
	struct kernel_job *job = &queue->kernel->jobs[index];
	struct spmm_sqe single = *entry;
	struct drm_spmm_job_submit submit = {
		.queue = queue->kernel->number,
		.command_count = 1,
		.commands = (uintptr_t)&single,
	};

	single.id = 0;
	if (entry->opcode == SPMM_IO_LIST) {
		submit.command_count = (uint32_t)le64toh(entry->length);
		submit.commands = (uintptr_t)queue->lists[index];
	}
	*job = (struct kernel_job){ 0 };
	job->error = kernel_ioctl(kernel_device(queue->device),
				  DRM_IOCTL_SPMM_JOB_SUBMIT, &submit);
	job->number = job->error ? 0 : submit.job;
	/* The module tells of jobs that it took. */
	if (job->error)
		eventfd_write(queue->event, 1);
}

static void job_queue_ring(struct driver_queue *queue)
{
	struct kernel_queue *kernel = queue->kernel;

	while (kernel->submitted != queue->sq.tail)
		job_submit(queue, ring_index(&queue->sq, kernel->submitted++));
}

static int refusal_explain(int error)
{
	if (error == -ESTALE)
		return accel_error(
			error,
			"the device was reset and its memory is lost; call accel_device_reset() and make plans anew");
	return accel_error(error, "the module refused a job: %s",
			   strerror(-error));
}

/* The device's status that says the same. */
static unsigned int state_status(const struct drm_spmm_job_wait *wait)
{
	switch (wait->state) {
	case DRM_SPMM_JOB_DONE:
		return SPMM_SC_SUCCESS;
	case DRM_SPMM_JOB_TIMEOUT:
		return SPMM_SC_TIMEOUT;
	case DRM_SPMM_JOB_VICTIM:
		return SPMM_SC_CONTEXT_RESET;
	case DRM_SPMM_JOB_CANCELED:
		return SPMM_SC_ABORTED;
	default:
		return wait->device_status ? wait->device_status :
					     SPMM_SC_INTERNAL;
	}
}

/*
 * The module is ready for jobs again as soon as it has ended those that failed. One that
 * reached it only then has run: for its owner it came after a failure all the same.
 */
static unsigned int status_after_failure(struct kernel_queue *kernel,
					 unsigned int status)
{
	if (kernel->failed && status == SPMM_SC_SUCCESS)
		return SPMM_SC_CONTEXT_RESET;
	if (status != SPMM_SC_SUCCESS && status != SPMM_SC_ABORTED)
		kernel->failed = true;
	return status;
}

static void job_complete(struct driver_queue *queue, unsigned int status,
			 uint64_t result)
{
	uint32_t counter = queue->kernel->completed++;
	uint32_t index = ring_index(&queue->cq, counter);
	struct spmm_cqe *entry =
		(struct spmm_cqe *)(uintptr_t)&queue->cq_entries[index];

	status = status_after_failure(queue->kernel, status);
	*entry = (struct spmm_cqe){
		.result = htole64(result),
		.sq_head =
			htole16((uint16_t)ring_index(&queue->sq, counter + 1)),
		.id = queue->sq_entries[index].id,
		.status = htole16((uint16_t)(status << 1 |
					     ring_phase(&queue->cq, counter))),
	};
}

/* Waits for the oldest job. Return: 0 when it completed; −ETIME; −ENODEV. */
static int job_wait(struct driver_queue *queue, uint64_t deadline)
{
	struct kernel_queue *kernel = queue->kernel;
	uint32_t index = ring_index(&queue->sq, kernel->completed);
	struct kernel_job *job = &kernel->jobs[index];
	struct drm_spmm_job_wait wait = {
		.queue = kernel->number,
		.flags = DRM_SPMM_JOB_WAIT_STATUS,
		.job = job->number,
		.timeout_ns = deadline > INT64_MAX ? INT64_MAX :
						     (int64_t)deadline,
	};
	int ret;

	if (!job->number) {
		refusal_explain(job->error);
		job_complete(queue, SPMM_SC_INTERNAL, 0);
		return job->error == -ENODEV ? -ENODEV : 0;
	}
	ret = kernel_ioctl(kernel_device(queue->device),
			   DRM_IOCTL_SPMM_JOB_WAIT, &wait);
	if (ret == -ENODEV || (!ret && wait.state == DRM_SPMM_JOB_GONE))
		return accel_error(-ENODEV, "the device is gone");
	if (ret == -ETIME)
		return ret;
	if (ret)
		return accel_error(ret, "wait for a job: %s", strerror(-ret));
	job->command = wait.command;
	job->address = wait.address;
	job_complete(queue, state_status(&wait), wait.address);
	return 0;
}

static int job_queue_poll(struct driver_queue *queue)
{
	struct kernel_queue *kernel = queue->kernel;
	int ret = 0;

	while (!ret && kernel->completed != kernel->submitted)
		ret = job_wait(queue, 0);
	return ret == -ETIME ? 0 : ret;
}

static int job_queue_sleep(struct driver_queue *queue, uint64_t deadline)
{
	int ret;

	if (queue->kernel->completed == queue->kernel->submitted)
		return 0;
	ret = job_wait(queue, deadline);
	return ret == -ETIME ? 0 : ret;
}

static int job_queue_abort(struct driver_queue *queue)
{
	struct drm_spmm_queue_destroy cancel = {
		.queue = queue->kernel->number,
	};
	int ret = kernel_ioctl(kernel_device(queue->device),
			       DRM_IOCTL_SPMM_QUEUE_CANCEL, &cancel);

	if (ret)
		return accel_error(ret, "cancel: %s", strerror(-ret));
	return 0;
}

/* The ring is in memory of this process: there is nobody to tell. */
static void job_queue_report(struct driver_queue *queue)
{
	queue->cq_reported = queue->cq.head;
}

/* Of the completion that is looked at. */
static bool job_fault_find(struct driver_queue *queue, uint16_t id,
			   struct spmm_fault_record *record)
{
	uint32_t index = ring_index(&queue->cq, queue->cq.head);
	const struct kernel_job *job = &queue->kernel->jobs[index];

	if (!job->number)
		return false;
	*record = (struct spmm_fault_record){
		.address = htole64(job->address),
		.id = htole16(id),
		.list_index = htole32(job->command),
	};
	return true;
}

const struct driver_operations kernel_job_operations = {
	.destroy = kernel_device_destroy,
	.reset = kernel_device_reset,
	.memory_allocate = kernel_memory_allocate,
	.memory_import = kernel_memory_import,
	.memory_release = kernel_memory_release,
	.memory_used = kernel_memory_used,
	.queue_create = job_queue_create,
	.queue_destroy = job_queue_destroy,
	.queue_recover = job_queue_recover,
	.queue_abort = job_queue_abort,
	.queue_sleep = job_queue_sleep,
	.queue_event = kernel_queue_event,
	.queue_ring = job_queue_ring,
	.queue_report = job_queue_report,
	.queue_poll = job_queue_poll,
	.fault_find = job_fault_find,
};
