/* SPDX-License-Identifier: MIT */
/* What is cancelled completes, and what comes after it works. */
#include "busy.h"
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>

static void cancelled_work_completes(void)
{
	struct accel_device *device = device_open();
	struct busy busy = busy_create(device);

	for (int i = 0; i < 5; i++) {
		int64_t start;

		busy_start(&busy);
		start = now_ns();
		CHECK_OK(accel_queue_cancel(busy.queue, PATIENCE));
		CHECK(now_ns() - start < PATIENCE);
		busy_end(&busy);
		queue_works(busy.queue);
	}
	busy_destroy(&busy);
	accel_device_close(device);
}

/*
 * Of so much work something is left that had not begun, unless this thread had to wait for
 * a processor meanwhile.
 */
static void not_all_of_it_has_succeeded(void)
{
	struct accel_device *device = device_open();
	struct busy busy = busy_create(device);
	uint32_t done = BUSY_COUNT;

	for (int i = 0; i < 10 && done == BUSY_COUNT; i++) {
		busy_start(&busy);
		CHECK_OK(accel_queue_cancel(busy.queue, PATIENCE));
		done = busy_end(&busy);
	}
	CHECK(done < BUSY_COUNT);
	busy_destroy(&busy);
	accel_device_close(device);
}

/* Whoever cannot stop at once says so, and is as good as new when all is reaped. */
static void a_cancel_without_time_ends(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct busy busy = busy_create(device);
	struct accel_operation run;
	struct accel_plan *plan;
	int ret;

	busy_start(&busy);
	ret = accel_queue_cancel(busy.queue, 0);
	CHECK(!ret || ret == -ETIMEDOUT);
	busy_end(&busy);
	queue_works(busy.queue);
	plan = plan_create(device, model, 0);
	run = run_of(plan);
	CHECK_OK(queue_finish(busy.queue, &run));
	accel_plan_destroy(plan);
	accel_model_free(model);
	busy_destroy(&busy);
	accel_device_close(device);
}

static void an_idle_queue_is_cancelled(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);

	CHECK_OK(accel_queue_cancel(queue, 0));
	queue_works(queue);
	CHECK_OK(accel_queue_cancel(queue, PATIENCE));
	CHECK_OK(accel_queue_cancel(queue, PATIENCE));
	queue_works(queue);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void other_queues_go_on(void)
{
	struct accel_device *device = device_open();
	struct busy first = busy_create(device), second = busy_create(device);

	busy_start(&first);
	busy_start(&second);
	CHECK_OK(accel_queue_cancel(first.queue, PATIENCE));
	busy_end(&first);
	CHECK_EQUAL(busy_end(&second), BUSY_COUNT);
	busy_destroy(&first);
	busy_destroy(&second);
	accel_device_close(device);
}

/* A run that was cancelled has left nothing to read, and can be made again. */
static void a_plan_survives_its_cancelled_run(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(device, model, 0);
	struct busy busy = busy_create(device);
	const struct accel_operation run = run_of(plan);
	const struct accel_output output = { 0 };
	struct accel_completion completion;

	busy_start(&busy);
	CHECK_EQUAL(accel_queue_submit(busy.queue, &run, 1), 1);
	CHECK_OK(accel_queue_cancel(busy.queue, PATIENCE));
	CHECK_EQUAL(accel_queue_outstanding(busy.queue), BUSY_COUNT + 1);
	for (int i = 0; i < BUSY_COUNT + 1; i++)
		CHECK_EQUAL(accel_queue_wait(busy.queue, &completion, 1, 1,
					     PATIENCE),
			    1);
	CHECK_EQUAL(completion.status, -ECANCELED);
	CHECK_FAILS(accel_plan_read_output(plan, 0, &output), -ENODATA);
	CHECK_OK(queue_finish(busy.queue, &run));
	CHECK_OK(accel_plan_read_output(plan, 0, &output));
	accel_plan_destroy(plan);
	accel_model_free(model);
	busy_destroy(&busy);
	accel_device_close(device);
}

/* Its plan is free again although nobody has reaped the run. */
static void a_queue_is_destroyed_with_a_run(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(device, model, 0);
	const struct accel_operation run = run_of(plan);

	for (int i = 0; i < 3; i++) {
		struct accel_queue *queue = queue_create(device, 4);

		CHECK_EQUAL(accel_queue_submit(queue, &run, 1), 1);
		accel_queue_destroy(queue);
	}
	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

const struct test cancellation_tests[] = {
	{ "cancelled work completes in order", cancelled_work_completes, 0 },
	{ "work that was not done is said to be cancelled",
	  not_all_of_it_has_succeeded, TAKES_TIME },
	{ "a cancel that had no time leaves a queue that works",
	  a_cancel_without_time_ends, 0 },
	{ "an idle queue can be cancelled", an_idle_queue_is_cancelled, 0 },
	{ "other queues go on", other_queues_go_on, 0 },
	{ "a plan survives its cancelled run",
	  a_plan_survives_its_cancelled_run, TAKES_TIME },
	{ "a queue can be destroyed with a run outstanding",
	  a_queue_is_destroyed_with_a_run, 0 },
	{ 0 },
};
