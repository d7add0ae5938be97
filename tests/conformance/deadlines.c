/* SPDX-License-Identifier: MIT */
/* No wait outlasts its timeout by more than the slack that the command line grants. */
#include "busy.h"
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>

static const int64_t timeouts[] = {
	0, 1, 1000, 100000, ACCEL_MILLISECOND, 20 * ACCEL_MILLISECOND
};

#define TIMEOUTS (sizeof(timeouts) / sizeof(timeouts[0]))

static void in_time(int64_t start, int64_t timeout)
{
	CHECK(now_ns() - start <= timeout + settings.slack_ns);
}

static void nothing_outstanding_is_not_waited_for(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_completion completion;
	int64_t start = now_ns();

	CHECK_EQUAL(accel_queue_wait(queue, &completion, 1, 1, PATIENCE), 0);
	CHECK_EQUAL(accel_queue_wait(queue, &completion, 0, 1, PATIENCE), 0);
	CHECK_EQUAL(accel_queue_wait(queue, &completion, 1, 1, INT64_MAX), 0);
	in_time(start, 0);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void waits_end_in_time(void)
{
	struct accel_device *device = device_open();
	struct busy busy = busy_create(device);
	struct accel_completion completions[BUSY_COUNT];

	for (size_t i = 0; i < TIMEOUTS; i++) {
		uint32_t taken = 0;

		busy_start(&busy);
		while (taken < BUSY_COUNT) {
			int64_t start = now_ns();
			int got = accel_queue_wait(busy.queue, completions,
						   BUSY_COUNT - taken,
						   BUSY_COUNT - taken,
						   timeouts[i]);

			CHECK(got >= 0);
			in_time(start, timeouts[i]);
			taken += (uint32_t)got;
		}
	}
	busy_destroy(&busy);
	accel_device_close(device);
}

/* No minimum: what is there is taken, and nobody waits. */
static void no_minimum_is_a_poll(void)
{
	struct accel_device *device = device_open();
	struct busy busy = busy_create(device);
	struct accel_completion completions[BUSY_COUNT];
	int64_t start;
	int taken;

	busy_start(&busy);
	start = now_ns();
	taken = accel_queue_wait(busy.queue, completions, 0, BUSY_COUNT,
				 PATIENCE);
	in_time(start, 0);
	CHECK(taken >= 0);
	if (taken < BUSY_COUNT)
		CHECK_EQUAL(accel_queue_wait(busy.queue, completions,
					     BUSY_COUNT - (uint32_t)taken,
					     BUSY_COUNT, PATIENCE),
			    BUSY_COUNT - taken);
	busy_destroy(&busy);
	accel_device_close(device);
}

/* The run is cancelled, which takes its time; then the plan is as good as before. */
static void a_run_that_takes_too_long_is_cancelled(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(device, model, 0);

	for (int i = 0; i < 5; i++) {
		int64_t start = now_ns();
		int ret;

		check_mark();
		ret = accel_run(plan, NULL, 0, NULL, 0, 1);
		in_time(start, 0);
		/* A device may be done before anybody has looked at the clock. */
		if (ret)
			check_failed(ret, -ETIMEDOUT, "a run of 1 ns", __FILE__,
				     __LINE__);
	}
	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void endings_of_busy_queues_end(void)
{
	struct accel_device *device = device_open();

	for (int i = 0; i < 3; i++) {
		struct busy busy = busy_create(device);
		int64_t start;

		busy_start(&busy);
		start = now_ns();
		busy_destroy(&busy);
		in_time(start, 0);
	}
	accel_device_close(device);
}

const struct test deadline_tests[] = {
	{ "nothing outstanding is not waited for",
	  nothing_outstanding_is_not_waited_for, 0 },
	{ "waits end in time", waits_end_in_time, 0 },
	{ "no minimum is a poll", no_minimum_is_a_poll, 0 },
	{ "a run that takes too long is cancelled in time",
	  a_run_that_takes_too_long_is_cancelled, 0 },
	{ "busy queues are destroyed in time", endings_of_busy_queues_end, 0 },
	{ 0 },
};
