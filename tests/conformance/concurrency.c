/* SPDX-License-Identifier: MIT */
/* Threads with queues and plans of their own share a device and need not agree. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define THREADS 4
#define QUEUES 2
#define ROUNDS 40
#define BATCH 8

static struct accel_device *device;
static struct accel_model *model;

static void threads_run(void *(*run)(void *))
{
	pthread_t threads[THREADS];

	device = device_open();
	model = model_load();
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK_OK(pthread_create(&threads[i], NULL, run, (void *)i));
	for (int i = 0; i < THREADS; i++)
		CHECK_OK(pthread_join(threads[i], NULL));
	accel_model_free(model);
	accel_device_close(device);
}

static void *operations_run(void *argument)
{
	uint64_t next[QUEUES] = { 0 }, sent[QUEUES] = { 0 };
	struct accel_queue *queues[QUEUES];

	(void)argument;
	for (int q = 0; q < QUEUES; q++)
		queues[q] = queue_create(device, 2 * BATCH);
	for (int round = 0; round < ROUNDS; round++)
		for (int q = 0; q < QUEUES; q++) {
			struct accel_operation operations[BATCH];
			struct accel_completion done[BATCH];

			for (int i = 0; i < BATCH; i++)
				operations[i] = nop(sent[q]++);
			CHECK_EQUAL(accel_queue_submit(queues[q], operations,
						       BATCH),
				    BATCH);
			CHECK_EQUAL(accel_queue_wait(queues[q], done, BATCH,
						     BATCH, PATIENCE),
				    BATCH);
			for (int i = 0; i < BATCH; i++)
				CHECK_EQUAL((int64_t)done[i].user_data,
					    (int64_t)next[q]++);
		}
	for (int q = 0; q < QUEUES; q++)
		accel_queue_destroy(queues[q]);
	return NULL;
}

static void queues_of_threads(void)
{
	threads_run(operations_run);
}

static void *copies_run(void *argument)
{
	enum { LENGTH = 70001 };
	unsigned char mark = (unsigned char)(uintptr_t)argument;
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *from =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_buffer *middle =
		buffer_create(device, ACCEL_MEMORY_DEVICE, LENGTH);
	struct accel_buffer *to =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_operation copies[] = {
		copy_of(from, 0, middle, 0, LENGTH),
		copy_of(middle, 0, to, 0, LENGTH),
	};

	copies[1].flags = ACCEL_OPERATION_AFTER_ALL;
	for (unsigned char round = 0; round < ROUNDS; round++) {
		memset(buffer_bytes(from), mark * 50 + round, LENGTH);
		queue_finish_all(queue, copies, 2);
		CHECK(!memcmp(buffer_bytes(from), buffer_bytes(to), LENGTH));
	}
	accel_buffer_destroy(from);
	accel_buffer_destroy(middle);
	accel_buffer_destroy(to);
	accel_queue_destroy(queue);
	return NULL;
}

static void copies_of_threads(void)
{
	threads_run(copies_run);
}

/* Made, run and destroyed beside each other, on one model. */
static void *plans_run(void *argument)
{
	(void)argument;
	for (int i = 0; i < 4; i++) {
		struct accel_plan *plan = plan_create(device, model, 0);

		for (int round = 0; round < 3; round++)
			CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
		accel_plan_destroy(plan);
	}
	return NULL;
}

static void plans_of_threads(void)
{
	threads_run(plans_run);
}

static void *objects_run(void *argument)
{
	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		struct accel_buffer *buffer = buffer_create(
			device, i % 2 ? ACCEL_MEMORY_HOST : ACCEL_MEMORY_DEVICE,
			(uint64_t)i * 5000 + 1);
		struct accel_queue *queue = queue_create(device, 4);

		queue_works(queue);
		accel_buffer_destroy(buffer);
		accel_queue_destroy(queue);
	}
	return NULL;
}

static void objects_of_threads(void)
{
	threads_run(objects_run);
}

static void *error_make(void *argument)
{
	struct accel_buffer *buffer;

	(void)argument;
	CHECK(!*accel_last_error());
	CHECK_FAILS(accel_buffer_create(device, ACCEL_MEMORY_HOST, 0, &buffer),
		    -EINVAL);
	return NULL;
}

static void a_text_is_its_threads(void)
{
	char text[512];

	check_mark();
	strncpy(text, accel_last_error(), sizeof(text) - 1);
	threads_run(error_make);
	CHECK(!strncmp(text, accel_last_error(), sizeof(text) - 1));
}

const struct test concurrency_tests[] = {
	{ "threads with queues of their own", queues_of_threads, 0 },
	{ "threads with copies of their own", copies_of_threads, COMPUTES },
	{ "threads with plans of their own", plans_of_threads, 0 },
	{ "threads that make and destroy", objects_of_threads, 0 },
	{ "the text of an error is its thread's", a_text_is_its_threads, 0 },
	{ 0 },
};
