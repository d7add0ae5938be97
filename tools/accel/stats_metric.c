/* SPDX-License-Identifier: MIT */
#include "stats_metric.h"

#include <string.h>

#define COUNTER(member, text)                                      \
	{                                                          \
		.name = #member, .prom = #member "_total",         \
		.offset = offsetof(struct queue_counters, member), \
		.help = text,                                      \
	}

const struct stats_metric stats_metrics[] = {
	COUNTER(submitted, "Operations that were accepted."),
	COUNTER(batches, "Calls that submitted operations."),
	COUNTER(doorbells, "Times that the device was told of operations."),
	COUNTER(reports, "Times that the device was told what was taken."),
	COUNTER(completed, "Operations that were reaped."),
	COUNTER(failed, "Operations that were reaped and had failed."),
	COUNTER(reaps, "Looks for completions that found some."),
	COUNTER(empty_reaps, "Looks for completions that found none."),
	COUNTER(spins, "Waits that began to spin."),
	{ .name = "spin_ns",
	  .prom = "spin_seconds_total",
	  .offset = offsetof(struct queue_counters, spin_ns),
	  .help = "Time that waits spent on spinning.",
	  .nanoseconds = true },
	COUNTER(sleeps, "Times that a wait slept."),
	COUNTER(wakeups, "Sleeps after which there was a completion."),
	{ .name = "wait_ns",
	  .prom = "wait_seconds",
	  .offset = offsetof(struct queue_counters, wait_ns),
	  .help = "How long the next wait is expected to take.",
	  .nanoseconds = true,
	  .gauge = true },
	{ .name = NULL },
};

uint64_t stats_metric_value(const struct stats_metric *metric,
			    const struct queue_counters *counters)
{
	uint64_t value;

	memcpy(&value, (const char *)counters + metric->offset, sizeof(value));
	return value;
}
