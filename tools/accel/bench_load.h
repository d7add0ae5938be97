/* SPDX-License-Identifier: MIT */
/* What `accel bench` submits: operations that may all be outstanding together. */
#ifndef TOOL_BENCH_LOAD_H
#define TOOL_BENCH_LOAD_H

#include "workload.h"

#include <accel/queue.h>

enum bench_operation {
	BENCH_NOP,
	BENCH_COPY,
	BENCH_RUN,
};

/**
 * struct bench_load - operations to be submitted in a circle
 * @depth: how many differ
 * @operations: 2 · @depth, the second half as the first: a batch never wraps
 * @source: of copies, in host memory
 * @destination: of copies, in device memory
 * @plans: @depth of them, as a plan can be outstanding only once
 */
struct bench_load {
	uint32_t depth;
	struct accel_operation *operations;
	struct accel_buffer *source;
	struct accel_buffer *destination;
	struct accel_plan **plans;
};

/**
 * struct bench_load_options - which
 * @operation: to be submitted
 * @bytes: of a copy
 * @workload: of BENCH_RUN
 */
struct bench_load_options {
	enum bench_operation operation;
	uint64_t bytes;
	const struct workload *workload;
};

/* 0 or −errno; bench_load_destroy() is due also after an error, on a zeroed one too. */
int bench_load_create(struct accel_device *device,
		      const struct bench_load_options *options, uint32_t depth,
		      struct bench_load *load);
void bench_load_destroy(struct bench_load *load);

#endif
