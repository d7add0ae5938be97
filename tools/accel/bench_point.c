/* SPDX-License-Identifier: MIT */
#include "bench_point.h"

#include <core/deadline.h>
#include <core/error.h>
#include <driver/status.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long goes by between two looks at the clock. */
#define STRIDE_NS 100000

/**
 * struct flow - operations on their way
 * @queue: under load
 * @point: its batch and depth
 * @sent: operations so far
 * @taken: of them
 */
struct flow {
	struct bench_queue *queue;
	const struct bench_point *point;
	uint64_t sent;
	uint64_t taken;
};

/* All of a batch, or an error: there is room in the queue. */
static int flow_submit(struct flow *flow)
{
	const struct bench_load *load = &flow->queue->load;
	uint32_t batch = flow->point->batch;
	int ret = accel_queue_submit(
		flow->queue->queue, &load->operations[flow->sent % load->depth],
		batch);

	if (ret < 0)
		return ret;
	flow->sent += (uint32_t)ret;
	if ((uint32_t)ret == batch)
		return 0;
	return accel_error(-EAGAIN,
			   "the queue took %d operations of a batch of %u", ret,
			   batch);
}

static int flow_wait(struct flow *flow)
{
	const struct bench_queue *queue = flow->queue;
	int ret = accel_queue_wait(queue->queue, queue->completions, 1,
				   flow->point->depth, queue->patience_ns);

	if (ret)
		return ret;
	return accel_error(
		-ETIMEDOUT,
		"no completion within %g s, of %llu operations outstanding; --timeout allows more",
		(double)queue->patience_ns / 1e9,
		(unsigned long long)(flow->sent - flow->taken));
}

/* The first that failed says why; those behind it were cancelled for its sake. */
static int completions_check(const struct accel_completion *completions,
			     int count)
{
	for (int i = 0; i < count; i++) {
		const struct accel_completion *c = &completions[i];

		if (c->status)
			return accel_error(
				c->status,
				"an operation failed: %s (status 0x%02x, 0x%llx)",
				c->device_status ?
					status_text(c->device_status) :
					strerror(-c->status),
				c->device_status,
				(unsigned long long)c->detail);
	}
	return count;
}

/* How many were taken, at least one. */
static int flow_take(struct flow *flow)
{
	const struct bench_queue *queue = flow->queue;
	int ret = accel_queue_reap(queue->queue, queue->completions,
				   flow->point->depth);

	if (!ret)
		ret = flow_wait(flow);
	ret = completions_check(queue->completions, ret);
	if (ret > 0)
		flow->taken += (uint32_t)ret;
	return ret;
}

static bool flow_has_room(const struct flow *flow)
{
	return flow->sent - flow->taken + flow->point->batch <=
	       flow->point->depth;
}

static int flow_drain(struct flow *flow)
{
	int ret = 0;

	while (flow->taken < flow->sent && ret >= 0)
		ret = flow_take(flow);
	return ret < 0 ? ret : 0;
}

static int flow_rounds(struct flow *flow, uint64_t rounds)
{
	int ret = 0;

	while (rounds-- && ret >= 0) {
		while (flow_has_room(flow) && ret >= 0)
			ret = flow_submit(flow);
		if (ret >= 0)
			ret = flow_take(flow);
	}
	return ret < 0 ? ret : 0;
}

int bench_point_throughput(struct bench_queue *queue,
			   const struct bench_point *point, uint64_t duration,
			   double *ns_per_operation)
{
	struct flow flow = { .queue = queue, .point = point };
	uint64_t start = monotonic_ns(), last = start, now;
	uint64_t rounds = 1;
	int ret;

	do {
		ret = flow_rounds(&flow, rounds);
		now = monotonic_ns();
		if (now - last < STRIDE_NS)
			rounds *= 2;
		last = now;
	} while (!ret && now - start < duration);
	if (!ret)
		ret = flow_drain(&flow);
	now = monotonic_ns();
	if (!ret)
		*ns_per_operation = (double)(now - start) / (double)flow.taken;
	return ret;
}

/* Completions come in order: the oldest start is that of the next one. */
static void latency_record(const struct flow *flow, struct histogram *latency,
			   uint32_t count)
{
	uint64_t now = monotonic_ns();

	for (uint64_t i = flow->taken - count; i < flow->taken; i++)
		histogram_record(
			latency,
			now - flow->queue->starts[i % flow->point->depth], 1);
}

static int latency_submit(struct flow *flow)
{
	uint64_t now = monotonic_ns();

	for (uint32_t i = 0; i < flow->point->batch; i++)
		flow->queue->starts[(flow->sent + i) % flow->point->depth] =
			now;
	return flow_submit(flow);
}

static int latency_take(struct flow *flow, struct histogram *latency)
{
	int ret = flow_take(flow);

	if (ret > 0)
		latency_record(flow, latency, (uint32_t)ret);
	return ret;
}

int bench_point_latency(struct bench_queue *queue, struct bench_point *point,
			uint64_t duration)
{
	struct flow flow = { .queue = queue, .point = point };
	uint64_t start = monotonic_ns();
	int ret = 0;

	while (ret >= 0 && monotonic_ns() - start < duration) {
		while (flow_has_room(&flow) && ret >= 0)
			ret = latency_submit(&flow);
		if (ret >= 0)
			ret = latency_take(&flow, &point->latency);
	}
	while (ret >= 0 && flow.taken < flow.sent)
		ret = latency_take(&flow, &point->latency);
	return ret < 0 ? ret : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct bench_spread bench_spread(const double values[BENCH_REPETITIONS])
{
	double sorted[BENCH_REPETITIONS];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, BENCH_REPETITIONS, sizeof(*sorted), by_value);
	return (struct bench_spread){
		.median = sorted[BENCH_REPETITIONS / 2],
		.least = sorted[0],
		.most = sorted[BENCH_REPETITIONS - 1],
	};
}
