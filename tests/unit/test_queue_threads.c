/* SPDX-License-Identifier: MIT */
/*
 * Four threads with four queues each, a million small operations: every completion
 * arrives once, in order of its queue.
 */
#include "plain_device.h"
#include "published.h"

#include <pthread.h>
#include <sched.h>

#define THREADS 4
#define QUEUES 4
#define OPERATIONS 1000000
#define DEPTH 64
#define BATCH 16
#define PATIENCE (60 * ACCEL_SECOND)

/**
 * struct lane - one queue and where it is
 * @queue: of one thread
 * @sent: operations so far; each has its number
 * @seen: completions so far
 * @total: operations in the end
 */
struct lane {
	struct accel_queue *queue;
	uint64_t sent;
	uint64_t seen;
	uint64_t total;
};

struct worker {
	pthread_t thread;
	struct lane lanes[QUEUES];
	struct accel_buffer *source;
	struct accel_buffer *destination;
	bool failed;
};

static void operation_make(const struct worker *worker, uint64_t number,
			   struct accel_operation *operation)
{
	static const uint32_t kinds[] = { ACCEL_OPERATION_NOP,
					  ACCEL_OPERATION_COPY,
					  ACCEL_OPERATION_FENCE };

	*operation = (struct accel_operation){ .opcode = kinds[number % 3],
					       .user_data = number };
	if (operation->opcode != ACCEL_OPERATION_COPY)
		return;
	operation->copy.source = worker->source;
	operation->copy.destination = worker->destination;
	operation->copy.length = 64;
}

/* Batches of different sizes, and now and then more than there is room for. */
static bool lane_submit(const struct worker *worker, struct lane *lane)
{
	struct accel_operation operations[BATCH];
	uint64_t left = lane->total - lane->sent;
	uint32_t count = (uint32_t)(1 + lane->sent % BATCH);
	int ret;

	if (count > left)
		count = (uint32_t)left;
	if (!count || accel_queue_outstanding(lane->queue) == DEPTH)
		return true;
	for (uint32_t i = 0; i < count; i++)
		operation_make(worker, lane->sent + i, &operations[i]);
	ret = accel_queue_submit(lane->queue, operations, count);
	if (ret <= 0)
		return false;
	lane->sent += (uint32_t)ret;
	return true;
}

static bool lane_reap(struct lane *lane)
{
	struct accel_completion completions[BATCH];
	int ret = accel_queue_reap(lane->queue, completions, BATCH);

	/* Nothing left to submit anywhere in this lane: sleeping is right. */
	if (!ret && lane->seen < lane->sent && lane->sent == lane->total)
		ret = accel_queue_wait(lane->queue, completions, 1, BATCH,
				       PATIENCE);
	for (int i = 0; i < ret; i++)
		if (completions[i].status ||
		    completions[i].user_data != lane->seen++)
			return false;
	return ret >= 0;
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	uint64_t left;

	do {
		uint64_t seen = 0;

		left = 0;
		for (int i = 0; i < QUEUES && !worker->failed; i++) {
			struct lane *lane = &worker->lanes[i];

			seen -= lane->seen;
			worker->failed = !lane_submit(worker, lane) ||
					 !lane_reap(lane);
			seen += lane->seen;
			left += lane->total - lane->seen;
		}
		/* Processors are fewer than threads: the device needs one, too. */
		if (!seen)
			sched_yield();
	} while (left && !worker->failed);
	return NULL;
}

static void worker_prepare(struct worker *worker, struct accel_device *device,
			   uint64_t operations)
{
	struct accel_queue_options options = { .size = sizeof(options),
					       .depth = DEPTH };

	for (int i = 0; i < QUEUES; i++) {
		worker->lanes[i].total = operations / QUEUES;
		assert_int_equal(accel_queue_create(device, &options,
						    &worker->lanes[i].queue),
				 0);
	}
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_HOST, 4096,
					     &worker->source),
			 0);
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_DEVICE, 4096,
					     &worker->destination),
			 0);
}

/* Each operation was completed once: not fewer, and none is left over. */
static uint64_t worker_finish(struct worker *worker)
{
	struct accel_completion completion;
	uint64_t seen = 0;

	assert_int_equal(pthread_join(worker->thread, NULL), 0);
	assert_false(worker->failed);
	for (int i = 0; i < QUEUES; i++) {
		struct lane *lane = &worker->lanes[i];

		seen += lane->seen;
		assert_int_equal(accel_queue_outstanding(lane->queue), 0);
		assert_int_equal(accel_queue_reap(lane->queue, &completion, 1),
				 0);
		accel_queue_destroy(lane->queue);
	}
	accel_buffer_destroy(worker->source);
	accel_buffer_destroy(worker->destination);
	return seen;
}

/* Takes the device over. */
static void completions_come_once_in_order(struct accel_device *device,
					   uint64_t operations)
{
	struct worker workers[THREADS] = { 0 };
	uint64_t seen = 0;

	for (int i = 0; i < THREADS; i++)
		worker_prepare(&workers[i], device, operations / THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						worker_run, &workers[i]),
				 0);
	for (int i = 0; i < THREADS; i++)
		seen += worker_finish(&workers[i]);
	assert_int_equal(seen, operations);
	accel_device_close(device);
}

static void a_million_on_a_device_that_does_nothing(void **state)
{
	(void)state;
	completions_come_once_in_order(device_open("nil:"), OPERATIONS);
}

static void a_million_through_the_driver(void **state)
{
	struct accel_device *device = plain_device_open();

	(void)state;
	if (!device)
		fail_msg("%s", accel_last_error());
	completions_come_once_in_order(device, OPERATIONS);
}

/* The simulated device takes longer for each. */
static void some_on_the_simulator(void **state)
{
	(void)state;
	completions_come_once_in_order(device_open("sim:"), OPERATIONS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_on_a_device_that_does_nothing),
		cmocka_unit_test(a_million_through_the_driver),
		cmocka_unit_test(some_on_the_simulator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
