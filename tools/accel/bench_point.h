/* SPDX-License-Identifier: MIT */
/* One cell of `accel bench`: so large batches, so many operations outstanding. */
#ifndef TOOL_BENCH_POINT_H
#define TOOL_BENCH_POINT_H

#include "bench_load.h"
#include "histogram.h"

/* Enough for a median that one disturbance does not move. */
#define BENCH_REPETITIONS 5

/**
 * struct bench_queue - a queue under load
 * @queue: idle between two measurements
 * @load: what is submitted; a circle of at least the largest depth
 * @completions: room for the largest depth
 * @starts: when each outstanding operation was submitted, likewise
 * @patience_ns: longest wait for the next completion
 */
struct bench_queue {
	struct accel_queue *queue;
	struct bench_load load;
	struct accel_completion *completions;
	uint64_t *starts;
	int64_t patience_ns;
};

/**
 * struct bench_point - what is measured, and what came out
 * @batch: operations of one submission
 * @depth: most operations outstanding, at least @batch
 * @ns: for each operation, of each repetition, without a clock in between
 * @latency: of each operation, from before its submission until it was reaped; of
 *	all repetitions
 */
struct bench_point {
	uint32_t batch;
	uint32_t depth;
	double ns[BENCH_REPETITIONS];
	struct histogram latency;
};

/* For so many nanoseconds; −ETIMEDOUT if completions stay out, or what the device says. */
int bench_point_throughput(struct bench_queue *queue,
			   const struct bench_point *point, uint64_t duration,
			   double *ns_per_operation);
int bench_point_latency(struct bench_queue *queue, struct bench_point *point,
			uint64_t duration);

/* Median, least and most of repetitions. */
struct bench_spread {
	double median;
	double least;
	double most;
};

struct bench_spread bench_spread(const double values[BENCH_REPETITIONS]);

#endif
