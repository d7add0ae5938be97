/* SPDX-License-Identifier: MIT */
#include "backend/cpu_worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/cpu.h"
#include "backend/host.h"
#include "backend/operation.h"
#include "core/deadline.h"
#include "core/error.h"

#define TEXT_SIZE 512
#define NS_PER_SECOND 1000000000ull

/* An operation, and how it ended; the text of an error is per thread. */
struct cpu_entry {
	struct accel_operation operation;
	int status;
	char text[TEXT_SIZE];
};

/**
 * struct cpu_queue - operations on their way through the worker
 * @base: the public queue
 * @worker: the thread
 * @lock: over everything below but @reaped, @cancelled and @signals; a leaf, not held
 *	while an operation is executed
 * @work: there is something to execute, or @stop
 * @done: something was executed
 * @submitted: operations so far
 * @executed: of them; written under the lock, read also without it, by who spins
 * @reaped: of them; the caller's alone
 * @stop: the worker has to end
 * @cancelled: operations before this one, counted as @submitted, end with −ECANCELED; set
 *	by the caller, who alone changes @submitted
 * @event: eventfd, or −1 until somebody asks for it
 * @signals: that the caller has taken from it
 * @entries: depth of them
 */
struct cpu_queue {
	struct accel_queue base;
	pthread_t worker;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t done;
	uint64_t submitted;
	_Atomic uint64_t executed;
	uint64_t reaped;
	bool stop;
	_Atomic uint64_t cancelled;
	int event;
	uint64_t signals;
	struct cpu_entry entries[];
};

static struct cpu_queue *cpu_queue(struct accel_queue *queue)
{
	return (struct cpu_queue *)queue;
}

/* Whether a cancel covers the operation in execution; for the worker, who counts them. */
static int run_cancelled(struct cpu_queue *queue)
{
	uint64_t current =
		atomic_load_explicit(&queue->executed, memory_order_relaxed);

	return current < atomic_load(&queue->cancelled) ? -ECANCELED : 0;
}

/**
 * struct run_context - one run
 * @queue: on which it was submitted
 * @plan: what runs
 * @since: when the layer before was done, of monotonic_ns()
 */
struct run_context {
	struct cpu_queue *queue;
	struct cpu_plan *plan;
	uint64_t since;
};

static int run_cancelled_of(void *context)
{
	return run_cancelled(((struct run_context *)context)->queue);
}

static int run_layer_done(void *context, uint32_t layer, int32_t tensor,
			  const void *values, size_t size)
{
	struct run_context *run = context;

	plan_report_add_host(&run->plan->base.report, layer,
			     monotonic_ns() - run->since);
	if (run->plan->kept)
		memcpy(run->plan->kept[tensor], values, size);
	run->since = monotonic_ns();
	return 0;
}

static void staging_pointers(const struct plan_port *ports, uint32_t count,
			     void **pointers)
{
	for (uint32_t i = 0; i < count; i++)
		pointers[i] = ports[i].staging;
}

static int run_execute(struct cpu_queue *queue, struct accel_plan *plan)
{
	struct run_context context = { queue, cpu_plan(plan), monotonic_ns() };
	struct cpu_observer observer = { .layer_done = run_layer_done,
					 .cancelled = run_cancelled_of,
					 .context = &context };
	const struct model *model = plan->model->model;
	void *inputs[MODEL_PORTS_MAX], *outputs[MODEL_PORTS_MAX];
	int ret;

	staging_pointers(plan->inputs, model->input_count, inputs);
	staging_pointers(plan->outputs, model->output_count, outputs);
	plan_report_clear(&plan->report);
	ret = cpu_model_run(model, plan->shape.extents, plan->shape.batch,
			    (const void *const *)inputs, outputs, &observer);
	if (ret == -ECANCELED)
		return accel_error(ret, "%s: cancelled", model->name);
	return ret;
}

static int operation_execute(struct cpu_queue *queue,
			     const struct accel_operation *operation)
{
	const struct host_buffer *source, *destination;

	if (run_cancelled(queue))
		return accel_error(-ECANCELED, "cancelled");
	switch (operation->opcode) {
	case ACCEL_OPERATION_COPY:
		source = host_buffer(operation->copy.source);
		destination = host_buffer(operation->copy.destination);
		memmove((char *)destination->memory +
				operation->copy.destination_offset,
			(char *)source->memory + operation->copy.source_offset,
			operation->copy.length);
		return 0;
	case ACCEL_OPERATION_RUN:
		return run_execute(queue, operation->run.plan);
	default:
		return 0;
	}
}

/* Execute the next entry; the lock is held, but not meanwhile. */
static void worker_step(struct cpu_queue *queue)
{
	struct cpu_entry *entry =
		&queue->entries[queue->executed & (queue->base.depth - 1)];

	pthread_mutex_unlock(&queue->lock);
	entry->status = operation_execute(queue, &entry->operation);
	if (entry->status)
		snprintf(entry->text, TEXT_SIZE, "%s", accel_last_error());
	pthread_mutex_lock(&queue->lock);
	atomic_fetch_add_explicit(&queue->executed, 1, memory_order_release);
	pthread_cond_broadcast(&queue->done);
	/* It fails only when the counter is full, which wakes just as well. */
	if (queue->event >= 0)
		eventfd_write(queue->event, 1);
}

static void *worker_run(void *argument)
{
	struct cpu_queue *queue = argument;

	pthread_mutex_lock(&queue->lock);
	while (!queue->stop || queue->executed != queue->submitted) {
		if (queue->executed == queue->submitted)
			pthread_cond_wait(&queue->work, &queue->lock);
		else
			worker_step(queue);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

/* The lock is held. False when the deadline has passed. */
static bool done_wait(struct cpu_queue *queue, uint64_t deadline)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline / NS_PER_SECOND),
		.tv_nsec = (long)(deadline % NS_PER_SECOND),
	};

	return !pthread_cond_timedwait(&queue->done, &queue->lock, &until);
}

static void cpu_queue_destroy(struct accel_queue *base)
{
	struct cpu_queue *queue = cpu_queue(base);

	atomic_store(&queue->cancelled, queue->submitted);
	pthread_mutex_lock(&queue->lock);
	queue->stop = true;
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->worker, NULL);
	for (; queue->reaped != queue->submitted; queue->reaped++) {
		const struct accel_operation *operation =
			&queue->entries[queue->reaped & (base->depth - 1)]
				 .operation;

		if (operation->opcode == ACCEL_OPERATION_RUN)
			operation->run.plan->outstanding = false;
	}
	if (queue->event >= 0)
		close(queue->event);
	pthread_cond_destroy(&queue->work);
	pthread_cond_destroy(&queue->done);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

static int cpu_queue_submit(struct accel_queue *base,
			    const struct accel_operation *operations,
			    uint32_t count)
{
	struct cpu_queue *queue = cpu_queue(base);
	uint32_t accepted = 0;
	int ret = 0;

	if (count && base->outstanding == base->depth)
		return operation_refuse_full(base);
	pthread_mutex_lock(&queue->lock);
	for (; accepted < count && base->outstanding < base->depth;
	     accepted++) {
		const struct accel_operation *operation = &operations[accepted];

		ret = operation_check(base, operation);
		if (ret)
			break;
		if (operation->opcode == ACCEL_OPERATION_RUN)
			operation->run.plan->outstanding = true;
		queue->entries[queue->submitted++ & (base->depth - 1)]
			.operation = *operation;
		base->outstanding++;
	}
	pthread_cond_signal(&queue->work);
	pthread_mutex_unlock(&queue->lock);
	if (!accepted)
		return ret;
	counter_add(&base->counters->doorbells, 1);
	return (int)accepted;
}

static void entry_complete(struct cpu_queue *queue,
			   const struct cpu_entry *entry,
			   struct accel_completion *completion)
{
	const struct accel_operation *operation = &entry->operation;

	*completion = (struct accel_completion){
		.user_data = operation->user_data,
		.status = entry->status,
	};
	if (entry->status) {
		accel_error(entry->status, "%s", entry->text);
		counter_add(&queue->base.counters->failed, 1);
	}
	if (operation->opcode == ACCEL_OPERATION_RUN) {
		operation->run.plan->outstanding = false;
		operation->run.plan->has_run = !entry->status;
	}
}

static int cpu_queue_reap(struct accel_queue *base,
			  struct accel_completion *completions, uint32_t max)
{
	struct cpu_queue *queue = cpu_queue(base);
	uint64_t executed =
		atomic_load_explicit(&queue->executed, memory_order_acquire);
	uint32_t count = 0;

	for (; count < max && queue->reaped != executed; count++)
		entry_complete(
			queue,
			&queue->entries[queue->reaped++ & (base->depth - 1)],
			&completions[count]);
	base->outstanding -= count;
	return (int)count;
}

static int cpu_queue_sleep(struct accel_queue *base, uint64_t deadline)
{
	struct cpu_queue *queue = cpu_queue(base);

	pthread_mutex_lock(&queue->lock);
	while (queue->executed == queue->reaped && done_wait(queue, deadline))
		;
	pthread_mutex_unlock(&queue->lock);
	return 0;
}

static int cpu_queue_cancel(struct accel_queue *base, uint64_t deadline)
{
	struct cpu_queue *queue = cpu_queue(base);
	bool ended;

	atomic_store(&queue->cancelled, queue->submitted);
	pthread_mutex_lock(&queue->lock);
	while (queue->executed != queue->submitted &&
	       done_wait(queue, deadline))
		;
	ended = queue->executed == queue->submitted;
	pthread_mutex_unlock(&queue->lock);
	if (!ended)
		return accel_error(-ETIMEDOUT,
				   "cpu: work did not stop in time");
	return 0;
}

static int cpu_queue_fd(struct accel_queue *base)
{
	struct cpu_queue *queue = cpu_queue(base);
	int event;

	pthread_mutex_lock(&queue->lock);
	if (queue->event < 0)
		queue->event =
			eventfd((unsigned int)(queue->executed - queue->reaped),
				EFD_CLOEXEC | EFD_NONBLOCK);
	event = queue->event;
	pthread_mutex_unlock(&queue->lock);
	if (event < 0)
		return accel_error(-errno, "eventfd: %s", strerror(errno));
	return event;
}

static uint64_t cpu_queue_signals(struct accel_queue *base)
{
	struct cpu_queue *queue = cpu_queue(base);
	eventfd_t count;

	/* Only this thread ever sets @event. */
	if (!eventfd_read(queue->event, &count))
		queue->signals += count;
	return queue->signals;
}

static bool cpu_queue_ready(struct accel_queue *base)
{
	struct cpu_queue *queue = cpu_queue(base);

	return atomic_load_explicit(&queue->executed, memory_order_acquire) !=
	       queue->reaped;
}

static const struct backend_queue_operations cpu_queue_operations = {
	.destroy = cpu_queue_destroy,
	.submit = cpu_queue_submit,
	.reap = cpu_queue_reap,
	.sleep = cpu_queue_sleep,
	.cancel = cpu_queue_cancel,
	.fd = cpu_queue_fd,
	.signals = cpu_queue_signals,
	.ready = cpu_queue_ready,
};

static void conditions_create(struct cpu_queue *queue)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->done, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_cond_init(&queue->work, NULL);
	pthread_mutex_init(&queue->lock, NULL);
}

int cpu_queue_create(struct accel_device *device, uint32_t depth,
		     uint32_t priority, struct accel_queue **out)
{
	struct cpu_queue *queue =
		calloc(1, sizeof(*queue) + depth * sizeof(queue->entries[0]));
	int ret;

	(void)device;
	(void)priority;
	if (!queue)
		return accel_error(-ENOMEM, "out of memory");
	queue->base.operations = &cpu_queue_operations;
	queue->base.depth = depth;
	queue->event = -1;
	conditions_create(queue);
	ret = pthread_create(&queue->worker, NULL, worker_run, queue);
	if (ret) {
		free(queue);
		return accel_error(-ret, "cpu: no thread for the queue: %s",
				   strerror(ret));
	}
	*out = &queue->base;
	return 0;
}
