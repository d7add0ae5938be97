/* SPDX-License-Identifier: MIT */
/* One queue for each thread, plans and buffers made meanwhile. */
#include "published.h"
#include "sample_model.h"

#include <pthread.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 200
#define BATCH 16
#define PATIENCE (60 * ACCEL_SECOND)

struct worker {
	pthread_t thread;
	struct accel_device *device;
	struct accel_model *model;
	int failures;
};

/* Assertions of cmocka work in the main thread only: count instead. */
static void check(struct worker *worker, bool holds)
{
	if (!holds)
		__atomic_add_fetch(&worker->failures, 1, __ATOMIC_RELAXED);
}

static void operations_submit(struct worker *worker, struct accel_queue *queue)
{
	struct accel_operation operations[BATCH] = { 0 };
	struct accel_completion completions[BATCH];
	uint64_t sent = 0, seen = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < BATCH; i++)
			operations[i].user_data = sent++;
		check(worker,
		      accel_queue_submit(queue, operations, BATCH) == BATCH);
		check(worker, accel_queue_wait(queue, completions, BATCH, BATCH,
					       PATIENCE) == BATCH);
		for (int i = 0; i < BATCH; i++)
			check(worker, completions[i].user_data == seen++ &&
					      !completions[i].status);
	}
}

static void plans_run(struct worker *worker)
{
	struct accel_plan_options options = {
		.size = sizeof(options), .batch = 2, .height = 6, .width = 6
	};

	for (int i = 0; i < 5; i++) {
		struct accel_buffer *buffer;
		struct accel_plan *plan;

		check(worker,
		      !accel_buffer_create(worker->device, ACCEL_MEMORY_DEVICE,
					   123456, &buffer));
		check(worker, !accel_plan_create(worker->device, worker->model,
						 &options, &plan));
		check(worker, !accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
		accel_plan_destroy(plan);
		accel_buffer_destroy(buffer);
	}
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	struct accel_queue *queue;

	if (accel_queue_create(worker->device, NULL, &queue)) {
		check(worker, false);
		return NULL;
	}
	operations_submit(worker, queue);
	plans_run(worker);
	accel_queue_destroy(queue);
	return NULL;
}

static void threads_share_a_device(const char *uri)
{
	struct worker workers[THREADS] = { 0 };
	struct accel_device *device = device_open(uri);
	struct accel_model *model;

	sample_state = 21;
	model = model_publish(sample_model());
	for (int i = 0; i < THREADS; i++) {
		workers[i].device = device;
		workers[i].model = model;
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						worker_run, &workers[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	accel_model_free(model);
	accel_device_close(device);
}

static void threads_share_the_simulator(void **state)
{
	(void)state;
	threads_share_a_device("sim:");
}

static void threads_share_the_processor(void **state)
{
	(void)state;
	threads_share_a_device("cpu:");
}

static void threads_share_nothing(void **state)
{
	(void)state;
	threads_share_a_device("nil:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_share_the_simulator),
		cmocka_unit_test(threads_share_the_processor),
		cmocka_unit_test(threads_share_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
