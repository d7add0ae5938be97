/* SPDX-License-Identifier: MIT */
/* What queues and buffers promise, on every kind of device. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <accel/accel.h>

#define PATIENCE (20 * ACCEL_SECOND)

/* nil: moves no bytes, so it skips what looks at them. */
static const char *const uris[] = { "sim:", "cpu:", "nil:" };

#define URIS (sizeof(uris) / sizeof(uris[0]))
#define URIS_THAT_COMPUTE 2

static struct accel_device *device_open(const char *uri)
{
	struct accel_device *device;
	int ret = accel_device_open(uri, NULL, &device);

	if (ret)
		fail_msg("%s: %s", uri, accel_last_error());
	return device;
}

static struct accel_queue *queue_create(struct accel_device *device,
					uint32_t depth)
{
	struct accel_queue_options options = { .size = sizeof(options),
					       .depth = depth };
	struct accel_queue *queue;

	if (accel_queue_create(device, &options, &queue))
		fail_msg("queue: %s", accel_last_error());
	return queue;
}

static struct accel_buffer *buffer_create(struct accel_device *device,
					  enum accel_memory memory,
					  uint64_t length)
{
	struct accel_buffer *buffer;

	if (accel_buffer_create(device, memory, length, &buffer))
		fail_msg("buffer: %s", accel_last_error());
	return buffer;
}

static void operations_complete_in_order(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue *queue = queue_create(device, 16);
	struct accel_operation operations[16] = { 0 };
	struct accel_completion completions[16];
	uint64_t sent = 1, seen = 1;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 16; i++) {
			operations[i].opcode = i % 3 ? ACCEL_OPERATION_NOP :
						       ACCEL_OPERATION_FENCE;
			operations[i].flags = i % 5 ? 0 :
						      ACCEL_OPERATION_AFTER_ALL;
			operations[i].user_data = sent++;
		}
		assert_int_equal(accel_queue_submit(queue, operations, 16), 16);
		assert_int_equal(accel_queue_submit(queue, operations, 1),
				 -EAGAIN);
		assert_int_equal(accel_queue_wait(queue, completions, 16, 16,
						  PATIENCE),
				 16);
		for (int i = 0; i < 16; i++) {
			assert_int_equal(completions[i].user_data, seen++);
			assert_int_equal(completions[i].status, 0);
		}
	}
	assert_int_equal(accel_queue_outstanding(queue), 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static struct accel_operation copy_of(struct accel_buffer *source,
				      uint64_t source_offset,
				      struct accel_buffer *destination,
				      uint64_t destination_offset,
				      uint64_t length)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_COPY };

	operation.copy.source = source;
	operation.copy.source_offset = source_offset;
	operation.copy.destination = destination;
	operation.copy.destination_offset = destination_offset;
	operation.copy.length = length;
	return operation;
}

static void bytes_go_through_the_device(const char *uri)
{
	enum { LENGTH = 3 * 1024 * 1024 + 77, SHIFT = 13 };
	struct accel_device *device = device_open(uri);
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *from =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_buffer *middle =
		buffer_create(device, ACCEL_MEMORY_DEVICE, LENGTH + SHIFT);
	struct accel_buffer *to =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	const struct accel_operation operations[] = {
		copy_of(from, 0, middle, SHIFT, LENGTH),
		copy_of(middle, SHIFT, to, 0, LENGTH),
	};
	struct accel_completion completions[2];
	unsigned char *source, *result;
	void *address;

	assert_int_equal(accel_buffer_length(middle), LENGTH + SHIFT);
	assert_int_equal(accel_buffer_map(middle, &address), -ENOTSUP);
	assert_int_equal(accel_buffer_map(from, &address), 0);
	source = address;
	assert_int_equal(accel_buffer_map(to, &address), 0);
	result = address;
	for (int i = 0; i < LENGTH; i++) {
		assert_int_equal(result[i], 0);
		source[i] = (unsigned char)(i * 7 + i / 251);
	}
	assert_int_equal(accel_queue_submit(queue, operations, 2), 2);
	assert_int_equal(accel_queue_wait(queue, completions, 2, 2, PATIENCE),
			 2);
	assert_int_equal(completions[0].status, 0);
	assert_int_equal(completions[1].status, 0);
	assert_memory_equal(source, result, LENGTH);
	accel_buffer_destroy(from);
	accel_buffer_destroy(middle);
	accel_buffer_destroy(to);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void copies_outside_a_buffer_are_refused(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_device *other = device_open(uri);
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *a = buffer_create(device, ACCEL_MEMORY_HOST, 100);
	struct accel_buffer *b =
		buffer_create(device, ACCEL_MEMORY_DEVICE, 100);
	struct accel_buffer *foreign =
		buffer_create(other, ACCEL_MEMORY_HOST, 100);
	const struct accel_operation bad[] = {
		copy_of(a, 0, b, 0, 101),     copy_of(a, 1, b, 0, 100),
		copy_of(a, 0, b, 100, 1),     copy_of(a, UINT64_MAX, b, 0, 2),
		copy_of(a, 0, b, 0, 0),	      copy_of(a, 0, NULL, 0, 1),
		copy_of(foreign, 0, b, 0, 1),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(accel_queue_submit(queue, &bad[i], 1),
				 -EINVAL);
	assert_int_equal(accel_queue_outstanding(queue), 0);
	accel_buffer_destroy(a);
	accel_buffer_destroy(b);
	accel_buffer_destroy(foreign);
	accel_queue_destroy(queue);
	accel_device_close(device);
	accel_device_close(other);
}

static void bad_sizes_are_refused(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue_options options = { .size = sizeof(options) };
	struct accel_buffer *buffer;
	struct accel_queue *queue;

	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_HOST, 0,
					     &buffer),
			 -EINVAL);
	assert_int_equal(accel_buffer_create(device, (enum accel_memory)7, 1,
					     &buffer),
			 -EINVAL);
	options.depth = 1u << 30;
	assert_int_equal(accel_queue_create(device, &options, &queue), -EINVAL);
	options.depth = 1;
	options.priority = 4;
	assert_int_equal(accel_queue_create(device, &options, &queue), -EINVAL);
	options.priority = 0;
	options.size = 0;
	assert_int_equal(accel_queue_create(device, &options, &queue), -EINVAL);
	accel_device_close(device);
}

static void a_wait_of_zero_only_polls(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue *queue = queue_create(device, 1);
	struct accel_operation operation = { .user_data = 5 };
	struct accel_completion completion;
	int got = 0;

	assert_int_equal(accel_queue_wait(queue, &completion, 1, 1, 0), 0);
	assert_int_equal(accel_queue_wait(queue, &completion, 0, 1, PATIENCE),
			 0);
	assert_int_equal(accel_queue_wait(queue, &completion, 1, 1, -1),
			 -EINVAL);
	assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
	while (!got)
		got = accel_queue_wait(queue, &completion, 1, 1, 0);
	assert_int_equal(got, 1);
	assert_int_equal(completion.user_data, 5);
	/* Nothing is outstanding: there is nothing to wait for. */
	assert_int_equal(accel_queue_wait(queue, &completion, 1, 1, PATIENCE),
			 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void the_descriptor_wakes_a_poller(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_operation operation = { 0 };
	struct accel_completion completion;
	struct pollfd poller = { .events = POLLIN };

	poller.fd = accel_queue_fd(queue);
	assert_true(poller.fd >= 0);
	assert_int_equal(poll(&poller, 1, 0), 0);
	assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
	assert_int_equal(poll(&poller, 1, 20000), 1);
	assert_int_equal(accel_queue_reap(queue, &completion, 1), 1);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void two_queues_do_not_mix(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue *first = queue_create(device, 8);
	struct accel_queue *second = queue_create(device, 8);
	struct accel_operation operation = { 0 };
	struct accel_completion completion;

	for (uint64_t i = 0; i < 200; i++) {
		operation.user_data = i;
		assert_int_equal(accel_queue_submit(first, &operation, 1), 1);
		operation.user_data = 1000 + i;
		assert_int_equal(accel_queue_submit(second, &operation, 1), 1);
		assert_int_equal(accel_queue_wait(first, &completion, 1, 1,
						  PATIENCE),
				 1);
		assert_int_equal(completion.user_data, i);
		assert_int_equal(accel_queue_wait(second, &completion, 1, 1,
						  PATIENCE),
				 1);
		assert_int_equal(completion.user_data, 1000 + i);
	}
	accel_queue_destroy(first);
	accel_queue_destroy(second);
	accel_device_close(device);
}

static void destroying_a_queue_drops_its_work(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_operation operations[32] = { 0 };

	for (int i = 0; i < 10; i++) {
		struct accel_queue *queue = queue_create(device, 32);

		assert_int_equal(accel_queue_submit(queue, operations, 32), 32);
		accel_queue_destroy(queue);
	}
	accel_device_close(device);
}

static void cancelled_work_completes(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue *queue = queue_create(device, 32);
	struct accel_operation operations[32] = { 0 };
	struct accel_completion completions[32];

	assert_int_equal(accel_queue_cancel(queue, -1), -EINVAL);
	assert_int_equal(accel_queue_submit(queue, operations, 32), 32);
	assert_int_equal(accel_queue_cancel(queue, PATIENCE), 0);
	assert_int_equal(accel_queue_reap(queue, completions, 32), 32);
	for (int i = 0; i < 32; i++)
		assert_true(completions[i].status == 0 ||
			    completions[i].status == -ECANCELED);
	assert_int_equal(accel_queue_submit(queue, operations, 1), 1);
	assert_int_equal(accel_queue_wait(queue, completions, 1, 1, PATIENCE),
			 1);
	assert_int_equal(completions[0].status, 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_reset_leaves_a_working_device(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_operation operation = { 0 };
	struct accel_completion completion;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(accel_device_reset(device), 0);
		assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
		assert_int_equal(accel_queue_wait(queue, &completion, 1, 1,
						  PATIENCE),
				 1);
		assert_int_equal(completion.status, 0);
	}
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* Runs a behaviour on so many of the devices. */
static void on_each(void (*behaviour)(const char *uri), size_t count)
{
	for (size_t i = 0; i < count; i++)
		behaviour(uris[i]);
}

#define ON_EACH(behaviour, count)                     \
	static void behaviour##_on_each(void **state) \
	{                                             \
		(void)state;                          \
		on_each(behaviour, count);            \
	}

ON_EACH(operations_complete_in_order, URIS)
ON_EACH(bytes_go_through_the_device, URIS_THAT_COMPUTE)
ON_EACH(copies_outside_a_buffer_are_refused, URIS)
ON_EACH(bad_sizes_are_refused, URIS)
ON_EACH(a_wait_of_zero_only_polls, URIS)
ON_EACH(the_descriptor_wakes_a_poller, URIS)
ON_EACH(two_queues_do_not_mix, URIS)
ON_EACH(destroying_a_queue_drops_its_work, URIS)
ON_EACH(cancelled_work_completes, URIS)
ON_EACH(a_reset_leaves_a_working_device, URIS)

static void device_memory_runs_out_with_a_word(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device = device_open("sim:");
	struct accel_buffer *half, *rest;

	(void)state;
	assert_int_equal(accel_device_get_info(device, &info), 0);
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_DEVICE,
					     info.memory_bytes / 2, &half),
			 0);
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_DEVICE,
					     info.memory_bytes / 2 + 1, &rest),
			 -ENOMEM);
	assert_non_null(strstr(accel_last_error(), "device memory is short"));
	accel_buffer_destroy(half);
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_DEVICE,
					     info.memory_bytes, &rest),
			 0);
	accel_buffer_destroy(rest);
	assert_int_equal(accel_device_get_info(device, &info), 0);
	assert_int_equal(info.memory_used, 0);
	accel_device_close(device);
}

static void queues_run_out_with_a_word(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device = device_open("sim:");
	struct accel_queue *queues[256];
	unsigned int count = 0;

	(void)state;
	assert_int_equal(accel_device_get_info(device, &info), 0);
	while (count < 256 && !accel_queue_create(device, NULL, &queues[count]))
		count++;
	assert_in_range(count, 1, info.queue_count);
	assert_int_equal(accel_queue_create(device, NULL, &queues[count]),
			 -EBUSY);
	while (count)
		accel_queue_destroy(queues[--count]);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_complete_in_order_on_each),
		cmocka_unit_test(bytes_go_through_the_device_on_each),
		cmocka_unit_test(copies_outside_a_buffer_are_refused_on_each),
		cmocka_unit_test(bad_sizes_are_refused_on_each),
		cmocka_unit_test(a_wait_of_zero_only_polls_on_each),
		cmocka_unit_test(the_descriptor_wakes_a_poller_on_each),
		cmocka_unit_test(two_queues_do_not_mix_on_each),
		cmocka_unit_test(destroying_a_queue_drops_its_work_on_each),
		cmocka_unit_test(cancelled_work_completes_on_each),
		cmocka_unit_test(a_reset_leaves_a_working_device_on_each),
		cmocka_unit_test(device_memory_runs_out_with_a_word),
		cmocka_unit_test(queues_run_out_with_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
