/* SPDX-License-Identifier: MIT */
/*
 * accel bench: what submitting and completing operations costs, over batch and queue
 * depth. What can be wrong with the command line shows before the device is opened.
 */
#include "bench_print.h"
#include "command.h"
#include "options.h"

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES_DEFAULT "1,8,32"
#define DEPTHS_DEFAULT "1,32,128"
#define SECONDS_DEFAULT 0.2
#define TIMEOUT_DEFAULT 10
#define BYTES_DEFAULT 4096
#define SIZES_MAX 16
#define DEPTH_MOST 65536

/** struct sizes - numbers of a list such as 1,8,32 */
struct sizes {
	uint32_t values[SIZES_MAX];
	uint32_t count;
};

/** struct bench_arguments - the command line */
struct bench_arguments {
	const char *model;
	const char *device;
	const char *operation;
	const char *batch;
	const char *depth;
	struct inputs_source source;
	struct sizes batches;
	struct sizes depths;
	int64_t bytes;
	double seconds;
	double timeout;
	bool json;
};

static const char *const operation_names[] = {
	[BENCH_NOP] = "nop",
	[BENCH_COPY] = "copy",
	[BENCH_RUN] = "run",
};

#define OPERATION_COUNT (sizeof(operation_names) / sizeof(*operation_names))

/* The operation of a name, or −1. */
static int operation_find(const char *name)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++)
		if (!strcmp(operation_names[i], name))
			return (int)i;
	return -1;
}

static bool sizes_parse(const char *text, struct sizes *sizes)
{
	sizes->count = 0;
	for (;;) {
		char *end;
		unsigned long number;

		if (*text < '0' || *text > '9' || sizes->count == SIZES_MAX)
			return false;
		number = strtoul(text, &end, 10);
		if (!number || number > DEPTH_MOST)
			return false;
		sizes->values[sizes->count++] = (uint32_t)number;
		if (!*end)
			return true;
		if (*end != ',')
			return false;
		text = end + 1;
	}
}

/* STATUS_OK or STATUS_USAGE. */
static int arguments_check(struct bench_arguments *line,
			   const struct option_usage *usage)
{
	int operation = operation_find(line->operation);

	if (operation < 0)
		return options_misuse(usage, "--operation %s: nop, copy or run",
				      line->operation);
	if (operation == BENCH_RUN && !line->model)
		return options_misuse(usage, "--operation run needs a MODEL");
	if (operation != BENCH_RUN && line->model)
		return options_misuse(usage, "MODEL goes with --operation run");
	if (!sizes_parse(line->batch, &line->batches))
		return options_misuse(
			usage, "--batch %s: numbers up to %u, such as 1,8,32",
			line->batch, DEPTH_MOST);
	if (!sizes_parse(line->depth, &line->depths))
		return options_misuse(
			usage, "--depth %s: numbers up to %u, such as 1,32,128",
			line->depth, DEPTH_MOST);
	if (!line->seconds)
		return options_misuse(usage,
				      "--seconds 0: nothing is measured");
	return STATUS_OK;
}

static bool has_point(const struct bench_series *series, uint32_t batch,
		      uint32_t depth)
{
	for (uint32_t i = 0; i < series->count; i++)
		if (series->points[i].batch == batch &&
		    series->points[i].depth == depth)
			return true;
	return false;
}

static void add_point(struct bench_series *series, uint32_t batch,
		      uint32_t depth)
{
	struct bench_point *point = &series->points[series->count];

	if (batch > depth || has_point(series, batch, depth) ||
	    series->count == BENCH_POINTS_MAX)
		return;
	point->batch = batch;
	point->depth = depth;
	series->count++;
}

/* Each batch at each depth that holds it; of depths, those that the device has. */
static int series_plan(struct bench_series *series,
		       const struct bench_arguments *line,
		       const struct accel_device_info *info)
{
	uint32_t most = info->queue_depth;

	for (uint32_t d = 0; d < line->depths.count; d++)
		for (uint32_t b = 0; b < line->batches.count; b++)
			if (line->depths.values[d] <= most)
				add_point(series, line->batches.values[b],
					  line->depths.values[d]);
	if (series->has_baselines) {
		add_point(series, 1, 1);
		add_point(series, 32, 32);
	}
	if (series->count)
		return 0;
	return accel_error(
		-EINVAL,
		"no batch of %s fits into a depth of %s on a device that has %u",
		line->batch, line->depth, most);
}

/* The queue is created before the thread is pinned: what it starts must not be. */
static int queue_open(struct accel_device *device,
		      const struct bench_arguments *line,
		      const struct workload *workload, uint32_t depth,
		      struct bench_queue *queue)
{
	const struct bench_load_options options = {
		.operation =
			(enum bench_operation)operation_find(line->operation),
		.bytes = (uint64_t)line->bytes,
		.workload = workload,
	};
	const struct accel_queue_options queue_options = {
		.size = sizeof(queue_options), .depth = depth
	};
	int ret = bench_load_create(device, &options, depth, &queue->load);

	if (ret)
		return ret;
	queue->patience_ns = (int64_t)(line->timeout * 1e9);
	queue->completions = calloc(depth, sizeof(*queue->completions));
	queue->starts = calloc(depth, sizeof(*queue->starts));
	if (!queue->completions || !queue->starts)
		return accel_error(-ENOMEM, "no memory for %u completions",
				   depth);
	return accel_queue_create(device, &queue_options, &queue->queue);
}

/* The queue first: it lets go of what the load consists of. */
static void queue_close(struct bench_queue *queue)
{
	accel_queue_destroy(queue->queue);
	bench_load_destroy(&queue->load);
	free(queue->completions);
	free(queue->starts);
}

static int report_print(const struct bench_report *report, bool json)
{
	if (json)
		return bench_print_json(report);
	bench_print(report);
	return 0;
}

static int bench_device(const struct bench_arguments *line,
			const struct workload *workload,
			struct accel_device *device,
			struct bench_series *series)
{
	struct bench_queue queue = { .queue = NULL };
	struct bench_report report = {
		.device = { .size = sizeof(report.device) },
		.operation = line->operation,
		.series = series,
	};
	int ret = accel_device_get_info(device, &report.device);

	if (ret)
		return ret;
	series->seconds = line->seconds;
	series->has_baselines = !strcmp(report.device.backend, "nil");
	if (!strcmp(line->operation, operation_names[BENCH_COPY]))
		report.bytes = (uint64_t)line->bytes;
	ret = series_plan(series, line, &report.device);
	if (!ret)
		ret = queue_open(device, line, workload,
				 bench_series_depth(series), &queue);
	if (!ret)
		ret = bench_series_run(series, &queue);
	if (!ret)
		ret = report_print(&report, line->json);
	queue_close(&queue);
	return ret;
}

static int bench(const struct bench_arguments *line)
{
	struct bench_series series = { .points = NULL };
	struct workload workload = { .model = NULL };
	struct accel_device *device = NULL;
	int ret = 0;

	series.points = calloc(BENCH_POINTS_MAX, sizeof(*series.points));
	if (!series.points)
		return accel_error(-ENOMEM, "no memory for the figures");
	if (line->model)
		ret = workload_load(&workload, line->model, &line->source);
	if (!ret)
		ret = accel_device_open(line->device, NULL, &device);
	if (!ret)
		ret = bench_device(line, &workload, device, &series);
	accel_device_close(device);
	if (line->model)
		workload_release(&workload);
	free(series.points);
	return ret;
}

int command_bench(int count, char **arguments)
{
	struct bench_arguments line = {
		.device = "sim:",
		.operation = operation_names[BENCH_NOP],
		.batch = BATCHES_DEFAULT,
		.depth = DEPTHS_DEFAULT,
		.source = { .batch = 1, .fill = true },
		.bytes = BYTES_DEFAULT,
		.seconds = SECONDS_DEFAULT,
		.timeout = TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "sim:[FILE] (default), nil:, or another" },
		{ "operation", 0, OPTION_TEXT, &line.operation, "nop|copy|run",
		  "what is submitted (nop)" },
		{ "batch", 0, OPTION_TEXT, &line.batch, "N,...",
		  "operations of a submission (" BATCHES_DEFAULT ")" },
		{ "depth", 0, OPTION_TEXT, &line.depth, "N,...",
		  "operations outstanding (" DEPTHS_DEFAULT ")" },
		{ "bytes", 0, OPTION_COUNT, &line.bytes, "N",
		  "of a copy to the device (4096)" },
		{ "seconds", 0, OPTION_SECONDS, &line.seconds, "SECONDS",
		  "for each batch and depth (0.2)" },
		{ "timeout", 0, OPTION_SECONDS, &line.timeout, "SECONDS",
		  "longest wait for a completion (10)" },
		{ "latents", 0, OPTION_COUNT, &line.source.batch, "N",
		  "batch of MODEL (1)" },
		{ "json", 0, OPTION_FLAG, &line.json, NULL,
		  "print it as JSON, histograms in full" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "bench",
		.synopsis = "[MODEL] [--device URI] [OPTION ...]",
		.about =
			"Measures latency and throughput of a device's queue over batch and depth;\n"
			"on nil: also beside io_uring and bare memory.",
		.options = options,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.model, &status))
		return status;
	status = arguments_check(&line, &usage);
	if (status)
		return status;
	return bench(&line) ? command_fail("bench") : STATUS_OK;
}
