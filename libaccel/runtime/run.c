/* SPDX-License-Identifier: MIT */
#include <accel/run.h>

#include <errno.h>
#include <stdio.h>

#include <accel/plan.h>
#include <accel/queue.h>

#include "core/error.h"
#include "runtime/object.h"

/* How long a run that is over its time may take to stop. */
#define CANCEL_TIMEOUT (5 * ACCEL_SECOND)
#define TEXT_SIZE 512

static int run_check(const struct accel_plan *plan, uint32_t input_count,
		     uint32_t output_count, int64_t timeout_ns)
{
	const struct model *model;

	if (!plan)
		return accel_error(-EINVAL, "accel_run: no plan");
	model = plan->model->model;
	if (input_count > model->input_count)
		return accel_error(-EINVAL, "%s: %u inputs given, it has %u",
				   model->name, input_count,
				   model->input_count);
	if (output_count > model->output_count)
		return accel_error(-EINVAL, "%s: %u outputs wanted, it has %u",
				   model->name, output_count,
				   model->output_count);
	if (timeout_ns < 0)
		return accel_error(-EINVAL, "%s: a timeout of %lld ns",
				   model->name, (long long)timeout_ns);
	if (!timeout_ns)
		return accel_error(
			-ETIMEDOUT,
			"%s: a timeout of 0 leaves no time to run; give some",
			model->name);
	return 0;
}

static int inputs_write(struct accel_plan *plan,
			const struct accel_input *inputs, uint32_t count)
{
	const struct accel_input zeros = { 0 };

	for (uint32_t i = 0; i < plan->model->model->input_count; i++) {
		int ret = accel_plan_write_input(
			plan, i, i < count ? &inputs[i] : &zeros);

		if (ret)
			return ret;
	}
	return 0;
}

/* Leaves nothing of a run that did not end; 0 or why even that failed. */
static int run_stop(struct accel_plan *plan)
{
	struct accel_completion completion;
	int ret = accel_queue_cancel(plan->queue, CANCEL_TIMEOUT);

	while (accel_queue_reap(plan->queue, &completion, 1) > 0)
		;
	return ret;
}

static int run_abandon(struct accel_plan *plan, int64_t timeout_ns)
{
	int ret = run_stop(plan);

	if (ret)
		return ret;
	return accel_error(
		-ETIMEDOUT,
		"%s: not done after %lld ms and cancelled; allow it more time",
		plan->model->model->name,
		(long long)(timeout_ns / ACCEL_MILLISECOND));
}

/* The device hangs or is gone: say that, not what stopping it said. */
static int run_fail(struct accel_plan *plan, int error)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%s", accel_last_error());
	run_stop(plan);
	return accel_error(error, "%s: %s", plan->model->model->name, text);
}

static int run_execute(struct accel_plan *plan, int64_t timeout_ns)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_RUN };
	struct accel_completion completion;
	int ret;

	operation.run.plan = plan;
	ret = accel_queue_submit(plan->queue, &operation, 1);
	if (ret < 0)
		return ret;
	ret = accel_queue_wait(plan->queue, &completion, 1, 1, timeout_ns);
	if (ret < 0)
		return run_fail(plan, ret);
	if (!ret)
		return run_abandon(plan, timeout_ns);
	return completion.status;
}

int accel_run(struct accel_plan *plan, const struct accel_input *inputs,
	      uint32_t input_count, const struct accel_output *outputs,
	      uint32_t output_count, int64_t timeout_ns)
{
	int ret = run_check(plan, input_count, output_count, timeout_ns);

	if (ret)
		return ret;
	if ((input_count && !inputs) || (output_count && !outputs))
		return accel_error(-EINVAL, "accel_run: NULL");
	if (!plan->queue) {
		ret = accel_queue_create(plan->device, NULL, &plan->queue);
		if (ret)
			return ret;
	}
	ret = inputs_write(plan, inputs, input_count);
	if (!ret)
		ret = run_execute(plan, timeout_ns);
	for (uint32_t i = 0; i < output_count && !ret; i++)
		ret = accel_plan_read_output(plan, i, &outputs[i]);
	return ret;
}
