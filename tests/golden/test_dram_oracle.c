/* SPDX-License-Identifier: MIT */
/*
 * The DRAM model against the traces of an independent simulator: total cycles
 * equal, every request's issue and completion equal, no violation. The device's own
 * policy violates nothing either, and is nowhere much slower.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/error.h"
#include "sim/dram/replay.h"

static const char *oracle_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/oracle/dram/%s",
		 getenv("ACCEL_SHARED_DIR"), name);
	return path;
}

static json_int_t integer(const json_t *entry, const char *key)
{
	return json_integer_value(json_object_get(entry, key));
}

static uint64_t end_of(const struct dram_replay_result *result)
{
	return result->cycles > result->last_data_end ? result->cycles :
							result->last_data_end;
}

static void check_own_policy(const char *file,
			     const struct dram_standard *standard,
			     const struct dram_trace *trace,
			     const struct dram_replay_options *options,
			     const struct dram_replay_result *reference)
{
	struct dram_standard own = *standard;
	struct dram_replay_result result;

	own.policy = DRAM_POLICY_DEVICE;
	if (dram_replay(&own, trace, options, &result))
		fail_msg("%s", accel_last_error());
	if (result.violations)
		fail_msg("%s: %s", file, result.first_violation);
	if (end_of(&result) * 100 > end_of(reference) * 103)
		fail_msg("%s: %llu cycles, the reference takes %llu", file,
			 (unsigned long long)end_of(&result),
			 (unsigned long long)end_of(reference));
}

static void check_trace(const json_t *entry)
{
	const char *file = json_string_value(json_object_get(entry, "file"));
	const char *mode = json_string_value(json_object_get(entry, "mode"));
	const json_t *name = json_object_get(entry, "standard");
	struct dram_replay_options options = {
		.dependent = !strcmp(mode, "dependent"),
		.think_clocks = (uint32_t)integer(entry, "think_clocks"),
		.check = true,
	};
	struct dram_replay_result result;
	struct dram_standard standard;
	struct dram_trace trace;
	char config[128];

	snprintf(config, sizeof(config), "%s.json", json_string_value(name));
	if (dram_standard_load(oracle_path(config), &standard) ||
	    dram_trace_load(oracle_path(file), &standard, &trace) ||
	    dram_replay(&standard, &trace, &options, &result))
		fail_msg("%s", accel_last_error());
	if (result.violations)
		fail_msg("%s: %s", file, result.first_violation);
	if (result.differing ||
	    result.cycles != (uint64_t)integer(entry, "total_cycles") ||
	    result.last_data_end != (uint64_t)integer(entry, "last_data_end"))
		fail_msg(
			"%s: %llu cycles, the oracle has %lld; %llu requests differ",
			file, (unsigned long long)result.cycles,
			integer(entry, "total_cycles"),
			(unsigned long long)result.differing);
	check_own_policy(file, &standard, &trace, &options, &result);
	dram_trace_free(&trace);
}

static void test_every_trace(void **state)
{
	json_t *index = json_load_file(oracle_path("index.json"), 0, NULL);
	const json_t *traces = json_object_get(index, "traces");
	const json_t *entry;
	size_t i;

	(void)state;
	assert_true(json_array_size(traces) > 0);
	json_array_foreach(traces, i, entry) check_trace(entry);
	json_decref(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
		test_every_trace) };

	if (access(oracle_path("index.json"), R_OK)) {
		printf("SKIP: no %s; set ACCEL_SHARED_DIR\n",
		       oracle_path("index.json"));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
