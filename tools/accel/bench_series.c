/* SPDX-License-Identifier: MIT */
#include "bench_series.h"

#include <math.h>
#include <sched.h>

/* A point has two loops: with and without a look at the clock for each operation. */
#define LOOPS 2

/* A thread that moves pays for it with its caches. Its processor, or −1. */
static int pin(cpu_set_t *before)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	if (cpu < 0 || sched_getaffinity(0, sizeof(*before), before))
		return -1;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -1 : cpu;
}

static uint64_t loop_ns(const struct bench_series *series)
{
	return (uint64_t)(series->seconds * 1e9 / BENCH_REPETITIONS / LOOPS);
}

/* The first round touches memory for the first time, and wakes what sleeps. */
static int warm_up(const struct bench_series *series, struct bench_queue *queue)
{
	double ns;
	int ret = 0;

	for (uint32_t i = 0; i < series->count && !ret; i++)
		ret = bench_point_throughput(queue, &series->points[i],
					     loop_ns(series) / 2, &ns);
	return ret;
}

static int points_measure(struct bench_series *series,
			  struct bench_queue *queue, unsigned int repetition)
{
	int ret = 0;

	for (uint32_t i = 0; i < series->count && !ret; i++) {
		struct bench_point *point = &series->points[i];

		ret = bench_point_throughput(queue, point, loop_ns(series),
					     &point->ns[repetition]);
		if (!ret)
			ret = bench_point_latency(queue, point,
						  loop_ns(series));
	}
	return ret;
}

static void baselines_measure(struct bench_series *series,
			      struct bench_baselines *baselines,
			      unsigned int repetition)
{
	for (unsigned int i = 0; i < BASELINE_COUNT; i++)
		series->baselines[i][repetition] =
			bench_baseline_measure(baselines, i, loop_ns(series));
}

static int repetitions_run(struct bench_series *series,
			   struct bench_queue *queue,
			   struct bench_baselines *baselines)
{
	int ret = warm_up(series, queue);

	for (unsigned int i = 0; i < BENCH_REPETITIONS && !ret; i++) {
		ret = points_measure(series, queue, i);
		if (!ret && baselines)
			baselines_measure(series, baselines, i);
	}
	return ret;
}

int bench_series_run(struct bench_series *series, struct bench_queue *queue)
{
	struct bench_baselines *baselines = NULL;
	cpu_set_t before;
	int ret = 0;

	if (series->has_baselines)
		ret = bench_baselines_create(&baselines);
	if (ret)
		return ret;
	series->cpu = pin(&before);
	ret = repetitions_run(series, queue, baselines);
	if (series->cpu >= 0)
		sched_setaffinity(0, sizeof(before), &before);
	bench_baselines_destroy(baselines);
	return ret;
}

double bench_series_find(const struct bench_series *series, uint32_t batch,
			 uint32_t depth)
{
	for (uint32_t i = 0; i < series->count; i++)
		if (series->points[i].batch == batch &&
		    series->points[i].depth == depth)
			return bench_spread(series->points[i].ns).median;
	return NAN;
}

uint32_t bench_series_depth(const struct bench_series *series)
{
	uint32_t depth = 1;

	for (uint32_t i = 0; i < series->count; i++)
		if (series->points[i].depth > depth)
			depth = series->points[i].depth;
	return depth;
}
