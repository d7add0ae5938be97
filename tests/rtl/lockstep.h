/* SPDX-License-Identifier: MIT */
/*
 * The cluster's C model and, where there is one, its Verilated RTL in lock-step: after
 * each clock all of their signals are the same, or the test fails.
 */
#ifndef RTL_LOCKSTEP_H
#define RTL_LOCKSTEP_H

#include <sim/cluster.h>

#include "unit.h"

/**
 * struct lockstep - both
 * @model: in C
 * @rtl: NULL: the C model alone
 * @library: of the RTL
 * @clock: since the beginning
 * @writes: the next vector's rows of X, one a clock
 * @write_columns: of them
 * @written: so far
 */
struct lockstep {
	struct cluster *model;
	void *rtl;
	void *library;
	uint64_t clock;
	struct cluster_write *writes;
	uint32_t write_columns;
	uint32_t written;
};

/**
 * struct lockstep_counts - clocks of one task
 * @fill: before the first cycle of the schedule is at the banks
 * @cycles: of the schedule, up to the last one in which a lane issued
 * @stalls: clocks in which they stood still
 * @tail: the rest
 */
struct lockstep_counts {
	uint64_t fill;
	uint64_t cycles;
	uint64_t stalls;
	uint64_t tail;
};

/* The RTL is the shared library in the environment's ACCEL_RTL_CLUSTER, if any. */
void lockstep_open(struct lockstep *lockstep);
void lockstep_close(struct lockstep *lockstep);

/* One clock, in which one of the writes is done. */
void lockstep_tick(struct lockstep *lockstep, struct cluster_signals *signals);

/**
 * lockstep_run() - one task until the cluster is not busy
 * @result: called for each vector that leaves
 * @context: of @result
 */
struct lockstep_counts
lockstep_run(struct lockstep *lockstep, const struct cluster_task *task,
	     void (*result)(const struct cluster_signals *, void *context),
	     void *context);

#endif
