/* SPDX-License-Identifier: MIT */
/* The example of Documentation/simulator.rst compiles, and does what it says. */
#include "unit.h"

#include "folder.h"
#include "sim_host.h"

/* What the example leaves to its host. */
struct host {
	struct test_host *test;
	uint8_t kept[HOST_MEMORY_BYTES];
};

static int host_keep(struct host *host)
{
	memcpy(host->kept, host->test->memory, sizeof(host->kept));
	return 0;
}

static struct sim_host host_callbacks(struct host *host)
{
	return host_calls(host->test);
}

static void host_bring_back(struct host *host)
{
	memcpy(host->test->memory, host->kept, sizeof(host->kept));
}

int boot_save(struct sim_device *device, struct host *host, const char *path);
int boot_restore(const char *path, struct host *host,
		 struct sim_device **device);

#include "checkpoint_example.h"

static int word_run(struct test_host *host, uint64_t value)
{
	const struct spmm_sqe store = { .opcode = SPMM_IO_SEMAPHORE_SIGNAL,
					.address = host_virtual(64),
					.value = value };

	return host_run(host, 1, store, NULL);
}

static uint64_t word(struct test_host *host)
{
	return *(uint64_t *)host_device(host, 64);
}

static void cases_run_from_one_boot(void **state)
{
	const char *path = folder_path(*state, "booted");
	struct test_host *test = host_start(NULL), booted;
	struct host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->test = test;
	host_open_queue(test, 1);
	assert_int_equal(word_run(test, 7), 0);
	assert_int_equal(boot_save(test->device, host, path), 0);
	booted = *test;
	for (uint64_t value = 1; value <= 3; value++) {
		sim_device_destroy(test->device);
		*test = booted;
		assert_int_equal(boot_restore(path, host, &test->device), 0);
		assert_int_equal(word(test), 7);
		assert_int_equal(word_run(test, value), 0);
		assert_int_equal(word(test), value);
	}
	host_stop(test);
	free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(cases_run_from_one_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
