/* SPDX-License-Identifier: MIT */
/* What queues count, on every kind of device. */
#include "published.h"

#include <errno.h>
#include <string.h>

#define PATIENCE (20 * ACCEL_SECOND)
#define BATCH 8
#define ROUNDS 40

static const char *const uris[] = { "nil:", "cpu:", "sim:" };

#define URIS (sizeof(uris) / sizeof(uris[0]))

static struct accel_queue *queue_create(struct accel_device *device,
					int64_t spin_ns)
{
	struct accel_queue_options options = { .size = sizeof(options),
					       .depth = BATCH,
					       .spin_ns = spin_ns };
	struct accel_queue *queue;

	if (accel_queue_create(device, &options, &queue))
		fail_msg("queue: %s", accel_last_error());
	return queue;
}

static struct accel_queue_stats stats_of(const struct accel_queue *queue)
{
	struct accel_queue_stats stats = { .size = sizeof(stats) };

	assert_int_equal(accel_queue_get_stats(queue, &stats), 0);
	return stats;
}

static void batches_run(struct accel_queue *queue, int rounds)
{
	struct accel_operation operations[BATCH] = { 0 };
	struct accel_completion completions[BATCH];

	for (int i = 0; i < rounds; i++) {
		assert_int_equal(accel_queue_submit(queue, operations, BATCH),
				 BATCH);
		assert_int_equal(accel_queue_wait(queue, completions, BATCH,
						  BATCH, PATIENCE),
				 BATCH);
	}
}

static void every_operation_is_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < URIS; i++) {
		struct accel_device *device = device_open(uris[i]);
		struct accel_queue *queue = queue_create(device, 0);
		struct accel_queue_stats stats = stats_of(queue);

		assert_int_equal(stats.submitted, 0);
		assert_int_equal(stats.reaps, 0);
		batches_run(queue, ROUNDS);
		stats = stats_of(queue);
		assert_int_equal(stats.submitted, BATCH * ROUNDS);
		assert_int_equal(stats.batches, ROUNDS);
		assert_int_equal(stats.completed, BATCH * ROUNDS);
		assert_int_equal(stats.failed, 0);
		assert_in_range(stats.reaps, ROUNDS, BATCH * ROUNDS);
		/* nil: has nobody to tell. */
		assert_int_equal(stats.doorbells, i ? ROUNDS : 0);
		/* A quarter of a ring is reported at once. */
		assert_in_range(stats.reports, 0, BATCH * ROUNDS / 4);
		assert_in_range(stats.wakeups, 0, stats.sleeps);
		accel_queue_destroy(queue);
		accel_device_close(device);
	}
}

static void what_is_there_costs_neither_spin_nor_sleep(void **state)
{
	struct accel_device *device = device_open("nil:");
	struct accel_queue *queue = queue_create(device, 0);
	struct accel_queue_stats stats;
	struct accel_completion completion;

	(void)state;
	batches_run(queue, ROUNDS);
	assert_int_equal(accel_queue_reap(queue, &completion, 1), 0);
	stats = stats_of(queue);
	assert_int_equal(stats.spins, 0);
	assert_int_equal(stats.sleeps, 0);
	assert_int_equal(stats.empty_reaps, 1);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_spin_of_minus_one_sleeps_at_once(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct accel_queue *queue = queue_create(device, -1);
	struct accel_queue_stats stats;

	(void)state;
	batches_run(queue, ROUNDS);
	stats = stats_of(queue);
	assert_int_equal(stats.spins, 0);
	assert_int_equal(stats.spin_ns, 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_long_spin_never_sleeps(void **state)
{
	struct accel_device *device = device_open("cpu:");
	struct accel_queue *queue = queue_create(device, PATIENCE);
	struct accel_queue_stats stats;

	(void)state;
	batches_run(queue, ROUNDS);
	stats = stats_of(queue);
	assert_int_equal(stats.sleeps, 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void bad_arguments_are_refused(void **state)
{
	struct accel_queue_options options = { .size = sizeof(options),
					       .spin_ns = -2 };
	struct accel_queue_stats stats = { 0 };
	struct accel_device *device = device_open("nil:");
	struct accel_queue *queue;

	(void)state;
	assert_int_equal(accel_queue_create(device, &options, &queue), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "spin_ns"));
	queue = queue_create(device, 0);
	assert_int_equal(accel_queue_get_stats(queue, &stats), -EINVAL);
	assert_int_equal(accel_queue_get_stats(queue, NULL), -EINVAL);
	assert_int_equal(accel_queue_get_stats(NULL, &stats), -EINVAL);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* Resetting the device cancels what a queue has outstanding. */
static void what_a_reset_cancels_has_failed(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct accel_queue *queue = queue_create(device, 0);
	struct accel_operation operations[BATCH] = { 0 };
	struct accel_completion completions[BATCH];
	uint64_t failed = 0;

	(void)state;
	assert_int_equal(accel_queue_submit(queue, operations, BATCH), BATCH);
	assert_int_equal(accel_device_reset(device), 0);
	assert_int_equal(accel_queue_wait(queue, completions, BATCH, BATCH,
					  PATIENCE),
			 BATCH);
	for (int i = 0; i < BATCH; i++)
		failed += completions[i].status != 0;
	assert_int_equal(stats_of(queue).completed, BATCH);
	assert_int_equal(stats_of(queue).failed, failed);
	assert_true(failed);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_is_counted),
		cmocka_unit_test(what_is_there_costs_neither_spin_nor_sleep),
		cmocka_unit_test(a_spin_of_minus_one_sleeps_at_once),
		cmocka_unit_test(a_long_spin_never_sleeps),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(what_a_reset_cancels_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
