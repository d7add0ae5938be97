/* SPDX-License-Identifier: MIT */
/* What devices, buffers and queues are, and every error of making them. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define BYTES 5000

static void opening_is_refused(void)
{
	struct accel_device_options options = { .size = sizeof(options),
						.stall_timeout_ns = -1 };
	struct accel_device *device = (void *)&options;

	CHECK_FAILS(accel_device_open("gpu:", NULL, &device), -EINVAL);
	CHECK(!device);
	CHECK_FAILS(accel_device_open("", NULL, &device), -EINVAL);
	CHECK_FAILS(accel_device_open(settings.uri, NULL, NULL), -EINVAL);
	CHECK_FAILS(accel_device_open(settings.uri, &options, &device),
		    -EINVAL);
	CHECK_FAILS(accel_device_open("sim:/no/such/file", NULL, &device),
		    -ENOENT);
	CHECK_FAILS(accel_device_open("vfio-user:/no/such", NULL, &device),
		    -ENOENT);
	CHECK_FAILS(accel_device_open("dev:/no/such", NULL, &device), -ENOENT);
	CHECK(!device);
}

static void a_device_describes_itself(void)
{
	struct accel_device *device = device_open();
	struct accel_device_info info = device_info(device);

	CHECK(!strcmp(info.uri, settings.uri));
	CHECK(info.name && *info.name);
	CHECK(info.backend && *info.backend);
	CHECK(info.queue_count >= 1);
	CHECK(info.queue_depth >= 1);
	CHECK(info.memory_used <= info.memory_bytes);
	CHECK(!info.memory_bytes == !info.memory_kind);
	CHECK_FAILS(accel_device_get_info(NULL, &info), -EINVAL);
	CHECK_FAILS(accel_device_get_info(device, NULL), -EINVAL);
	accel_device_close(device);
}

static void what_was_made_keeps_the_device_open(void)
{
	struct accel_device *device = device_open();
	struct accel_buffer *buffer =
		buffer_create(device, ACCEL_MEMORY_HOST, BYTES);
	struct accel_queue *queue = queue_create(device, 4);

	accel_device_close(device);
	queue_works(queue);
	accel_queue_destroy(queue);
	memset(buffer_bytes(buffer), 1, BYTES);
	accel_buffer_destroy(buffer);
}

static void nothing_is_destroyed_without_harm(void)
{
	accel_device_close(NULL);
	accel_model_free(NULL);
	accel_plan_destroy(NULL);
	accel_queue_destroy(NULL);
	accel_buffer_destroy(NULL);
	CHECK_EQUAL(accel_queue_outstanding(NULL), 0);
	CHECK_EQUAL((int64_t)accel_buffer_length(NULL), 0);
}

static void host_memory_is_zero_and_mapped(void)
{
	struct accel_device *device = device_open();
	struct accel_buffer *buffer =
		buffer_create(device, ACCEL_MEMORY_HOST, BYTES);
	unsigned char *bytes = buffer_bytes(buffer);

	CHECK_EQUAL((int64_t)accel_buffer_length(buffer), BYTES);
	for (int i = 0; i < BYTES; i++)
		CHECK_EQUAL(bytes[i], 0);
	memset(bytes, 0xa5, BYTES);
	CHECK(buffer_bytes(buffer) == bytes);
	accel_buffer_destroy(buffer);
	/* Also where somebody else's bytes have been. */
	buffer = buffer_create(device, ACCEL_MEMORY_HOST, BYTES);
	bytes = buffer_bytes(buffer);
	for (int i = 0; i < BYTES; i++)
		CHECK_EQUAL(bytes[i], 0);
	CHECK_FAILS(accel_buffer_map(buffer, NULL), -EINVAL);
	accel_buffer_destroy(buffer);
	accel_device_close(device);
}

static void device_memory_has_no_address(void)
{
	struct accel_device *device = device_open();
	struct accel_buffer *buffer =
		buffer_create(device, ACCEL_MEMORY_DEVICE, BYTES);
	void *address = NULL;

	CHECK_EQUAL((int64_t)accel_buffer_length(buffer), BYTES);
	CHECK_FAILS(accel_buffer_map(buffer, &address), -ENOTSUP);
	accel_buffer_destroy(buffer);
	accel_device_close(device);
}

static void buffers_are_refused(void)
{
	struct accel_device *device = device_open();
	struct accel_buffer *buffer = (void *)device;

	CHECK_FAILS(accel_buffer_create(device, ACCEL_MEMORY_HOST, 0, &buffer),
		    -EINVAL);
	CHECK(!buffer);
	CHECK_FAILS(accel_buffer_create(device, (enum accel_memory)2, 1,
					&buffer),
		    -EINVAL);
	CHECK_FAILS(accel_buffer_create(device, ACCEL_MEMORY_HOST, UINT64_MAX,
					&buffer),
		    -EINVAL);
	CHECK_FAILS(accel_buffer_create(NULL, ACCEL_MEMORY_HOST, 1, &buffer),
		    -EINVAL);
	CHECK_FAILS(accel_buffer_create(device, ACCEL_MEMORY_HOST, 1, NULL),
		    -EINVAL);
	CHECK_FAILS(accel_buffer_map(NULL, (void **)&buffer), -EINVAL);
	accel_device_close(device);
}

static void queues_are_refused(void)
{
	struct accel_device *device = device_open();
	struct accel_queue_options options = { .size = sizeof(options) };
	struct accel_queue *queue = (void *)device;

	options.depth = device_info(device).queue_depth;
	CHECK_OK(accel_queue_create(device, &options, &queue));
	accel_queue_destroy(queue);
	options.depth++;
	CHECK_FAILS(accel_queue_create(device, &options, &queue), -EINVAL);
	CHECK(!queue);
	options.depth = UINT32_MAX;
	CHECK_FAILS(accel_queue_create(device, &options, &queue), -EINVAL);
	options.depth = 1;
	options.priority = 4;
	CHECK_FAILS(accel_queue_create(device, &options, &queue), -EINVAL);
	options.priority = 0;
	options.spin_ns = -2;
	CHECK_FAILS(accel_queue_create(device, &options, &queue), -EINVAL);
	CHECK_FAILS(accel_queue_create(NULL, NULL, &queue), -EINVAL);
	CHECK_FAILS(accel_queue_create(device, NULL, NULL), -EINVAL);
	accel_device_close(device);
}

/* As many as were asked for, rounded up to a power of two, are outstanding at most. */
static void depth_is_what_can_be_outstanding(void)
{
	static const uint32_t depths[] = { 1, 2, 3, 8, 31 };
	struct accel_operation operations[33] = { 0 };
	struct accel_device *device = device_open();

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		struct accel_completion completions[33];
		struct accel_queue *queue = queue_create(device, depths[i]);
		uint32_t most = 1;

		while (most < depths[i])
			most *= 2;
		CHECK_EQUAL(accel_queue_submit(queue, operations, most + 1),
			    most);
		CHECK_EQUAL(accel_queue_outstanding(queue), most);
		CHECK_FAILS(accel_queue_submit(queue, operations, 1), -EAGAIN);
		CHECK_EQUAL(accel_queue_wait(queue, completions, 1, 1,
					     PATIENCE),
			    1);
		CHECK_EQUAL(accel_queue_submit(queue, operations, 1), 1);
		CHECK_EQUAL(accel_queue_wait(queue, completions, most, most,
					     PATIENCE),
			    most);
		CHECK_EQUAL(accel_queue_outstanding(queue), 0);
		accel_queue_destroy(queue);
	}
	accel_device_close(device);
}

static void every_ordinary_priority_works(void)
{
	struct accel_device *device = device_open();
	struct accel_queue_options options = { .size = sizeof(options) };

	/* The highest may need a privilege. */
	for (options.priority = 0; options.priority < 3; options.priority++) {
		struct accel_queue *queue = NULL;

		CHECK_OK(accel_queue_create(device, &options, &queue));
		queue_works(queue);
		accel_queue_destroy(queue);
	}
	accel_device_close(device);
}

static void waits_are_refused(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_completion completion;

	CHECK_FAILS(accel_queue_wait(queue, &completion, 1, 1, -1), -EINVAL);
	CHECK_FAILS(accel_queue_wait(queue, &completion, 2, 1, 0), -EINVAL);
	CHECK_FAILS(accel_queue_wait(queue, NULL, 1, 1, 0), -EINVAL);
	CHECK_FAILS(accel_queue_wait(NULL, &completion, 1, 1, 0), -EINVAL);
	CHECK_FAILS(accel_queue_cancel(queue, -1), -EINVAL);
	CHECK_FAILS(accel_queue_cancel(NULL, 0), -EINVAL);
	CHECK_FAILS(accel_queue_fd(NULL), -EINVAL);
	CHECK_EQUAL(accel_queue_reap(queue, &completion, 1), 0);
	CHECK_EQUAL(accel_queue_submit(queue, NULL, 0), 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* Polled, read, reaped, again and again: no completion is slept through. */
static void the_descriptor_tells_of_completions(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct pollfd poller = { .fd = accel_queue_fd(queue),
				 .events = POLLIN };

	CHECK(poller.fd >= 0);
	CHECK_EQUAL(accel_queue_fd(queue), poller.fd);
	CHECK_EQUAL(poll(&poller, 1, 0), 0);
	for (uint64_t i = 1; i <= 50; i++) {
		const struct accel_operation operation = nop(i);
		struct accel_completion completion;
		int got = 0;

		CHECK_EQUAL(accel_queue_submit(queue, &operation, 1), 1);
		while (!got) {
			uint64_t counter;

			CHECK_EQUAL(poll(&poller, 1, 60000), 1);
			CHECK_EQUAL(read(poller.fd, &counter, sizeof(counter)),
				    sizeof(counter));
			got = accel_queue_reap(queue, &completion, 1);
		}
		CHECK_EQUAL((int64_t)completion.user_data, (int64_t)i);
	}
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void queues_count(void)
{
	struct accel_queue_stats stats = { .size = sizeof(stats) };
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	const struct accel_operation operations[4] = { 0 };

	for (int i = 0; i < 5; i++)
		queue_finish_all(queue, operations, 3);
	CHECK_OK(accel_queue_get_stats(queue, &stats));
	CHECK_EQUAL((int64_t)stats.submitted, 15);
	CHECK_EQUAL((int64_t)stats.completed, 15);
	CHECK_EQUAL((int64_t)stats.failed, 0);
	CHECK_EQUAL((int64_t)stats.batches, 5);
	CHECK(stats.doorbells <= 5);
	CHECK(stats.wakeups <= stats.sleeps);
	CHECK_FAILS(accel_queue_get_stats(NULL, &stats), -EINVAL);
	CHECK_FAILS(accel_queue_get_stats(queue, NULL), -EINVAL);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_trace_that_nobody_asked_for_ends_well(void)
{
	struct accel_device *device = device_open();

	CHECK_OK(accel_device_end_trace(device));
	CHECK_OK(accel_device_end_trace(device));
	CHECK_FAILS(accel_device_end_trace(NULL), -EINVAL);
	CHECK_FAILS(accel_device_reset(NULL), -EINVAL);
	accel_device_close(device);
}

static void no_text_before_the_first_error(void)
{
	struct accel_device *device;

	CHECK(!*accel_last_error());
	device = device_open();
	accel_device_close(device);
	CHECK(accel_last_error());
}

const struct test semantics_tests[] = {
	{ "opening is refused with a reason", opening_is_refused, 0 },
	{ "a device describes itself", a_device_describes_itself, 0 },
	{ "what was made of a device keeps it open",
	  what_was_made_keeps_the_device_open, 0 },
	{ "NULL is destroyed without harm", nothing_is_destroyed_without_harm,
	  0 },
	{ "host memory is zero and mapped", host_memory_is_zero_and_mapped, 0 },
	{ "device memory has no address", device_memory_has_no_address, 0 },
	{ "impossible buffers are refused", buffers_are_refused, 0 },
	{ "impossible queues are refused", queues_are_refused, 0 },
	{ "the depth is what can be outstanding",
	  depth_is_what_can_be_outstanding, 0 },
	{ "every ordinary priority works", every_ordinary_priority_works, 0 },
	{ "impossible waits are refused", waits_are_refused, 0 },
	{ "the descriptor tells of completions",
	  the_descriptor_tells_of_completions, 0 },
	{ "queues count what they do", queues_count, 0 },
	{ "a trace that nobody asked for ends well",
	  a_trace_that_nobody_asked_for_ends_well, 0 },
	{ "there is no text before the first error",
	  no_text_before_the_first_error, 0 },
	{ 0 },
};
