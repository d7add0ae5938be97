/* SPDX-License-Identifier: MIT */
#include "execute.h"

#include "progress.h"

#include <accel/queue.h>
#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

/* How often a wait looks up to show progress. */
#define SLICE (100 * ACCEL_MILLISECOND)
#define CANCEL_TIMEOUT (5 * ACCEL_SECOND)

/* Take the run back: its plan may go only when the device has let go of it. */
static int cancel(struct accel_queue *queue, double seconds)
{
	struct accel_completion completion;
	int ret = accel_queue_cancel(queue, CANCEL_TIMEOUT);

	while (accel_queue_reap(queue, &completion, 1) > 0)
		;
	if (ret)
		return ret;
	return accel_error(
		-ETIMEDOUT,
		"not done within the deadline of %g s, and cancelled; --timeout allows more",
		seconds);
}

static int wait_for_run(const struct execution *execution,
			struct accel_queue *queue, uint64_t deadline,
			struct progress *progress)
{
	struct accel_completion completion;

	for (;;) {
		uint64_t left = deadline_remaining(deadline);
		int64_t slice = left < SLICE ? (int64_t)left : SLICE;
		int ret = accel_queue_wait(queue, &completion, 1, 1, slice);

		if (ret < 0)
			return ret;
		if (ret)
			return completion.status;
		if (deadline_expired(deadline))
			return cancel(queue, execution->timeout_seconds);
		if (!execution->quiet)
			progress_refresh(progress);
	}
}

/* Time counts from the doorbell on: neither load nor upload is the device's speed. */
static int run_once(const struct execution *execution,
		    struct accel_queue *queue, struct progress *progress,
		    double *seconds)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_RUN };
	uint64_t start = monotonic_ns();
	uint64_t deadline =
		deadline_after((uint64_t)(execution->timeout_seconds * 1e9));
	int ret;

	operation.run.plan = execution->session->plan;
	ret = accel_queue_submit(queue, &operation, 1);
	if (ret < 0)
		return ret;
	ret = wait_for_run(execution, queue, deadline, progress);
	*seconds = (double)(monotonic_ns() - start) / 1e9;
	return ret;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int run_all(struct execution *execution, struct accel_queue *queue,
		   double *seconds)
{
	struct progress progress;
	int ret = 0;

	progress_start(&progress, "running");
	for (int64_t i = 0; i < execution->repeat && !ret; i++) {
		if (!execution->quiet)
			progress_update(&progress, i, execution->repeat);
		ret = run_once(execution, queue, &progress, &seconds[i]);
	}
	progress_end(&progress);
	if (ret)
		return ret;
	/* the median: a host that does something else now and then does not show */
	qsort(seconds, (size_t)execution->repeat, sizeof(*seconds), by_value);
	execution->host_seconds = seconds[execution->repeat / 2];
	return 0;
}

/* A queue of its own for each execution: none finds what another left behind. */
int execute(struct execution *execution)
{
	struct accel_queue *queue = NULL;
	double *seconds;
	int ret;

	if (execution->timeout_seconds == 0)
		return accel_error(
			-ETIMEDOUT,
			"a deadline of 0 s is over before the run begins; --timeout allows more");
	seconds = calloc((size_t)execution->repeat, sizeof(*seconds));
	if (!seconds)
		return accel_error(-ENOMEM, "no memory for %lld runs",
				   (long long)execution->repeat);
	ret = accel_queue_create(execution->session->device, NULL, &queue);
	if (!ret)
		ret = run_all(execution, queue, seconds);
	accel_queue_destroy(queue);
	free(seconds);
	return ret;
}
