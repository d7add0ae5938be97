/* SPDX-License-Identifier: MIT */
/*
 * Several devices in one process, of different configurations, at work at the same time:
 * each ends as if it were alone.
 */
#include "unit.h"

#include "folder.h"
#include "sim_stream.h"

#include <sim/checkpoint.h>

#include <pthread.h>

#define DEVICES 6
#define SEED 3001

struct runner {
	pthread_t thread;
	uint64_t seed;
	char alone[FOLDER_PATH];
	char together[FOLDER_PATH];
};

static void stream_run(uint64_t seed, const char *path)
{
	struct test_host *host = stream_prepare(seed);

	sim_device_resume(host->device);
	stream_finish(host, 1, path);
	host_stop(host);
}

static void *runner_run(void *argument)
{
	struct runner *runner = argument;

	stream_run(runner->seed, runner->together);
	return NULL;
}

static void devices_do_not_know_of_each_other(void **state)
{
	struct runner runners[DEVICES];

	for (unsigned int i = 0; i < DEVICES; i++) {
		struct runner *runner = &runners[i];

		runner->seed = SEED + i;
		snprintf(runner->alone, FOLDER_PATH, "%s/alone%u",
			 (const char *)*state, i);
		snprintf(runner->together, FOLDER_PATH, "%s/together%u",
			 (const char *)*state, i);
		stream_run(runner->seed, runner->alone);
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		assert_int_equal(pthread_create(&runners[i].thread, NULL,
						runner_run, &runners[i]),
				 0);
	for (unsigned int i = 0; i < DEVICES; i++) {
		assert_int_equal(pthread_join(runners[i].thread, NULL), 0);
		stream_expect_equal(runners[i].alone, runners[i].together);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(devices_do_not_know_of_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
