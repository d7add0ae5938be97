/* SPDX-License-Identifier: MIT */
/*
 * A device that is broken on purpose: the documented error within its time, and a process
 * that can reset it and go on.
 */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* What a test starts with, which hits the fault. */
struct bench {
	struct accel_device *device;
	struct accel_queue *queue;
	int64_t start;
};

/* A device's own limits, the time that a reset may take, and the slack. */
#define MERCY (15 * ACCEL_SECOND)

static struct bench bench_open(void)
{
	struct bench bench;

	settings.stall_ns = 600 * ACCEL_MILLISECOND;
	bench.device = device_open();
	bench.queue = queue_create(bench.device, 4);
	bench.start = now_ns();
	return bench;
}

static void bench_close(struct bench *bench)
{
	accel_queue_destroy(bench->queue);
	accel_device_close(bench->device);
	CHECK(now_ns() - bench->start < MERCY + settings.slack_ns);
}

static void two_submit(struct bench *bench)
{
	const struct accel_operation operations[] = { nop(1), nop(2) };

	CHECK_EQUAL(accel_queue_submit(bench->queue, operations, 2), 2);
}

/*
 * The first of two: an error of the wait or of the operation, whichever tells, that is one
 * of those documented.
 */
static int first_result(struct bench *bench)
{
	struct accel_completion completion = { 0 };
	int ret;

	check_mark();
	ret = accel_queue_wait(bench->queue, &completion, 1, 1, PATIENCE);
	if (ret == 1 && completion.status) {
		check_failed(completion.status, completion.status,
			     "an operation", __FILE__, __LINE__);
		return completion.status;
	}
	if (ret < 0)
		check_failed(ret, ret, "a wait", __FILE__, __LINE__);
	return ret;
}

/* What is still outstanding ends as cancelled. */
static void rest_cancelled(struct bench *bench)
{
	struct accel_completion completion;

	while (accel_queue_outstanding(bench->queue)) {
		CHECK_EQUAL(accel_queue_wait(bench->queue, &completion, 1, 1,
					     PATIENCE),
			    1);
		CHECK_EQUAL(completion.status, -ECANCELED);
	}
}

static void resets_and_goes_on(struct bench *bench)
{
	CHECK_OK(accel_device_reset(bench->device));
	rest_cancelled(bench);
	queue_works(bench->queue);
	bench_close(bench);
}

static void hang(void)
{
	struct bench bench = bench_open();
	int ret;

	two_submit(&bench);
	ret = first_result(&bench);
	CHECK(ret == -EIO || ret == -ETIMEDOUT);
	ret = accel_queue_cancel(bench.queue, PATIENCE);
	CHECK(!ret || ret == -ETIMEDOUT);
	rest_cancelled(&bench);
	queue_works(bench.queue);
	resets_and_goes_on(&bench);
}

static void hang_and_reset(void)
{
	struct bench bench = bench_open();
	int ret;

	two_submit(&bench);
	ret = first_result(&bench);
	CHECK(ret == -EIO || ret == -ETIMEDOUT);
	resets_and_goes_on(&bench);
}

static void lost_completion(void)
{
	struct bench bench = bench_open();
	int ret;

	two_submit(&bench);
	ret = first_result(&bench);
	CHECK(ret == -EIO || ret == -ETIMEDOUT);
	resets_and_goes_on(&bench);
}

static void all_ones(void)
{
	struct bench bench = bench_open();

	two_submit(&bench);
	CHECK_EQUAL(first_result(&bench), -ENODEV);
	resets_and_goes_on(&bench);
}

static void fatal(void)
{
	struct bench bench = bench_open();

	two_submit(&bench);
	CHECK_EQUAL(first_result(&bench), -EIO);
	resets_and_goes_on(&bench);
}

/* One operation fails, and with it those behind it; nothing needs a reset. */
static void memory_error(void)
{
	struct bench bench = bench_open();

	two_submit(&bench);
	CHECK_EQUAL(first_result(&bench), -EIO);
	rest_cancelled(&bench);
	queue_works(bench.queue);
	bench_close(&bench);
}

/* What comes after a failure is cancelled, also when nobody has heard of that yet. */
static void memory_error_unheard(void)
{
	const struct accel_operation operations[] = { nop(1), nop(2) };
	struct bench bench = bench_open();

	CHECK_EQUAL(accel_queue_submit(bench.queue, &operations[0], 1), 1);
	sleep(1);
	CHECK_EQUAL(accel_queue_submit(bench.queue, &operations[1], 1), 1);
	CHECK_EQUAL(first_result(&bench), -EIO);
	CHECK_EQUAL(accel_queue_outstanding(bench.queue), 1);
	rest_cancelled(&bench);
	queue_works(bench.queue);
	bench_close(&bench);
}

static void lost_interrupt(void)
{
	struct bench bench = bench_open();

	queue_works(bench.queue);
	bench_close(&bench);
}

/* It does not come back: every call says so at once, and another device serves instead. */
static void stays_away(struct bench *bench)
{
	const struct accel_operation one = nop(1);
	struct accel_device *other;
	struct accel_queue *queue;

	CHECK_EQUAL(first_result(bench), -ENODEV);
	CHECK_FAILS(accel_device_reset(bench->device), -ENODEV);
	rest_cancelled(bench);
	CHECK_FAILS(accel_queue_create(bench->device, NULL, &queue), -ENODEV);
	CHECK_FAILS(accel_queue_submit(bench->queue, &one, 1), -ENODEV);
	bench_close(bench);
	other = device_open_uri("cpu:");
	queue = queue_create(other, 4);
	queue_works(queue);
	accel_queue_destroy(queue);
	accel_device_close(other);
}

static void gone(void)
{
	struct bench bench = bench_open();

	two_submit(&bench);
	stays_away(&bench);
}

/* The process that serves the device dies. */
static void vanished(void)
{
	struct bench bench = bench_open();

	CHECK(settings.server > 0);
	queue_works(bench.queue);
	CHECK_OK(kill(settings.server, SIGKILL));
	two_submit(&bench);
	stays_away(&bench);
}

const struct test fault_tests[] = {
	{ "hang", hang, 0 },
	{ "hang-and-reset", hang_and_reset, 0 },
	{ "lost-completion", lost_completion, 0 },
	{ "all-ones", all_ones, 0 },
	{ "fatal", fatal, 0 },
	{ "memory-error", memory_error, 0 },
	{ "memory-error-unheard", memory_error_unheard, 0 },
	{ "lost-interrupt", lost_interrupt, 0 },
	{ "gone", gone, 0 },
	{ "vanished", vanished, 0 },
	{ 0 },
};
