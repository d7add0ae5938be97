/* SPDX-License-Identifier: MIT */
/* What happened between two moments. */
#ifndef TOOL_TOP_RATE_H
#define TOOL_TOP_RATE_H

#include "stats_print.h"

/**
 * struct top_row - one queue
 * @page: of the later moment
 * @queue: likewise
 * @operations: completed, each second
 * @failures: each second
 * @batch: operations to a batch; 0: none were submitted
 * @sleeps: each second
 * @spin: share of the time that waits span
 * @busy: share of the time that devices worked for the process; −1: unknown
 */
struct top_row {
	const struct stats_page_read *page;
	const struct stats_queue *queue;
	double operations;
	double failures;
	double batch;
	double sleeps;
	double spin;
	double busy;
};

/*
 * Rows, the busiest first, to be freed, and valid as long as now is. NULL: −ENOMEM, with
 * a text. A queue that was not there before counts from 0.
 */
struct top_row *top_rate(const struct stats_snapshot *before,
			 const struct stats_snapshot *now, double seconds,
			 size_t *count);

#endif
