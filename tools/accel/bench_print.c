/* SPDX-License-Identifier: MIT */
#include "bench_print.h"

#include "json_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Those of the rows that say what one operation costs at best. */
#define ONE 1
#define MANY 32

static void print_heading(const struct bench_report *report)
{
	printf("%s  %s\n", report->device.uri, report->device.name);
	printf("%s", report->operation);
	if (report->bytes)
		printf(" of %" PRIu64 " bytes", report->bytes);
	printf(", %d repetitions in turns, ", BENCH_REPETITIONS);
	if (report->series->cpu >= 0)
		printf("pinned to processor %d\n\n", report->series->cpu);
	else
		printf("not pinned to one processor\n\n");
}

static void print_point(const struct bench_point *point, uint64_t bytes)
{
	const struct histogram *latency = &point->latency;
	struct bench_spread ns = bench_spread(point->ns);

	printf("%5" PRIu32 " %5" PRIu32 " %9.1f %9.1f %9.1f %9.3f",
	       point->batch, point->depth, ns.median, ns.least, ns.most,
	       1e3 / ns.median);
	if (bytes)
		printf(" %8.3f", (double)bytes / ns.median);
	printf("  %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
	       "\n",
	       histogram_percentile(latency, 0.5),
	       histogram_percentile(latency, 0.9),
	       histogram_percentile(latency, 0.99),
	       histogram_percentile(latency, 0.999), latency->most);
}

static void print_points(const struct bench_report *report)
{
	const struct bench_series *series = report->series;

	printf("%5s %5s %9s %9s %9s %9s", "batch", "depth", "ns each", "least",
	       "most", "M/s");
	if (report->bytes)
		printf(" %8s", "GB/s");
	printf("  %9s %9s %9s %9s %9s\n", "p50 ns", "p90", "p99", "p99.9",
	       "max");
	for (uint32_t i = 0; i < series->count; i++)
		print_point(&series->points[i], report->bytes);
}

static void print_histograms(const struct bench_series *series)
{
	for (uint32_t i = 0; i < series->count; i++) {
		const struct bench_point *point = &series->points[i];

		printf("\nlatency, batch %" PRIu32 ", depth %" PRIu32
		       ", from before the submission until it was reaped:\n",
		       point->batch, point->depth);
		histogram_print(&point->latency, stdout);
	}
}

static void print_figure(const char *name, double ns)
{
	if (isnan(ns))
		printf("  %-42s not available here\n", name);
	else
		printf("  %-42s %9.1f\n", name, ns);
}

static void print_baselines(const struct bench_series *series)
{
	printf("\nin the same run, ns each:\n");
	print_figure("this device, submit + reap, batch 1",
		     bench_series_find(series, ONE, ONE));
	print_figure("this device, submit + reap, batch 32",
		     bench_series_find(series, MANY, MANY));
	for (unsigned int i = 0; i < BASELINE_COUNT; i++)
		print_figure(bench_baseline_names[i],
			     bench_spread(series->baselines[i]).median);
}

void bench_print(const struct bench_report *report)
{
	print_heading(report);
	print_points(report);
	print_histograms(report->series);
	if (report->series->has_baselines)
		print_baselines(report->series);
}

static json_t *point_json(const struct bench_point *point, uint64_t bytes)
{
	struct bench_spread ns = bench_spread(point->ns);
	json_t *value = json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:o}",
				  "batch", (json_int_t)point->batch, "depth",
				  (json_int_t)point->depth, "ns_per_op",
				  ns.median, "ns_per_op_min", ns.least,
				  "ns_per_op_max", ns.most, "ops_per_second",
				  1e9 / ns.median, "latency_ns",
				  histogram_json(&point->latency));

	if (bytes)
		json_object_set_new(value, "bytes_per_second",
				    json_real((double)bytes * 1e9 / ns.median));
	return value;
}

static void add_baselines(const struct bench_series *series, json_t *value)
{
	json_object_set_new(value, "ns_per_op_batch1",
			    json_finite(bench_series_find(series, ONE, ONE)));
	json_object_set_new(value, "ns_per_op_batch32",
			    json_finite(bench_series_find(series, MANY, MANY)));
	for (unsigned int i = 0; i < BASELINE_COUNT; i++)
		json_object_set_new(
			value, bench_baseline_keys[i],
			json_finite(bench_spread(series->baselines[i]).median));
}

int bench_print_json(const struct bench_report *report)
{
	const struct bench_series *series = report->series;
	json_t *points = json_array();
	json_t *value;

	for (uint32_t i = 0; i < series->count; i++)
		json_array_append_new(points, point_json(&series->points[i],
							 report->bytes));
	value = json_pack(
		"{s:s, s:s, s:s, s:I, s:f, s:i, s:o, s:o}", "uri",
		report->device.uri, "backend", report->device.backend,
		"operation", report->operation, "bytes",
		(json_int_t)report->bytes, "seconds_per_point", series->seconds,
		"repetitions", BENCH_REPETITIONS, "cpu",
		series->cpu < 0 ? json_null() : json_integer(series->cpu),
		"points", points);
	if (value && series->has_baselines)
		add_baselines(series, value);
	return json_print(value);
}
