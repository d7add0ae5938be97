/* SPDX-License-Identifier: MIT */
/*
 * The library on a simulated device that a fault script breaks: the documented error in
 * time, and a device that works again after the documented remedy.
 */
#include "folder.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <accel/accel.h>
#include <core/deadline.h>

#define MS 1000000ull

/* Of a queue without progress. */
#define STALL (600 * ACCEL_MILLISECOND)
#define PATIENCE (20 * ACCEL_SECOND)

/* An admin command is given up after 10 s. */
#define IN_TIME (15000 * MS)

struct bench {
	struct accel_device *device;
	struct accel_queue *queue;
	uint64_t start;
};

static struct accel_device *open_with(const char *folder, const char *rule)
{
	struct accel_device_options options = { .size = sizeof(options),
						.stall_timeout_ns = STALL };
	const char *path = folder_path(folder, "script");
	char uri[FOLDER_PATH + 16];
	struct accel_device *device;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "fault: %s armed\n", rule);
	assert_int_equal(fclose(file), 0);
	snprintf(uri, sizeof(uri), "sim:?fault=%s", path);
	if (accel_device_open(uri, &options, &device))
		fail_msg("%s: %s", rule, accel_last_error());
	return device;
}

static void bench_open(struct bench *bench, const char *folder,
		       const char *rule)
{
	bench->device = open_with(folder, rule);
	assert_int_equal(accel_queue_create(bench->device, NULL, &bench->queue),
			 0);
	bench->start = monotonic_ns();
}

static void bench_close(struct bench *bench)
{
	assert_true(monotonic_ns() - bench->start < IN_TIME);
	accel_queue_destroy(bench->queue);
	accel_device_close(bench->device);
}

static void says(const char *words)
{
	if (!strstr(accel_last_error(), words))
		fail_msg("\"%s\" does not say \"%s\"", accel_last_error(),
			 words);
}

static void submit(struct bench *bench, uint32_t count)
{
	struct accel_operation operations[4] = { { .user_data = 0 } };

	for (uint32_t i = 0; i < count; i++)
		operations[i].opcode = ACCEL_OPERATION_NOP;
	assert_int_equal(accel_queue_submit(bench->queue, operations, count),
			 count);
}

/* One operation, to its end: how it completed. */
static int run(struct bench *bench)
{
	struct accel_completion completion;

	submit(bench, 1);
	assert_int_equal(
		accel_queue_wait(bench->queue, &completion, 1, 1, PATIENCE), 1);
	return completion.status;
}

/* What is outstanding was lost by a reset. */
static void lost(struct bench *bench, uint32_t count)
{
	struct accel_completion completions[4];

	assert_int_equal(accel_queue_reap(bench->queue, completions, 4), count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(completions[i].status, -ECANCELED);
}

/* The wait fails, and a reset of the device is the remedy. */
static void needs_a_reset(const char *folder, const char *rule, uint32_t good,
			  int error, const char *words)
{
	struct accel_completion completion;
	struct bench bench;

	bench_open(&bench, folder, rule);
	submit(&bench, 2);
	for (uint32_t i = 0; i < good; i++) {
		assert_int_equal(accel_queue_wait(bench.queue, &completion, 1,
						  1, PATIENCE),
				 1);
		assert_int_equal(completion.status, 0);
	}
	assert_int_equal(accel_queue_wait(bench.queue, &completion, 1, 1,
					  PATIENCE),
			 error);
	says(words);
	/* It stays so. */
	assert_int_equal(accel_queue_wait(bench.queue, &completion, 1, 1,
					  PATIENCE),
			 error);
	assert_int_equal(accel_device_reset(bench.device), 0);
	lost(&bench, 2 - good);
	assert_int_equal(run(&bench), 0);
	bench_close(&bench);
}

static void what_a_reset_heals(void **state)
{
	needs_a_reset(*state, "fatal on nop", 0, -EIO, "fatal error");
	needs_a_reset(*state, "gone on nop", 0, -ENODEV, "gone");
	needs_a_reset(*state, "hang on nop until device", 0, -EIO,
		      "no progress");
	needs_a_reset(*state, "hang engine on nop until device", 0, -EIO,
		      "no progress");
	needs_a_reset(*state, "corrupt phase on nop", 0, -EIO, "no progress");
}

static void completions_are_not_trusted(void **state)
{
	const char *words = "whose turn it was";

	needs_a_reset(*state, "corrupt id on nop", 0, -EIO, words);
	needs_a_reset(*state, "corrupt head on nop after 1", 1, -EIO, words);
	needs_a_reset(*state, "corrupt queue on nop", 0, -EIO, words);
	needs_a_reset(*state, "repeat on nop", 1, -EIO, words);
	needs_a_reset(*state, "drop on nop", 0, -EIO, words);
}

static void a_cancelled_hang_is_over(void **state)
{
	struct accel_completion completion;
	struct bench bench;

	bench_open(&bench, *state, "hang on nop");
	submit(&bench, 1);
	assert_int_equal(accel_queue_wait(bench.queue, &completion, 1, 1,
					  PATIENCE),
			 -EIO);
	says("no progress");
	assert_int_equal(accel_queue_cancel(bench.queue, PATIENCE), 0);
	lost(&bench, 1);
	assert_int_equal(run(&bench), 0);
	bench_close(&bench);
}

/* Nobody answers the ABORT: cancelling resets the device. */
static void a_hang_that_survives_is_reset(void **state)
{
	struct accel_completion completion;
	struct bench bench;

	bench_open(&bench, *state, "hang on nop until device");
	submit(&bench, 1);
	assert_int_equal(accel_queue_wait(bench.queue, &completion, 1, 1,
					  PATIENCE),
			 -EIO);
	assert_int_equal(accel_queue_cancel(bench.queue, PATIENCE), -ETIMEDOUT);
	says("was reset");
	lost(&bench, 1);
	assert_int_equal(run(&bench), 0);
	bench_close(&bench);
}

/* The operation fails, and the queue goes on. */
static void fails_alone(const char *folder, const char *rule, const char *words)
{
	struct bench bench;

	bench_open(&bench, folder, rule);
	assert_int_equal(run(&bench), -EIO);
	says(words);
	assert_int_equal(run(&bench), 0);
	bench_close(&bench);
}

static void failures_of_one_operation(void **state)
{
	fails_alone(*state, "memory_error on nop", "lost data");
	fails_alone(*state, "dma_read on nop", "did not answer");
	fails_alone(*state, "dma_write 0x5000 on nop", "0x5000");
	fails_alone(*state, "corrupt status on nop", "not known here");
}

/* Nobody notices, but by the time that it takes. */
static void faults_without_an_error(void **state)
{
	static const char *const rules[] = {
		"lose_interrupt on nop times 4",
		"interrupt on nop times 4",
		"interrupt 1 now times 1000",
		/* Longer than the limit of a queue without progress. */
		"slow 400 on nop times 4",
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct accel_completion completions[4];
		struct bench bench;

		bench_open(&bench, *state, rules[i]);
		submit(&bench, 4);
		assert_int_equal(accel_queue_wait(bench.queue, completions, 4,
						  4, PATIENCE),
				 4);
		for (int c = 0; c < 4; c++)
			assert_int_equal(completions[c].status, 0);
		bench_close(&bench);
	}
}

static void a_silent_admin_queue(void **state)
{
	struct accel_device *device =
		open_with(*state, "hang on create_context");
	struct accel_queue *queue;
	uint64_t start = monotonic_ns();

	assert_int_equal(accel_queue_create(device, NULL, &queue), -ETIMEDOUT);
	says("did not complete");
	assert_int_equal(accel_queue_create(device, NULL, &queue), -EIO);
	says("admin queue is dead");
	assert_true(monotonic_ns() - start < IN_TIME);
	assert_int_equal(accel_device_reset(device), 0);
	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_wrong_answer_of_the_admin_queue(void **state)
{
	static const char *const rules[] = {
		"corrupt id on create_context",
		"corrupt head on create_context",
		"corrupt queue on create_context",
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct accel_device *device = open_with(*state, rules[i]);
		struct accel_queue *queue;

		assert_int_equal(accel_queue_create(device, NULL, &queue),
				 -EIO);
		says("of another command");
		assert_int_equal(accel_device_reset(device), 0);
		assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
		accel_queue_destroy(queue);
		accel_device_close(device);
	}
}

static void a_device_that_stays_away(void **state)
{
	struct accel_completion completion;
	struct bench bench;

	bench_open(&bench, *state, "gone on nop until plug");
	submit(&bench, 1);
	assert_int_equal(accel_queue_wait(bench.queue, &completion, 1, 1,
					  PATIENCE),
			 -ENODEV);
	assert_int_equal(accel_device_reset(bench.device), -ENODEV);
	lost(&bench, 1);
	bench_close(&bench);
}

/* What cleans up after an error leaves its text. */
static void a_text_outlives_its_queue(void **state)
{
	struct accel_completion completion;
	struct bench bench;

	bench_open(&bench, *state, "fatal on nop");
	submit(&bench, 1);
	assert_int_equal(accel_queue_wait(bench.queue, &completion, 1, 1,
					  PATIENCE),
			 -EIO);
	bench_close(&bench);
	says("fatal error");
}

/* A device that is gone when it is opened, and a script that is no script. */
static void what_is_refused_at_open(void **state)
{
	struct accel_device *device = NULL;
	char uri[FOLDER_PATH + 16];
	FILE *file = fopen(folder_path(*state, "script"), "w");

	assert_non_null(file);
	fputs("a: gone now armed\n", file);
	fclose(file);
	snprintf(uri, sizeof(uri), "sim:?fault=%s",
		 folder_path(*state, "script"));
	assert_int_equal(accel_device_open(uri, NULL, &device), -ENODEV);
	file = fopen(folder_path(*state, "script"), "w");
	assert_non_null(file);
	fputs("a: melt\n", file);
	fclose(file);
	assert_int_equal(accel_device_open(uri, NULL, &device), -EINVAL);
	says("script:1: 'melt' is none of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(what_a_reset_heals),
		folder_test(completions_are_not_trusted),
		folder_test(a_cancelled_hang_is_over),
		folder_test(a_hang_that_survives_is_reset),
		folder_test(failures_of_one_operation),
		folder_test(faults_without_an_error),
		folder_test(a_silent_admin_queue),
		folder_test(a_wrong_answer_of_the_admin_queue),
		folder_test(a_device_that_stays_away),
		folder_test(a_text_outlives_its_queue),
		folder_test(what_is_refused_at_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
