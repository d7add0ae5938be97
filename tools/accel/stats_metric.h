/* SPDX-License-Identifier: MIT */
/* The counters of a queue, and what to call them. */
#ifndef TOOL_STATS_METRIC_H
#define TOOL_STATS_METRIC_H

#include "stats_file.h"

/**
 * struct stats_metric - one of them; a NULL name ends a list
 * @name: as struct accel_queue_stats has it; in JSON
 * @prom: in Prometheus, behind "accel_queue_"
 * @help: one line
 * @offset: in struct queue_counters
 * @nanoseconds: it is a time
 * @gauge: it may fall
 */
struct stats_metric {
	const char *name;
	const char *prom;
	const char *help;
	size_t offset;
	bool nanoseconds;
	bool gauge;
};

extern const struct stats_metric stats_metrics[];

uint64_t stats_metric_value(const struct stats_metric *metric,
			    const struct queue_counters *counters);

#endif
