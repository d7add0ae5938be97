/* SPDX-License-Identifier: MIT */
/*
 * What the library adds to an operation: submission and reaping on a device that does
 * nothing, and the stores of one submission, each beside its bar. All figures come from
 * one run, in turns.
 */
#include <accel/error.h>
#include <bench_series.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ONE 1
#define MANY 32
#define SECONDS 1.0

/* Nanoseconds for each operation; more is allowed where io_uring itself takes long. */
#define ONE_BAR 50.0
#define MANY_BAR 25.0
#define URING_SHARE 0.25
#define STORES_BAR 2.0

static bool row(const char *name, double value, double bar, const char *unit)
{
	bool met = value <= bar;

	printf("%-52s %8.2f %8.2f %s  %s\n", name, value, bar, unit,
	       met ? "met" : "MISSED");
	return met;
}

static double larger(double a, double b)
{
	/* Of NaN, which a machine without io_uring has, the other. */
	return fmax(a, b);
}

static bool bars_print(const struct bench_series *series)
{
	double ns[BASELINE_COUNT];
	bool met;

	for (unsigned int i = 0; i < BASELINE_COUNT; i++)
		ns[i] = bench_spread(series->baselines[i]).median;
	printf("%-52s %8s %8s\n", "", "measured", "bar");
	met = row("nil: submit + reap, batch 1",
		  bench_series_find(series, ONE, ONE),
		  larger(ONE_BAR, URING_SHARE * ns[BASELINE_URING_BATCH1]),
		  "ns");
	met &= row("nil: submit + reap, batch 32",
		   bench_series_find(series, MANY, MANY),
		   larger(MANY_BAR, URING_SHARE * ns[BASELINE_URING_BATCH32]),
		   "ns");
	met &= row("entry + fence + doorbell / bare stores",
		   ns[BASELINE_ENTRY] / ns[BASELINE_STORES], STORES_BAR, " x");
	for (unsigned int i = 0; i < BASELINE_COUNT; i++)
		printf("%-52s %8.2f          ns\n", bench_baseline_names[i],
		       ns[i]);
	return met;
}

static int queue_measure(struct accel_device *device,
			 struct bench_series *series)
{
	static struct accel_operation operations[2 * MANY];
	static struct accel_completion completions[MANY];
	static uint64_t starts[MANY];
	struct bench_queue queue = {
		.load = { .depth = MANY, .operations = operations },
		.completions = completions,
		.starts = starts,
		.patience_ns = ACCEL_SECOND,
	};
	int ret = accel_queue_create(device, NULL, &queue.queue);

	if (!ret)
		ret = bench_series_run(series, &queue);
	accel_queue_destroy(queue.queue);
	return ret;
}

int main(void)
{
	static struct bench_point points[] = {
		{ .batch = ONE, .depth = ONE },
		{ .batch = MANY, .depth = MANY },
	};
	struct bench_series series = {
		.points = points,
		.count = 2,
		.seconds = SECONDS,
		.has_baselines = true,
	};
	struct accel_device *device = NULL;
	int ret = accel_device_open("nil:", NULL, &device);

	if (!ret)
		ret = queue_measure(device, &series);
	accel_device_close(device);
	if (ret) {
		fprintf(stderr, "bench_queue: %s\n", accel_last_error());
		return EXIT_FAILURE;
	}
	return bars_print(&series) ? EXIT_SUCCESS : EXIT_FAILURE;
}
