/* SPDX-License-Identifier: MIT */
/* accel top: what the queues of all processes do, now. */
#include "command.h"
#include "options.h"
#include "top_rate.h"
#include "top_screen.h"

#include <core/deadline.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Faster than that nobody can read, and reading all pages takes time, too. */
#define INTERVAL_MIN 0.05

/* Of the screen: the heading, and the line that the cursor is on. */
#define LINES_BESIDE_ROWS 2

/**
 * struct top - what is watched
 * @interval: between two moments, in seconds
 * @count: tables to show; 0: until somebody quits
 * @uri: of the only device, or NULL
 * @is_screen: on a terminal
 */
struct top {
	double interval;
	int64_t count;
	const char *uri;
	bool is_screen;
};

static void print_row(const struct top_row *row)
{
	printf("%8u %-15s %5u %11.0f %9" PRIu64 " %7.1f %9.0f %6.1f ",
	       row->page->pid, row->page->program, row->queue->number,
	       row->operations, stats_queue_outstanding(row->queue), row->batch,
	       row->sleeps, 100 * row->spin);
	if (row->busy >= 0)
		printf("%6.1f ", 100 * row->busy);
	else
		printf("%6s ", "-");
	printf("%8.0f  %s\n", row->failures, row->page->uri);
}

static void print_rows(const struct top *top, const struct stats_snapshot *now,
		       const struct top_row *rows, size_t count)
{
	size_t most = count;
	int lines;

	if (top->is_screen) {
		top_screen_clear();
		lines = top_screen_lines() - LINES_BESIDE_ROWS -
			(int)now->node_count;
		if (lines < 0)
			lines = 0;
		if ((size_t)lines < most)
			most = (size_t)lines;
	}
	stats_print_nodes(now);
	printf("%8s %-15s %5s %11s %9s %7s %9s %6s %6s %8s  %s\n", "pid",
	       "program", "queue", "ops/s", "in flight", "batch", "sleeps/s",
	       "spin%", "busy%", "fails/s", "device");
	for (size_t i = 0; i < most; i++)
		print_row(&rows[i]);
}

static int show(const struct top *top, const struct stats_snapshot *before,
		const struct stats_snapshot *now, uint64_t elapsed_ns)
{
	size_t count;
	struct top_row *rows =
		top_rate(before, now, (double)elapsed_ns / 1e9, &count);

	if (!rows)
		return -1;
	print_rows(top, now, rows, count);
	free(rows);
	return fflush(stdout);
}

/* 0 also when nobody reads the output any more: that is said where it is closed. */
static int watch(const struct top *top)
{
	struct stats_snapshot snapshots[2];
	uint64_t times[2];
	int64_t shown = 0;
	int which = 0;
	int ret = stats_snapshot_take(&snapshots[0], top->uri);

	if (ret)
		return ret;
	times[0] = monotonic_ns();
	while ((!top->count || shown++ < top->count) &&
	       top_screen_wait(top->interval)) {
		ret = stats_snapshot_take(&snapshots[!which], top->uri);
		if (ret)
			break;
		times[!which] = monotonic_ns();
		ret = show(top, &snapshots[which], &snapshots[!which],
			   times[!which] - times[which]);
		stats_snapshot_free(&snapshots[which]);
		which = !which;
		if (ret || ferror(stdout)) {
			ret = ferror(stdout) ? 0 : ret;
			break;
		}
	}
	stats_snapshot_free(&snapshots[which]);
	return ret;
}

int command_top(int count, char **arguments)
{
	struct top top = { .interval = 1 };
	const struct option options[] = {
		{ "interval", 0, OPTION_SECONDS, &top.interval, "S",
		  "seconds from table to table; 1" },
		{ "count", 0, OPTION_COUNT, &top.count, "N",
		  "end after so many tables" },
		{ "device", 0, OPTION_TEXT, &top.uri, "URI",
		  "only of this device, as programs have named it" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "top",
		.synopsis = "[--interval S] [--count N] [--device URI]",
		.about =
			"Shows what the queues of all running programs do; q quits. Where the output is no\n"
			"terminal the tables follow one another.",
		.options = options,
	};
	int status, ret;

	if (!options_parse(&usage, count, arguments, NULL, &status))
		return status;
	if (top.interval < INTERVAL_MIN)
		return options_misuse(&usage, "--interval %g: at least %g",
				      top.interval, INTERVAL_MIN);
	top.is_screen = top_screen_open();
	ret = watch(&top);
	top_screen_close();
	return ret ? command_fail("top") : STATUS_OK;
}
