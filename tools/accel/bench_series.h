/* SPDX-License-Identifier: MIT */
/* All that one `accel bench` measures, in repetitions that take turns. */
#ifndef TOOL_BENCH_SERIES_H
#define TOOL_BENCH_SERIES_H

#include "bench_baseline.h"
#include "bench_point.h"

#include <accel/device.h>

#define BENCH_POINTS_MAX 256

/**
 * struct bench_series - zeroed, with @points to be measured, before the run
 * @points: of the grid
 * @count: of them
 * @seconds: for each point
 * @cpu: that the measuring thread is pinned to, or −1
 * @has_baselines: measure what operations are held against, too
 * @baselines: nanoseconds of each, for each repetition; NaN for what the machine lacks
 */
struct bench_series {
	struct bench_point *points;
	uint32_t count;
	double seconds;
	int cpu;
	bool has_baselines;
	double baselines[BASELINE_COUNT][BENCH_REPETITIONS];
};

/*
 * Pins this thread for the time of the run. 0, or −errno of the first operation that did
 * not do what it should.
 */
int bench_series_run(struct bench_series *series, struct bench_queue *queue);

/* The median over repetitions of the point with that batch and depth; NaN without it. */
double bench_series_find(const struct bench_series *series, uint32_t batch,
			 uint32_t depth);

/* The largest depth of all points. */
uint32_t bench_series_depth(const struct bench_series *series);

#endif
