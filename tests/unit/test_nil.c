/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <accel/accel.h>

static struct accel_queue *queue_open(uint32_t depth,
				      struct accel_device **device)
{
	struct accel_queue_options options = { .size = sizeof(options),
					       .depth = depth };
	struct accel_queue *queue;

	assert_int_equal(accel_device_open("nil:", NULL, device), 0);
	assert_int_equal(accel_queue_create(*device, &options, &queue), 0);
	return queue;
}

static void every_completion_comes_back_once_in_order(void **state)
{
	struct accel_operation operations[8] = { 0 };
	struct accel_completion completions[8];
	struct accel_device *device;
	struct accel_queue *queue = queue_open(8, &device);
	uint64_t sent = 0, seen = 0;

	(void)state;
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 8; i++)
			operations[i].user_data = sent++;
		assert_int_equal(accel_queue_submit(queue, operations, 8), 8);
		assert_int_equal(accel_queue_outstanding(queue), 8);
		for (int left = 8; left;) {
			int got = accel_queue_reap(queue, completions, 3);

			assert_in_range(got, 1, 3);
			for (int i = 0; i < got; i++)
				assert_int_equal(completions[i].user_data,
						 seen++);
			left -= got;
		}
	}
	assert_int_equal(accel_queue_reap(queue, completions, 8), 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_full_queue_accepts_no_more(void **state)
{
	struct accel_operation operations[5] = { 0 };
	struct accel_completion completion;
	struct accel_device *device;
	struct accel_queue *queue = queue_open(4, &device);

	(void)state;
	assert_int_equal(accel_queue_submit(queue, operations, 5), 4);
	assert_int_equal(accel_queue_submit(queue, operations, 1), -EAGAIN);
	assert_non_null(strstr(accel_last_error(), "reap"));
	assert_int_equal(accel_queue_reap(queue, &completion, 1), 1);
	assert_int_equal(accel_queue_submit(queue, operations, 1), 1);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void the_good_ones_before_a_bad_one_are_accepted(void **state)
{
	struct accel_operation operations[3] = { 0 };
	struct accel_device *device;
	struct accel_queue *queue = queue_open(4, &device);

	(void)state;
	operations[1].opcode = 99;
	assert_int_equal(accel_queue_submit(queue, operations, 3), 1);
	assert_int_equal(accel_queue_submit(queue, operations + 1, 2), -EINVAL);
	operations[1].opcode = ACCEL_OPERATION_NOP;
	operations[1].flags = 0x80;
	assert_int_equal(accel_queue_submit(queue, operations + 1, 2), -EINVAL);
	operations[1].flags = 0;
	operations[1].opcode = ACCEL_OPERATION_COPY;
	assert_int_equal(accel_queue_submit(queue, operations + 1, 2), -EINVAL);
	operations[1].opcode = ACCEL_OPERATION_RUN;
	assert_int_equal(accel_queue_submit(queue, operations + 1, 2), -EINVAL);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void the_descriptor_becomes_readable(void **state)
{
	struct accel_operation operation = { 0 };
	struct accel_device *device;
	struct accel_queue *queue = queue_open(4, &device);
	struct pollfd poller = { .fd = accel_queue_fd(queue),
				 .events = POLLIN };

	(void)state;
	assert_true(poller.fd >= 0);
	assert_int_equal(poll(&poller, 1, 0), 0);
	assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
	assert_int_equal(poll(&poller, 1, 0), 1);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void bad_waits_are_refused(void **state)
{
	struct accel_completion completion;
	struct accel_device *device;
	struct accel_queue *queue = queue_open(4, &device);

	(void)state;
	assert_int_equal(accel_queue_wait(queue, &completion, 1, 1, -1),
			 -EINVAL);
	assert_int_equal(accel_queue_wait(queue, &completion, 2, 1, 0),
			 -EINVAL);
	assert_int_equal(accel_queue_wait(queue, NULL, 1, 1, 0), -EINVAL);
	assert_int_equal(accel_queue_wait(queue, &completion, 1, 1, 0), 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void the_device_outlives_its_handle(void **state)
{
	struct accel_operation operation = { 0 };
	struct accel_completion completion;
	struct accel_device *device;
	struct accel_queue *queue = queue_open(0, &device);

	(void)state;
	accel_device_close(device);
	assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
	assert_int_equal(accel_queue_reap(queue, &completion, 1), 1);
	accel_queue_destroy(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_completion_comes_back_once_in_order),
		cmocka_unit_test(a_full_queue_accepts_no_more),
		cmocka_unit_test(the_good_ones_before_a_bad_one_are_accepted),
		cmocka_unit_test(the_descriptor_becomes_readable),
		cmocka_unit_test(bad_waits_are_refused),
		cmocka_unit_test(the_device_outlives_its_handle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
