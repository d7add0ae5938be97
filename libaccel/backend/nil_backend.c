/* SPDX-License-Identifier: MIT */
/*
 * nil: completes every operation at once and does nothing. What it takes is what
 * the library itself costs.
 */
#include "backend/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/host.h"
#include "backend/operation.h"
#include "core/error.h"

/**
 * struct nil_queue - a ring of what is to be reaped
 * @base: the public queue
 * @head: operations reaped so far
 * @tail: operations submitted so far
 * @event: eventfd, or −1 until somebody asks for it
 * @signals: that were taken from it
 * @entries: depth of them
 */
struct nil_queue {
	struct accel_queue base;
	uint32_t head;
	uint32_t tail;
	int event;
	uint64_t signals;
	struct nil_entry {
		uint64_t user_data;
		struct accel_plan *plan;
	} entries[];
};

static struct nil_queue *nil_queue(struct accel_queue *queue)
{
	return (struct nil_queue *)queue;
}

static void nil_queue_destroy(struct accel_queue *base)
{
	struct nil_queue *queue = nil_queue(base);
	struct accel_completion completion;

	while (base->operations->reap(base, &completion, 1))
		;
	if (queue->event >= 0)
		close(queue->event);
	free(queue);
}

static void nil_signal(const struct nil_queue *queue)
{
	/* It fails only when the counter is full, which wakes just as well. */
	if (queue->event >= 0)
		eventfd_write(queue->event, 1);
}

static int nil_queue_submit(struct accel_queue *base,
			    const struct accel_operation *operations,
			    uint32_t count)
{
	struct nil_queue *queue = nil_queue(base);
	uint32_t space = base->depth - base->outstanding;
	uint32_t mask = base->depth - 1;
	uint32_t accepted = 0;
	int ret = 0;

	if (count && !space)
		return operation_refuse_full(base);
	for (; accepted < count && accepted < space; accepted++) {
		const struct accel_operation *operation = &operations[accepted];
		struct nil_entry *entry = &queue->entries[queue->tail & mask];

		ret = operation_check(base, operation);
		if (ret)
			break;
		entry->user_data = operation->user_data;
		entry->plan = NULL;
		if (operation->opcode == ACCEL_OPERATION_RUN) {
			entry->plan = operation->run.plan;
			entry->plan->outstanding = true;
		}
		queue->tail++;
	}
	base->outstanding += accepted;
	if (accepted)
		nil_signal(queue);
	return accepted ? (int)accepted : ret;
}

static int nil_queue_reap(struct accel_queue *base,
			  struct accel_completion *completions, uint32_t max)
{
	struct nil_queue *queue = nil_queue(base);
	uint32_t count = base->outstanding < max ? base->outstanding : max;
	uint32_t mask = base->depth - 1;

	for (uint32_t i = 0; i < count; i++) {
		struct nil_entry *entry = &queue->entries[queue->head & mask];

		completions[i] =
			(struct accel_completion){ .user_data =
							   entry->user_data };
		if (entry->plan) {
			entry->plan->outstanding = false;
			entry->plan->has_run = true;
		}
		queue->head++;
	}
	base->outstanding -= count;
	return (int)count;
}

static int nil_queue_sleep(struct accel_queue *base, uint64_t deadline)
{
	(void)base;
	(void)deadline;
	return 0; /* nothing is ever waited for */
}

static int nil_queue_cancel(struct accel_queue *base, uint64_t deadline)
{
	(void)base;
	(void)deadline;
	return 0; /* everything has completed */
}

static int nil_queue_fd(struct accel_queue *base)
{
	struct nil_queue *queue = nil_queue(base);

	if (queue->event < 0) {
		queue->event =
			eventfd(base->outstanding, EFD_CLOEXEC | EFD_NONBLOCK);
		if (queue->event < 0)
			return accel_error(-errno, "eventfd: %s",
					   strerror(errno));
	}
	return queue->event;
}

static uint64_t nil_queue_signals(struct accel_queue *base)
{
	struct nil_queue *queue = nil_queue(base);
	eventfd_t count;

	if (!eventfd_read(queue->event, &count))
		queue->signals += count;
	return queue->signals;
}

static bool nil_queue_ready(struct accel_queue *base)
{
	return base->outstanding;
}

static const struct backend_queue_operations nil_queue_operations = {
	.destroy = nil_queue_destroy,
	.submit = nil_queue_submit,
	.reap = nil_queue_reap,
	.sleep = nil_queue_sleep,
	.cancel = nil_queue_cancel,
	.fd = nil_queue_fd,
	.signals = nil_queue_signals,
	.ready = nil_queue_ready,
};

static int nil_queue_create(struct accel_device *device, uint32_t depth,
			    uint32_t priority, struct accel_queue **out)
{
	struct nil_queue *queue =
		calloc(1, sizeof(*queue) + depth * sizeof(queue->entries[0]));

	(void)device;
	(void)priority;
	if (!queue)
		return accel_error(-ENOMEM, "out of memory");
	queue->base.operations = &nil_queue_operations;
	queue->event = -1;
	*out = &queue->base;
	return 0;
}

static void nil_close(struct accel_device *device)
{
	free(device);
}

static void nil_describe(struct accel_device *device,
			 struct accel_device_info *info)
{
	(void)device;
	info->name = "nothing: completes at once";
	info->queue_count = UINT32_MAX;
	info->queue_depth = QUEUE_DEPTH_MAX;
}

static int nil_reset(struct accel_device *device)
{
	atomic_fetch_add(&device->generation, 1);
	return 0;
}

static struct accel_plan *nil_plan_allocate(void)
{
	return calloc(1, sizeof(struct accel_plan));
}

static void nil_plan_release(struct accel_plan *plan)
{
	host_staging_free(plan);
	free(plan);
}

static int nil_plan_read_tensor(struct accel_plan *plan, uint32_t tensor,
				void *bytes, size_t length)
{
	(void)plan;
	(void)tensor;
	memset(bytes, 0, length);
	return 0;
}

static const struct backend_operations nil_operations = {
	.name = "nil",
	.close = nil_close,
	.describe = nil_describe,
	.reset = nil_reset,
	.buffer_create = host_buffer_create,
	.buffer_import = host_buffer_import,
	.buffer_destroy = host_buffer_destroy,
	.plan_allocate = nil_plan_allocate,
	.plan_prepare = host_staging_create,
	.plan_release = nil_plan_release,
	.plan_read_tensor = nil_plan_read_tensor,
	.queue_create = nil_queue_create,
};

int nil_backend_open(struct accel_device **device)
{
	*device = calloc(1, sizeof(**device));
	if (!*device)
		return accel_error(-ENOMEM, "out of memory");
	(*device)->operations = &nil_operations;
	return 0;
}
