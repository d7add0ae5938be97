/* SPDX-License-Identifier: MIT */
/*
 * What operations of the device are held against, in the same run: the kernel's own
 * queue without a device behind it, and memory.
 */
#ifndef TOOL_BENCH_BASELINE_H
#define TOOL_BENCH_BASELINE_H

#include <stdint.h>

enum bench_baseline {
	BASELINE_URING_BATCH1, /* an io_uring NOP, submitted and reaped alone */
	BASELINE_URING_BATCH32, /* the same in batches of 32 */
	BASELINE_ENTRY, /* the driver's entry, fence and doorbell, to plain memory */
	BASELINE_STORES, /* 64 bytes and a doorbell, stored */
	BASELINE_CLOCK, /* a look at the clock, which latencies contain */
	BASELINE_COUNT,
};

/* Names of the kinds: in JSON, and for people. */
extern const char *const bench_baseline_keys[BASELINE_COUNT];
extern const char *const bench_baseline_names[BASELINE_COUNT];

struct bench_baselines;

/* −ENOMEM. Without io_uring the first two are not measured. */
int bench_baselines_create(struct bench_baselines **out);
void bench_baselines_destroy(struct bench_baselines *baselines);

/* For so many nanoseconds; nanoseconds of each, or NaN for what the machine lacks. */
double bench_baseline_measure(struct bench_baselines *baselines,
			      enum bench_baseline kind, uint64_t duration);

#endif
