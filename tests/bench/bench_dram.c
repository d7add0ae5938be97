/* SPDX-License-Identifier: MIT */
/*
 * The DRAM model on the oracle's traces: with the reference's policy its cycles against
 * those of an independent simulator, with the device's own policy the gain, violations
 * of any timing constraint by either, and requests per second on one core.
 *
 * usage: bench_dram; the traces are those of ACCEL_SHARED_DIR/oracle/dram.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "core/error.h"
#include "sim/dram/replay.h"

/* How long each trace is replayed for its speed. */
#define REPEAT_NS 60000000ull

#define BAR_PERCENT 2.0
#define BAR_SPEED 5e6

/**
 * struct figures - sums over the traces
 * @worst: largest difference in percent
 * @violations: with either policy
 * @gain: sum of log(ours ÷ reference)
 * @requests: in one replay of each
 * @seconds: for them
 * @slowest: requests per second
 */
struct figures {
	unsigned int traces;
	double worst;
	uint64_t violations;
	double gain;
	double requests;
	double seconds;
	double slowest;
};

static const char *oracle_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/oracle/dram/%s",
		 getenv("ACCEL_SHARED_DIR"), name);
	return path;
}

/*
 * Processor time, and below the fastest of many replays: others have the machine and
 * its caches, too.
 */
static uint64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int replay_seconds(const struct dram_standard *standard,
			  const struct dram_trace *trace,
			  struct dram_replay_options options, double *seconds)
{
	uint64_t end = processor_ns() + REPEAT_NS;
	uint64_t fastest = UINT64_MAX;
	struct dram_replay_result result;
	uint64_t begin, now;

	options.check = false;
	for (now = processor_ns(); now < end;) {
		int ret;

		begin = now;
		ret = dram_replay(standard, trace, &options, &result);
		if (ret)
			return ret;
		now = processor_ns();
		if (now - begin < fastest)
			fastest = now - begin;
	}
	*seconds = (double)fastest * 1e-9;
	return 0;
}

/* Until the last request has completed and the last data have moved. */
static double end_of(const struct dram_replay_result *result)
{
	return (double)(result->cycles > result->last_data_end ?
				result->cycles :
				result->last_data_end);
}

static void trace_report(const json_t *entry, struct figures *figures,
			 const struct dram_replay_result *reference,
			 const struct dram_replay_result *own, double seconds)
{
	const char *name = json_string_value(json_object_get(entry, "trace"));
	const char *standard =
		json_string_value(json_object_get(entry, "standard"));
	double oracle = (double)json_integer_value(
		json_object_get(entry, "total_cycles"));
	double percent = 100 * ((double)reference->cycles / oracle - 1);
	double gain = end_of(own) / end_of(reference);
	double speed = (double)reference->requests / seconds;

	printf("%-12s %-19s %7.0f %7.0f %+6.2f %4llu %8.0f %+7.2f %4llu %7.2f\n",
	       standard, name, oracle, (double)reference->cycles, percent,
	       (unsigned long long)reference->violations, end_of(own),
	       100 * (gain - 1), (unsigned long long)own->violations,
	       speed * 1e-6);
	figures->traces++;
	figures->worst = fmax(figures->worst, fabs(percent));
	figures->violations += reference->violations + own->violations;
	figures->gain += log(gain);
	figures->requests += (double)reference->requests;
	figures->seconds += seconds;
	if (figures->traces == 1 || speed < figures->slowest)
		figures->slowest = speed;
}

static int trace_measure(const json_t *entry, struct figures *figures)
{
	const char *file = json_string_value(json_object_get(entry, "file"));
	const char *mode = json_string_value(json_object_get(entry, "mode"));
	const char *name =
		json_string_value(json_object_get(entry, "standard"));
	struct dram_replay_options options = {
		.dependent = mode && !strcmp(mode, "dependent"),
		.think_clocks = (uint32_t)json_integer_value(
			json_object_get(entry, "think_clocks")),
		.check = true,
	};
	struct dram_replay_result reference, own;
	struct dram_standard standard;
	struct dram_trace trace;
	double seconds = 0;
	char config[128];
	int ret;

	snprintf(config, sizeof(config), "%s.json", name);
	ret = dram_standard_load(oracle_path(config), &standard);
	if (!ret)
		ret = dram_trace_load(oracle_path(file), &standard, &trace);
	if (ret)
		return ret;
	ret = dram_replay(&standard, &trace, &options, &reference);
	if (!ret)
		ret = replay_seconds(&standard, &trace, options, &seconds);
	standard.policy = DRAM_POLICY_DEVICE;
	if (!ret)
		ret = dram_replay(&standard, &trace, &options, &own);
	if (!ret)
		trace_report(entry, figures, &reference, &own, seconds);
	dram_trace_free(&trace);
	return ret;
}

static const char *verdict(bool held)
{
	return held ? "held" : "NOT held";
}

static void figures_print(const struct figures *figures)
{
	double speed = figures->requests / figures->seconds;
	double gain = exp(figures->gain / figures->traces);

	printf("\ncycles within %.0f %% of the oracle's on every trace: %s (largest %.2f %% of %u traces)\n",
	       BAR_PERCENT, verdict(figures->worst <= BAR_PERCENT),
	       figures->worst, figures->traces);
	printf("no violation of a timing constraint: %s (%llu)\n",
	       verdict(!figures->violations),
	       (unsigned long long)figures->violations);
	printf("the device's policy takes %.2f %% less time in the geometric mean\n",
	       100 * (1 - gain));
	printf("at least %.0f M requests/s on one core: %s (%.2f M over all traces, %.2f M on the slowest)\n",
	       BAR_SPEED * 1e-6, verdict(speed >= BAR_SPEED), speed * 1e-6,
	       figures->slowest * 1e-6);
}

int main(void)
{
	struct figures figures = { 0 };
	const json_t *entry;
	json_t *index;
	size_t i;

	if (!getenv("ACCEL_SHARED_DIR") ||
	    access(oracle_path("index.json"), R_OK)) {
		printf("SKIP: no oracle/dram/index.json; set ACCEL_SHARED_DIR\n");
		return 77;
	}
	index = json_load_file(oracle_path("index.json"), 0, NULL);
	printf("%-12s %-19s %7s %7s %6s %4s %8s %7s %4s %7s\n", "standard",
	       "trace", "oracle", "ours", "%", "viol", "device's", "%", "viol",
	       "M req/s");
	json_array_foreach(json_object_get(index, "traces"), i, entry)
	{
		if (!trace_measure(entry, &figures))
			continue;
		fprintf(stderr, "bench_dram: %s\n", accel_last_error());
		json_decref(index);
		return 1;
	}
	json_decref(index);
	figures_print(&figures);
	return 0;
}
