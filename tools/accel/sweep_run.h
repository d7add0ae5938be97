/* SPDX-License-Identifier: MIT */
/* The points of a sweep, several at a time. */
#ifndef TOOL_SWEEP_RUN_H
#define TOOL_SWEEP_RUN_H

#include "sweep_table.h"
#include "workload.h"

/**
 * struct sweep_run - what is to be run
 * @workload: at every point
 * @base: the configuration that the grid changes
 * @table: gets the results
 * @jobs: points at a time
 * @timeout_seconds: of each run
 * @row: called for every point when it and all before it have their results, in the
 *	order of the points and by the caller's thread; what is not 0 ends the sweep
 * @context: for @row
 */
struct sweep_run {
	const struct workload *workload;
	const struct sim_config *base;
	const struct sweep_table *table;
	uint32_t jobs;
	double timeout_seconds;
	int (*row)(void *context, uint32_t point);
	void *context;
};

/* Shows progress. 0; what @row returned; −ENOMEM, −EAGAIN. */
int sweep_run(const struct sweep_run *run);

#endif
