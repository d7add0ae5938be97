/* SPDX-License-Identifier: MIT */
#include <accel/device.h>
#include <accel/queue.h>

#include <errno.h>

#include "backend/backend.h"
#include "core/deadline.h"
#include "core/error.h"
#include "runtime/sized.h"

#define DEFAULT_DEPTH 64
#define PRIORITY_MAX 3

/* A sleep and wake-up cost some 7 µs: spin for about as long before. */
#define SPIN_NS 10000

static int queue_options_check(const struct accel_queue_options *options)
{
	if (options->depth > QUEUE_DEPTH_MAX)
		return accel_error(-EINVAL, "queue: a depth of %u; at most %u",
				   options->depth, QUEUE_DEPTH_MAX);
	if (options->priority > PRIORITY_MAX)
		return accel_error(-EINVAL, "queue: a priority of %u; 0 to %u",
				   options->priority, PRIORITY_MAX);
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
	device_get(device);
	*out = queue;
	return 0;
}

void accel_queue_destroy(struct accel_queue *queue)
{
	struct accel_device *device;

	if (!queue)
		return;
	device = queue->device;
	accel_error_hold();
	queue->operations->destroy(queue);
	accel_error_release();
	device_put(device);
}

int accel_queue_submit(struct accel_queue *queue,
		       const struct accel_operation *operations, uint32_t count)
{
	return queue->operations->submit(queue, operations, count);
}

int accel_queue_reap(struct accel_queue *queue,
		     struct accel_completion *completions, uint32_t max)
{
	return queue->operations->reap(queue, completions, max);
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

int accel_queue_wait(struct accel_queue *queue,
		     struct accel_completion *completions, uint32_t min,
		     uint32_t max, int64_t timeout_ns)
{
	uint64_t deadline, spin;
	uint32_t taken = 0;
	int ret = wait_check(queue, completions, min, max, timeout_ns);

	if (ret)
		return ret;
	deadline = deadline_after((uint64_t)timeout_ns);
	spin = deadline_after(SPIN_NS);
	for (;;) {
		ret = queue->operations->reap(queue, completions + taken,
					      max - taken);
		if (ret < 0)
			return taken ? (int)taken : ret;
		taken += (uint32_t)ret;
		if (taken >= min || !queue->outstanding ||
		    deadline_expired(deadline))
			return (int)taken;
		if (!deadline_expired(spin))
			continue;
		ret = queue->operations->sleep(queue, deadline);
		if (ret)
			return taken ? (int)taken : ret;
	}
}

int accel_queue_cancel(struct accel_queue *queue, int64_t timeout_ns)
{
	if (!queue)
		return accel_error(-EINVAL, "accel_queue_cancel: no queue");
	if (timeout_ns < 0)
		return accel_error(-EINVAL, "queue: a timeout of %lld ns",
				   (long long)timeout_ns);
	return queue->operations->cancel(queue,
					 deadline_after((uint64_t)timeout_ns));
}

uint32_t accel_queue_outstanding(const struct accel_queue *queue)
{
	return queue ? queue->outstanding : 0;
}

int accel_queue_fd(struct accel_queue *queue)
{
	if (!queue)
		return accel_error(-EINVAL, "accel_queue_fd: no queue");
	return queue->operations->fd(queue);
}
