/* SPDX-License-Identifier: MIT */
#include <accel/device.h>
#include <accel/queue.h>

#include <errno.h>
#include <sys/eventfd.h>

#include "backend/backend.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/relax.h"
#include "runtime/sized.h"
#include "runtime/stats.h"

#define DEFAULT_DEPTH 64
#define PRIORITY_MAX 3

static int queue_options_check(const struct accel_queue_options *options)
{
	if (options->depth > QUEUE_DEPTH_MAX)
		return accel_error(-EINVAL, "queue: a depth of %u; at most %u",
				   options->depth, QUEUE_DEPTH_MAX);
	if (options->priority > PRIORITY_MAX)
		return accel_error(-EINVAL, "queue: a priority of %u; 0 to %u",
				   options->priority, PRIORITY_MAX);
	if (options->spin_ns < -1)
		return accel_error(-EINVAL,
				   "queue: spin_ns is %lld; -1 is the least",
				   (long long)options->spin_ns);
	return 0;
}

static uint32_t power_of_two_above(uint32_t value)
{
	uint32_t power = 1;

	while (power < value)
		power <<= 1;
	return power;
}

/* What the device has, if it has less. */
static uint32_t default_depth(struct accel_device *device)
{
	struct accel_device_info info = { 0 };
	uint32_t depth = DEFAULT_DEPTH;

	device->operations->describe(device, &info);
	while (depth > 1 && depth > info.queue_depth)
		depth /= 2;
	return depth;
}

int accel_queue_create(struct accel_device *device,
		       const struct accel_queue_options *options,
		       struct accel_queue **out)
{
	struct accel_queue_options known;
	struct accel_queue *queue;
	uint32_t depth;
	int ret;

	if (!device || !out)
		return accel_error(-EINVAL, "accel_queue_create: NULL");
	*out = NULL;
	ret = sized_read(&known, sizeof(known), options, "accel_queue_options");
	if (!ret)
		ret = queue_options_check(&known);
	if (ret)
		return ret;
	depth = known.depth ? power_of_two_above(known.depth) :
			      default_depth(device);
	ret = device->operations->queue_create(device, depth, known.priority,
					       &queue);
	if (ret)
		return ret;
	queue->device = device;
	queue->depth = depth;
	queue->counters = stats_queue_add(device->stats, depth, known.priority);
	if (!queue->counters)
		queue->counters = &queue->own_counters;
	spin_init(&queue->spin, known.spin_ns);
	device_get(device);
	*out = queue;
	return 0;
}

void accel_queue_destroy(struct accel_queue *queue)
{
	const struct queue_counters *counters;
	struct accel_device *device;

	if (!queue)
		return;
	device = queue->device;
	counters = queue->counters;
	accel_error_hold();
	queue->operations->destroy(queue);
	accel_error_release();
	stats_queue_remove(device->stats, counters);
	device_put(device);
}

int accel_queue_submit(struct accel_queue *queue,
		       const struct accel_operation *operations, uint32_t count)
{
	int ret = queue->operations->submit(queue, operations, count);

	if (ret > 0) {
		counter_add(&queue->counters->submitted, (uint32_t)ret);
		counter_add(&queue->counters->batches, 1);
	}
	return ret;
}

int accel_queue_reap(struct accel_queue *queue,
		     struct accel_completion *completions, uint32_t max)
{
	int ret = queue->operations->reap(queue, completions, max);

	if (ret > 0) {
		counter_add(&queue->counters->completed, (uint32_t)ret);
		counter_add(&queue->counters->reaps, 1);
	} else if (!ret) {
		counter_add(&queue->counters->empty_reaps, 1);
	}
	return ret;
}

static int wait_check(const struct accel_queue *queue,
		      const struct accel_completion *completions, uint32_t min,
		      uint32_t max, int64_t timeout_ns)
{
	if (!queue || (max && !completions))
		return accel_error(-EINVAL, "accel_queue_wait: NULL");
	if (min > max)
		return accel_error(-EINVAL, "queue: min %u is above max %u",
				   min, max);
	if (timeout_ns < 0)
		return accel_error(-EINVAL, "queue: a timeout of %lld ns",
				   (long long)timeout_ns);
	return 0;
}

/**
 * struct wait - a wait that could not be satisfied at once
 * @queue: of it
 * @completions: room for @max
 * @taken: so far
 * @min: enough
 * @max: most
 * @start: when it began, in monotonic ns
 * @now: when it last looked
 * @deadline: when it is over
 * @slept: at least once
 * @error: that ended it, or 0
 */
struct wait {
	struct accel_queue *queue;
	struct accel_completion *completions;
	uint32_t taken;
	uint32_t min;
	uint32_t max;
	uint64_t start;
	uint64_t now;
	uint64_t deadline;
	bool slept;
	int error;
};

/* Take what is there. True if there is nothing more to wait for. */
static bool wait_look(struct wait *wait)
{
	int ret = accel_queue_reap(wait->queue, wait->completions + wait->taken,
				   wait->max - wait->taken);

	if (ret < 0)
		wait->error = ret;
	else
		wait->taken += (uint32_t)ret;
	return wait->error || wait->taken >= wait->min ||
	       !wait->queue->outstanding;
}

static bool wait_spin(struct wait *wait)
{
	struct queue_counters *counters = wait->queue->counters;
	uint64_t budget = spin_budget(&wait->queue->spin);
	bool done = false;

	if (!budget)
		return false;
	counter_add(&counters->spins, 1);
	while (!done && wait->now < wait->deadline &&
	       wait->now - wait->start < budget) {
		cpu_relax();
		done = wait_look(wait);
		wait->now = monotonic_ns();
	}
	counter_add(&counters->spin_ns, wait->now - wait->start);
	return done;
}

static bool wait_sleep(struct wait *wait)
{
	struct queue_counters *counters = wait->queue->counters;
	uint32_t before = wait->taken;
	bool done;

	wait->slept = true;
	counter_add(&counters->sleeps, 1);
	wait->error =
		wait->queue->operations->sleep(wait->queue, wait->deadline);
	if (wait->error)
		return true;
	done = wait_look(wait);
	if (wait->taken != before)
		counter_add(&counters->wakeups, 1);
	wait->now = monotonic_ns();
	return done;
}

static void wait_learn(const struct wait *wait, bool satisfied)
{
	struct spin *spin = &wait->queue->spin;

	spin_learn(spin, wait->now - wait->start, wait->slept, satisfied);
	counter_set(&wait->queue->counters->wait_ns, spin->mean_ns);
}

/*
 * Who sleeps takes signals. A poll of accel_queue_arm() that the program has not submitted
 * yet must find that there were some: it would count as one that has fired.
 */
static void signals_keep(struct accel_queue *queue)
{
	if (queue->armed &&
	    queue->operations->signals(queue) != queue->armed_signals)
		eventfd_write(queue->operations->fd(queue), 1);
}

int accel_queue_wait(struct accel_queue *queue,
		     struct accel_completion *completions, uint32_t min,
		     uint32_t max, int64_t timeout_ns)
{
	struct wait wait = {
		.queue = queue,
		.completions = completions,
		.min = min,
		.max = max,
	};
	int ret = wait_check(queue, completions, min, max, timeout_ns);
	bool done;

	if (ret)
		return ret;
	/* No clock is read for what is there already. */
	done = wait_look(&wait);
	if (!done && timeout_ns) {
		wait.start = monotonic_ns();
		wait.now = wait.start;
		wait.deadline = deadline_from(wait.start, (uint64_t)timeout_ns);
		done = wait_spin(&wait);
		while (!done && wait.now < wait.deadline)
			done = wait_sleep(&wait);
		if (wait.slept)
			signals_keep(queue);
		if (!wait.error)
			wait_learn(&wait, done);
	}
	return wait.taken ? (int)wait.taken : wait.error;
}

int accel_queue_cancel(struct accel_queue *queue, int64_t timeout_ns)
{
	int ret;

	if (!queue)
		return accel_error(-EINVAL, "accel_queue_cancel: no queue");
	if (timeout_ns < 0)
		return accel_error(-EINVAL, "queue: a timeout of %lld ns",
				   (long long)timeout_ns);
	ret = queue->operations->cancel(queue,
					deadline_after((uint64_t)timeout_ns));
	signals_keep(queue);
	return ret;
}

uint32_t accel_queue_outstanding(const struct accel_queue *queue)
{
	return queue ? queue->outstanding : 0;
}

int accel_queue_get_stats(const struct accel_queue *queue,
			  struct accel_queue_stats *stats)
{
	const struct queue_counters *counters;
	struct accel_queue_stats full;

	if (!queue)
		return accel_error(-EINVAL, "accel_queue_get_stats: no queue");
	counters = queue->counters;
	full = (struct accel_queue_stats){
		.submitted = counter_read(&counters->submitted),
		.batches = counter_read(&counters->batches),
		.doorbells = counter_read(&counters->doorbells),
		.reports = counter_read(&counters->reports),
		.completed = counter_read(&counters->completed),
		.failed = counter_read(&counters->failed),
		.reaps = counter_read(&counters->reaps),
		.empty_reaps = counter_read(&counters->empty_reaps),
		.spins = counter_read(&counters->spins),
		.spin_ns = counter_read(&counters->spin_ns),
		.sleeps = counter_read(&counters->sleeps),
		.wakeups = counter_read(&counters->wakeups),
		.wait_ns = counter_read(&counters->wait_ns),
	};
	return sized_write(stats, &full, sizeof(full), "accel_queue_stats");
}

int accel_queue_fd(struct accel_queue *queue)
{
	if (!queue)
		return accel_error(-EINVAL, "accel_queue_fd: no queue");
	return queue->operations->fd(queue);
}
