/* SPDX-License-Identifier: MIT */
/*
 * dram-replay: replays a request trace on the simulator's DRAM model and prints
 * what came out as JSON, to be compared with an independent simulator's figures.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "sim/dram/replay.h"

static const char usage_text[] =
	"usage: dram-replay --config STANDARD.json [OPTION...] TRACE.csv[.gz]\n"
	"\n"
	"Replays a request trace and prints cycles, bandwidth and latency as JSON.\n"
	"  --policy NAME  reference (the oracle's, the default) or device (our own)\n"
	"  --dependent    a request enters after its predecessor's completion\n"
	"  --think N      clocks between the two\n"
	"  --repeat N     replay N times without the checker and print the speed\n"
	"  --help         print this and exit\n";

struct arguments {
	const char *config;
	const char *trace;
	unsigned int repeat;
	bool help;
	enum dram_policy policy;
	struct dram_replay_options options;
};

static int number_parse(const char *text, uint32_t *out)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > UINT32_MAX)
		return accel_error(-EINVAL, "'%s' is not a number", text);
	*out = (uint32_t)value;
	return 0;
}

static int policy_parse(const char *name, enum dram_policy *out)
{
	if (!strcmp(name, "reference"))
		*out = DRAM_POLICY_REFERENCE;
	else if (!strcmp(name, "device"))
		*out = DRAM_POLICY_DEVICE;
	else
		return accel_error(-EINVAL,
				   "no policy '%s'; there are reference and "
				   "device",
				   name);
	return 0;
}

static int option_take(struct arguments *arguments, int option)
{
	switch (option) {
	case 'c':
		arguments->config = optarg;
		return 0;
	case 'p':
		return policy_parse(optarg, &arguments->policy);
	case 'd':
		arguments->options.dependent = true;
		return 0;
	case 't':
		return number_parse(optarg, &arguments->options.think_clocks);
	case 'r':
		return number_parse(optarg, &arguments->repeat);
	case 'h':
		arguments->help = true;
		return 0;
	default:
		return accel_error(-EINVAL, "see dram-replay --help");
	}
}

static int arguments_parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "policy", required_argument, NULL, 'p' },
		{ "dependent", no_argument, NULL, 'd' },
		{ "think", required_argument, NULL, 't' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	arguments->options.check = true;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		int ret = option_take(arguments, option);

		if (ret)
			return ret;
	}
	if (arguments->help)
		return 0;
	if (!arguments->config || optind + 1 != argc)
		return accel_error(-EINVAL, "needs --config and one trace; see "
					    "dram-replay --help");
	arguments->trace = argv[optind];
	return 0;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void result_print(const struct dram_standard *standard,
			 const struct dram_replay_result *result,
			 double requests_per_second)
{
	uint64_t end = result->cycles > result->last_data_end ?
			       result->cycles :
			       result->last_data_end;
	double busy = (double)result->column_commands * standard->burst_clocks;
	double reads = result->reads ? (double)result->reads : 1;
	json_t *json = json_pack(
		"{s:s, s:I, s:I, s:I, s:f, s:f, s:I, s:s, s:I}", "standard",
		standard->name, "cycles", (json_int_t)result->cycles,
		"last_data_end", (json_int_t)result->last_data_end, "requests",
		(json_int_t)result->requests, "bandwidth_percent",
		end ? 100 * busy / (double)(end * standard->channels) : 0.0,
		"mean_read_latency", (double)result->read_latency_sum / reads,
		"violations", (json_int_t)result->violations, "first_violation",
		result->first_violation, "requests_differing_from_trace",
		(json_int_t)result->differing);

	if (requests_per_second > 0)
		json_object_set_new(json, "requests_per_second",
				    json_real(requests_per_second));
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(json);
}

static int replay_repeat(const struct dram_standard *standard,
			 const struct dram_trace *trace,
			 const struct arguments *arguments, double *speed)
{
	struct dram_replay_options options = arguments->options;
	struct dram_replay_result result;
	double start = seconds_now();

	options.check = false;
	for (unsigned int i = 0; i < arguments->repeat; i++) {
		int ret = dram_replay(standard, trace, &options, &result);

		if (ret)
			return ret;
	}
	*speed = (double)trace->count * arguments->repeat /
		 (seconds_now() - start);
	return 0;
}

static int run(const struct arguments *arguments)
{
	struct dram_standard standard;
	struct dram_replay_result result;
	struct dram_trace trace;
	double speed = 0;
	int ret = dram_standard_load(arguments->config, &standard);

	standard.policy = arguments->policy;
	if (!ret)
		ret = dram_trace_load(arguments->trace, &standard, &trace);
	if (ret)
		return ret;
	ret = dram_replay(&standard, &trace, &arguments->options, &result);
	if (!ret && arguments->repeat)
		ret = replay_repeat(&standard, &trace, arguments, &speed);
	if (!ret)
		result_print(&standard, &result, speed);
	dram_trace_free(&trace);
	return ret;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };

	if (arguments_parse(argc, argv, &arguments)) {
		fprintf(stderr, "dram-replay: %s\n", accel_last_error());
		return 2;
	}
	if (arguments.help) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (run(&arguments)) {
		fprintf(stderr, "dram-replay: %s\n", accel_last_error());
		return 1;
	}
	return 0;
}
