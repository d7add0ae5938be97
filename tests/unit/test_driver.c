/* SPDX-License-Identifier: MIT */
/* The driver on hardware that is broken in one way or another. */
#include "fake_device.h"

#include <core/deadline.h>
#include <core/error.h>
#include <driver/bare.h>
#include <driver/queue.h>
#include <spmm/status.h>

#include <accel/accel.h>
#include <backend/backend.h>

#define MS 1000000ull

static struct fake_device hardware;

static int create(struct driver_device **device, uint64_t stall_timeout)
{
	return bare_device_create(&hardware.transport.base, stall_timeout,
				  device);
}

static void refused(int error, const char *words)
{
	struct driver_device *device;

	assert_int_equal(create(&device, 100 * MS), error);
	if (!strstr(accel_last_error(), words))
		fail_msg("\"%s\" does not say \"%s\"", accel_last_error(),
			 words);
	assert_true(hardware.closed);
	assert_int_equal(hardware.transport.region_count, 0);
}

static void a_device_that_does_not_come_up(void **state)
{
	uint64_t start;

	(void)state;
	fake_device_create(&hardware);
	hardware.gone = true;
	refused(-ENODEV, "does not answer");
	fake_device_create(&hardware);
	hardware.version = 0x20001;
	refused(-EOPNOTSUPP, "version 2.1");
	fake_device_create(&hardware);
	hardware.clusters = 0;
	refused(-EIO, "impossible geometry");
	fake_device_create(&hardware);
	hardware.never_ready = true;
	start = monotonic_ns();
	refused(-ETIMEDOUT, "reset it");
	assert_in_range(monotonic_ns() - start, 400 * MS, 5000 * MS);
}

static void a_device_comes_up_and_goes(void **state)
{
	struct driver_device *device;

	(void)state;
	fake_device_create(&hardware);
	assert_int_equal(create(&device, 100 * MS), 0);
	assert_int_equal(device->capabilities.queue_entries, 1024);
	assert_int_equal(device->capabilities.doorbell_stride, FAKE_STRIDE);
	assert_int_equal(device->geometry.clusters, 16);
	driver_device_destroy(device);
	assert_true(hardware.closed);
	assert_int_equal(hardware.transport.region_count, 0);
}

static void a_failed_admin_command_has_a_text(void **state)
{
	struct driver_device *device;
	struct driver_queue queue;

	(void)state;
	fake_device_create(&hardware);
	assert_int_equal(create(&device, 100 * MS), 0);
	hardware.admin_opcode = SPMM_ADMIN_CREATE_SQ;
	hardware.admin_status = SPMM_SC_INVALID_ENTRIES;
	assert_int_equal(driver_queue_create(device, 8, 0, &queue), -EINVAL);
	assert_int_equal(bare_device(device)->queues, 0);
	hardware.admin_opcode = SPMM_ADMIN_CREATE_CONTEXT;
	hardware.admin_status = SPMM_SC_INTERNAL;
	assert_int_equal(driver_queue_create(device, 8, 0, &queue), -EIO);
	/* More commands than the ring has entries. */
	for (int i = 0; i < 30; i++) {
		assert_int_equal(driver_queue_create(device, 8, 0, &queue), 0);
		driver_queue_destroy(&queue);
	}
	assert_true(hardware.commands > 2 * FAKE_ENTRIES);
	driver_device_destroy(device);
}

static void a_depth_beyond_the_device_is_refused(void **state)
{
	static const uint32_t depths[] = { 0, 513, 1u << 31, (1u << 31) + 1,
					   UINT32_MAX };
	struct driver_device *device;
	struct driver_queue queue;

	(void)state;
	fake_device_create(&hardware);
	assert_int_equal(create(&device, 100 * MS), 0);
	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++)
		assert_int_equal(driver_queue_create(device, depths[i], 0,
						     &queue),
				 -EINVAL);
	assert_int_equal(bare_device(device)->queues, 0);
	assert_int_equal(driver_queue_create(device, 512, 0, &queue), 0);
	assert_int_equal(queue.sq.entries, 1024);
	driver_queue_destroy(&queue);
	assert_int_equal(driver_queue_create(device, 1, 0, &queue), 0);
	assert_int_equal(queue.sq.entries, 16);
	driver_queue_destroy(&queue);
	driver_device_destroy(device);
}

static int sleep_until_error(struct driver_queue *queue, uint64_t deadline)
{
	int ret = 0;

	while (!ret && !deadline_expired(deadline))
		ret = driver_queue_sleep(queue, deadline);
	return ret;
}

static void a_queue_without_progress_is_hung(void **state)
{
	struct driver_device *device;
	struct driver_queue queue;
	uint64_t start;

	(void)state;
	fake_device_create(&hardware);
	assert_int_equal(create(&device, 250 * MS), 0);
	assert_int_equal(driver_queue_create(device, 8, 0, &queue), 0);
	driver_queue_put(&queue);
	driver_queue_ring(&queue);
	start = monotonic_ns();
	assert_int_equal(sleep_until_error(&queue, start + 20000 * MS), -EIO);
	assert_non_null(strstr(accel_last_error(), "no progress"));
	assert_in_range(monotonic_ns() - start, 250 * MS, 10000 * MS);
	driver_queue_destroy(&queue);
	driver_device_destroy(device);
}

static void progress_re_arms_up_to_the_hard_maximum(void **state)
{
	struct driver_device *device;
	struct driver_queue queue;
	uint64_t start;

	(void)state;
	fake_device_create(&hardware);
	hardware.moving = true;
	assert_int_equal(create(&device, 150 * MS), 0);
	assert_int_equal(driver_queue_create(device, 8, 0, &queue), 0);
	start = monotonic_ns();
	assert_int_equal(sleep_until_error(&queue, start + 500 * MS), 0);
	assert_true(monotonic_ns() - start >= 500 * MS);
	/* The clock is 1 kHz and a job may take a second. */
	hardware.cycles_step = 1500;
	assert_int_equal(sleep_until_error(&queue, start + 20000 * MS), -EIO);
	assert_non_null(strstr(accel_last_error(), "hard maximum"));
	driver_queue_destroy(&queue);
	driver_device_destroy(device);
}

static void a_device_that_is_pulled_out(void **state)
{
	struct driver_device *device;
	struct driver_queue queue;
	uint64_t start = monotonic_ns();

	(void)state;
	fake_device_create(&hardware);
	assert_int_equal(create(&device, 60000 * MS), 0);
	assert_int_equal(driver_queue_create(device, 8, 0, &queue), 0);
	hardware.gone = true;
	assert_int_equal(sleep_until_error(&queue, start + 20000 * MS),
			 -ENODEV);
	assert_int_equal(driver_queue_abort(&queue), -ENODEV);
	assert_int_equal(driver_device_reset(device), -ENODEV);
	driver_queue_destroy(&queue);
	driver_device_destroy(device);
	assert_int_equal(hardware.transport.region_count, 0);
	assert_in_range(monotonic_ns() - start, 0, 5000 * MS);
}

/* As accel_device_open() makes one. */
static struct accel_device *publish(void)
{
	struct accel_device_options options = { .size = sizeof(options),
						.stall_timeout_ns = 200 * MS };
	struct accel_device *device;

	assert_int_equal(driver_backend_open(&hardware.transport.base, "fake",
					     &options, &device),
			 0);
	device->uri = strdup("fake:");
	atomic_init(&device->references, 1);
	return device;
}

static void the_caller_of_a_hung_device_gets_it_back(void **state)
{
	struct accel_operation operations[3] = { { .user_data = 1 },
						 { .user_data = 2 },
						 { .user_data = 3 } };
	struct accel_completion completions[3];
	struct accel_device *device;
	struct accel_queue *queue;
	unsigned int resets;

	(void)state;
	fake_device_create(&hardware);
	device = publish();
	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	assert_int_equal(accel_queue_submit(queue, operations, 3), 3);
	assert_int_equal(accel_queue_wait(queue, completions, 1, 3,
					  50 * ACCEL_MILLISECOND),
			 0);
	assert_int_equal(accel_queue_wait(queue, completions, 1, 3,
					  20 * ACCEL_SECOND),
			 -EIO);
	resets = hardware.resets;
	assert_int_equal(accel_queue_cancel(queue, 50 * ACCEL_MILLISECOND),
			 -ETIMEDOUT);
	assert_int_equal(hardware.resets, resets + 1);
	assert_int_equal(accel_queue_reap(queue, completions, 3), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(completions[i].user_data, i + 1);
		assert_int_equal(completions[i].status, -ECANCELED);
	}
	assert_int_equal(accel_queue_outstanding(queue), 0);
	assert_int_equal(accel_queue_submit(queue, operations, 1), 1);
	accel_queue_destroy(queue);
	accel_device_close(device);
	assert_int_equal(hardware.transport.region_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_that_does_not_come_up),
		cmocka_unit_test(a_device_comes_up_and_goes),
		cmocka_unit_test(a_failed_admin_command_has_a_text),
		cmocka_unit_test(a_depth_beyond_the_device_is_refused),
		cmocka_unit_test(a_queue_without_progress_is_hung),
		cmocka_unit_test(progress_re_arms_up_to_the_hard_maximum),
		cmocka_unit_test(a_device_that_is_pulled_out),
		cmocka_unit_test(the_caller_of_a_hung_device_gets_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
