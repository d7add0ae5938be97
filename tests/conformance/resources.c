/* SPDX-License-Identifier: MIT */
/* What runs out says so, what is given back is there again, and nothing is left over. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define QUEUES_MAX 512
#define BUFFERS_MAX 4096

static struct accel_queue *queues[QUEUES_MAX];
static struct accel_buffer *buffers[BUFFERS_MAX];

/* Return: how many there were. */
static uint32_t queues_take(struct accel_device *device)
{
	uint32_t count = 0;
	int ret;

	do {
		CHECK(count < QUEUES_MAX);
		check_mark();
		ret = accel_queue_create(device, NULL, &queues[count]);
	} while (!ret && ++count);
	check_failed(ret, -EBUSY, "one queue too many", __FILE__, __LINE__);
	return count;
}

static void queues_give(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		accel_queue_destroy(queues[i]);
}

static void queues_run_out(void)
{
	struct accel_device *device = device_open();
	uint32_t count = queues_take(device);

	CHECK(count >= 1 && count <= device_info(device).queue_count);
	for (uint32_t i = 0; i < count; i++)
		queue_works(queues[i]);
	accel_queue_destroy(queues[count / 2]);
	CHECK_OK(accel_queue_create(device, NULL, &queues[count / 2]));
	queue_works(queues[count / 2]);
	queues_give(count);
	CHECK_EQUAL(queues_take(device), count);
	queues_give(count);
	accel_device_close(device);
}

static uint32_t memory_take(struct accel_device *device, uint64_t length)
{
	uint32_t count = 0;
	int ret;

	do {
		CHECK(count < BUFFERS_MAX);
		check_mark();
		ret = accel_buffer_create(device, ACCEL_MEMORY_DEVICE, length,
					  &buffers[count]);
	} while (!ret && ++count);
	check_failed(ret, -ENOMEM, "one buffer too many", __FILE__, __LINE__);
	return count;
}

static void memory_runs_out(void)
{
	struct accel_device *device = device_open();
	uint64_t bytes = device_info(device).memory_bytes;
	uint64_t used = device_info(device).memory_used;
	uint32_t count;

	CHECK(bytes);
	count = memory_take(device, bytes / 8);
	CHECK(count >= 6 && count <= 8);
	CHECK(device_info(device).memory_used >= count * (bytes / 8));
	accel_buffer_destroy(buffers[0]);
	CHECK_OK(accel_buffer_create(device, ACCEL_MEMORY_DEVICE, bytes / 8,
				     &buffers[0]));
	for (uint32_t i = 0; i < count; i++)
		accel_buffer_destroy(buffers[i]);
	CHECK_EQUAL((int64_t)device_info(device).memory_used, (int64_t)used);
	CHECK_FAILS(accel_buffer_create(device, ACCEL_MEMORY_DEVICE, bytes + 1,
					&buffers[0]),
		    -ENOMEM);
	CHECK_FAILS(accel_buffer_create(device, ACCEL_MEMORY_DEVICE, INT64_MAX,
					&buffers[0]),
		    -ENOMEM);
	accel_device_close(device);
}

static unsigned int entries_of(const char *folder)
{
	DIR *entries = opendir(folder);
	unsigned int count = 0;

	CHECK(entries);
	while (readdir(entries))
		count++;
	closedir(entries);
	return count;
}

/* What a process has of the system. */
struct holdings {
	unsigned int files;
	unsigned int threads;
	unsigned int mappings;
	size_t heap;
};

static unsigned int lines_of(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int lines = 0;
	int c;

	CHECK(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static struct holdings holdings_now(void)
{
	return (struct holdings){
		.files = entries_of("/proc/self/fd"),
		.threads = entries_of("/proc/self/task"),
		.mappings = lines_of("/proc/self/maps"),
		.heap = mallinfo2().uordblks,
	};
}

/* Vectors that may be opened late, at most. */
#define VECTORS_LATE 4
/* Until an allocator has as much in store as it ever keeps. */
#define WARM_UP 20

/* It keeps a little more all the same; of a leak there would be @cycles times as much. */
static void nothing_is_held(const struct holdings *before,
			    const struct holdings *after, unsigned int cycles)
{
	CHECK_EQUAL(after->files, before->files);
	CHECK_EQUAL(after->threads, before->threads);
	/* Not the C library's allocator but a sanitizer's, which finds leaks itself. */
	if (cycles < 20 || !before->heap)
		return;
	CHECK(after->mappings < before->mappings + cycles / 2 + 10);
	CHECK(after->heap < before->heap + cycles * 32 + 4096);
}

static void device_cycle(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *buffer =
		buffer_create(device, ACCEL_MEMORY_HOST, 5000);
	const struct accel_operation one = nop(1);

	CHECK(accel_queue_fd(queue) >= 0);
	CHECK_OK(queue_finish(queue, &one));
	accel_buffer_destroy(buffer);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void opening_and_closing_leaves_nothing(void)
{
	struct holdings before, after;

	for (unsigned int i = 0; i < WARM_UP; i++)
		device_cycle();
	before = holdings_now();
	for (unsigned int i = 0; i < settings.cycles; i++)
		device_cycle();
	after = holdings_now();
	nothing_is_held(&before, &after, settings.cycles);
}

static void failing_cycle(void)
{
	struct accel_device_options options = { .size = sizeof(options),
						.stall_timeout_ns = -1 };
	struct accel_device *device;

	CHECK(accel_device_open(settings.uri, &options, &device));
	CHECK(accel_device_open("dev:/dev/null", NULL, &device));
	CHECK(accel_device_open("sim:/dev/null?trace=/no/such", NULL, &device));
	CHECK(accel_device_open("vfio-user:/dev/null", NULL, &device));
}

static void failing_leaves_nothing(void)
{
	struct holdings before, after;

	for (unsigned int i = 0; i < WARM_UP; i++)
		failing_cycle();
	before = holdings_now();
	for (unsigned int i = 0; i < 100; i++)
		failing_cycle();
	after = holdings_now();
	nothing_is_held(&before, &after, 100);
}

static void plan_cycles(struct accel_device *device, struct accel_model *model,
			unsigned int cycles)
{
	for (unsigned int i = 0; i < cycles; i++)
		accel_plan_destroy(plan_create(device, model, 0));
}

static void plans_leave_nothing(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	unsigned int cycles = settings.cycles / 10;
	struct holdings before, after;
	uint64_t used;
	int round = 0;

	/*
	 * A device keeps what it once needed, as long as it is open: the first upload
	 * that has to sleep, whichever it is, opens its vector. A leak comes each time.
	 */
	plan_cycles(device, model, settings.cycles / 3);
	do {
		used = device_info(device).memory_used;
		before = holdings_now();
		plan_cycles(device, model, cycles);
		after = holdings_now();
	} while (after.files != before.files && ++round < VECTORS_LATE);
	nothing_is_held(&before, &after, cycles);
	CHECK_EQUAL((int64_t)device_info(device).memory_used, (int64_t)used);
	accel_model_free(model);
	accel_device_close(device);
}

const struct test resource_tests[] = {
	{ "queues run out, and come back", queues_run_out, COUNTS_QUEUES },
	{ "device memory runs out, and comes back", memory_runs_out,
	  OWN_MEMORY },
	{ "opening and closing leaves nothing",
	  opening_and_closing_leaves_nothing, 0 },
	{ "failing leaves nothing", failing_leaves_nothing, 0 },
	{ "making plans leaves nothing", plans_leave_nothing, 0 },
	{ 0 },
};
