/* SPDX-License-Identifier: MIT */
/*
 * One thread gives items to devices that are idle, sleeps until one of them has completed
 * its own, and so on. An item of a device that failed stays its own until another takes it.
 */
#include "runtime/pool.h"

#include <accel/pool.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "backend/backend.h"
#include "core/checked.h"
#include "core/deadline.h"
#include "core/error.h"

/* How often it is seen to that devices still move. */
#define WATCH_NS (100 * ACCEL_MILLISECOND)
/* How long a run that is not wanted any more may take to stop. */
#define CANCEL_TIMEOUT (5 * ACCEL_SECOND)

/**
 * struct pool_run - one call of accel_pool_run()
 * @pool: that runs
 * @inputs: of all items
 * @input_count: of @inputs
 * @outputs: of all items
 * @output_count: of @outputs
 * @items: in all
 * @next: the first that nobody was given
 * @done: how many are
 * @deadline: for all
 * @watched: when devices were last looked at
 */
struct pool_run {
	struct accel_pool *pool;
	const struct accel_input *inputs;
	uint32_t input_count;
	const struct accel_output *outputs;
	uint32_t output_count;
	uint32_t items;
	uint32_t next;
	uint32_t done;
	uint64_t deadline;
	uint64_t watched;
};

static bool is_busy(const struct pool_member *member)
{
	return !member->error && member->item != POOL_NO_ITEM;
}

static bool has_lost_item(const struct pool_member *member)
{
	return member->error && member->item != POOL_NO_ITEM;
}

/* ---- what the caller gave ---- */

static int count_check(const struct plan_port *port, size_t count,
		       uint32_t items)
{
	size_t wanted;

	if (!checked_multiply(port->elements, items, &wanted))
		return accel_error(-EINVAL, "%s: %u items are too many",
				   port->tensor->name, items);
	if (count == wanted)
		return 0;
	return accel_error(-EINVAL,
			   "%s: %zu values given, but %u items have %zu",
			   port->tensor->name, count, items, wanted);
}

static int ports_check(const struct pool_run *run)
{
	const struct accel_plan *plan = run->pool->members[0].plan;
	const struct model *model = plan->model->model;
	int ret = 0;

	if (run->input_count > model->input_count ||
	    run->output_count > model->output_count)
		return accel_error(
			-EINVAL,
			"%s: %u inputs and %u outputs given, it has %u and %u",
			model->name, run->input_count, run->output_count,
			model->input_count, model->output_count);
	for (uint32_t i = 0; i < run->input_count && !ret; i++)
		if (run->inputs[i].data)
			ret = count_check(&plan->inputs[i],
					  run->inputs[i].count, run->items);
	for (uint32_t i = 0; i < run->output_count && !ret; i++)
		if (run->outputs[i].data)
			ret = count_check(&plan->outputs[i],
					  run->outputs[i].count, run->items);
	return ret;
}

static int run_check(const struct pool_run *run, int64_t timeout_ns)
{
	if (!run->pool || (run->input_count && !run->inputs) ||
	    (run->output_count && !run->outputs))
		return accel_error(-EINVAL, "accel_pool_run: NULL");
	if (timeout_ns < 0)
		return accel_error(-EINVAL, "pool: a timeout of %lld ns",
				   (long long)timeout_ns);
	return ports_check(run);
}

static int inputs_write(const struct pool_run *run, struct accel_plan *plan,
			uint32_t item)
{
	int ret = 0;

	for (uint32_t i = 0; i < plan->model->model->input_count && !ret; i++) {
		size_t elements = plan->inputs[i].elements;
		struct accel_input one = { 0 };

		if (i < run->input_count && run->inputs[i].data) {
			one = run->inputs[i];
			one.data += item * elements;
			one.count = elements;
		}
		ret = accel_plan_write_input(plan, i, &one);
	}
	return ret;
}

static int outputs_read(const struct pool_run *run, struct accel_plan *plan,
			uint32_t item)
{
	int ret = 0;

	for (uint32_t i = 0; i < run->output_count && !ret; i++) {
		struct accel_output one = run->outputs[i];

		if (!one.data)
			continue;
		one.count = plan->outputs[i].elements;
		one.data += item * one.count;
		ret = accel_plan_read_output(plan, i, &one);
	}
	return ret;
}

/* ---- one device ---- */

/* It gets no more; what it had is for others. The error's text is this thread's. */
static void member_fail(struct pool_member *member, int error)
{
	member->error = error;
	member->failures++;
	member->settled = false;
	snprintf(member->text, sizeof(member->text), "%s", accel_last_error());
}

static uint32_t items_waiting(const struct pool_run *run)
{
	uint32_t waiting = run->items - run->next;

	for (uint32_t i = 0; i < run->pool->count; i++)
		waiting += has_lost_item(&run->pool->members[i]);
	return waiting;
}

/* One of those that wait. */
static uint32_t item_take(struct pool_run *run)
{
	for (uint32_t i = 0; i < run->pool->count; i++) {
		struct pool_member *member = &run->pool->members[i];
		uint32_t item = member->item;

		if (!has_lost_item(member))
			continue;
		member->item = POOL_NO_ITEM;
		return item;
	}
	return run->next++;
}

/* An error is the caller's. */
static int member_start(struct pool_run *run, struct pool_member *member)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_RUN };
	int ret;

	member->item = item_take(run);
	ret = inputs_write(run, member->plan, member->item);
	if (ret)
		return ret;
	member->start = monotonic_ns();
	operation.run.plan = member->plan;
	ret = accel_queue_submit(member->queue, &operation, 1);
	if (ret < 0)
		member_fail(member, ret);
	return 0;
}

/* An error is the caller's. */
static int member_finish(struct pool_run *run, struct pool_member *member)
{
	int ret;

	pool_member_learn(member, monotonic_ns() - member->start);
	ret = outputs_read(run, member->plan, member->item);
	if (ret == -EINVAL)
		return ret;
	if (ret) {
		member_fail(member, ret);
		return 0;
	}
	member->item = POOL_NO_ITEM;
	member->items++;
	run->done++;
	return 0;
}

static int member_reap(struct pool_run *run, struct pool_member *member)
{
	struct accel_completion completion;
	int ret = accel_queue_reap(member->queue, &completion, 1);

	if (ret > 0 && !completion.status)
		return member_finish(run, member);
	if (ret)
		member_fail(member, ret < 0 ? ret : completion.status);
	return 0;
}

/* Nothing of a run that was given up stays; that may need a reset of the device. */
static void *member_cancel(void *argument)
{
	struct pool_member *member = argument;
	struct accel_completion completion;

	accel_error_hold();
	member->cancelled = 0;
	if (accel_queue_outstanding(member->queue))
		member->cancelled =
			accel_queue_cancel(member->queue, CANCEL_TIMEOUT);
	while (accel_queue_reap(member->queue, &completion, 1) > 0)
		;
	accel_error_release();
	return NULL;
}

static void member_settle(struct pool_member *member)
{
	if (member->cancelled && !member->error) {
		member->error = member->cancelled;
		snprintf(member->text, sizeof(member->text),
			 "a run could not be cancelled");
	}
	member->item = POOL_NO_ITEM;
	member->settled = true;
}

/* ---- all of them ---- */

static int devices_reap(struct pool_run *run)
{
	int ret = 0;

	for (uint32_t i = 0; i < run->pool->count && !ret; i++)
		if (is_busy(&run->pool->members[i]))
			ret = member_reap(run, &run->pool->members[i]);
	return ret;
}

static int devices_start(struct pool_run *run)
{
	struct accel_pool *pool = run->pool;
	int ret = 0;

	for (uint32_t i = 0; i < pool->count && !ret; i++) {
		struct pool_member *member = &pool->members[i];
		uint32_t waiting = items_waiting(run);

		if (!waiting)
			return 0;
		if (!member->error && !is_busy(member) &&
		    pool_member_should_run(pool, i, waiting, monotonic_ns()))
			ret = member_start(run, member);
	}
	return ret;
}

/* What hangs or is gone completes nothing, and signals nothing. */
static void devices_watch(struct pool_run *run)
{
	run->watched = monotonic_ns();
	for (uint32_t i = 0; i < run->pool->count; i++) {
		struct pool_member *member = &run->pool->members[i];
		int ret = 0;

		if (is_busy(member))
			ret = member->queue->operations->sleep(member->queue,
							       run->watched);
		if (ret)
			member_fail(member, ret);
	}
}

static uint32_t pollers_fill(const struct accel_pool *pool)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < pool->count; i++)
		if (is_busy(&pool->members[i]))
			pool->pollers[count++] = (struct pollfd){
				.fd = pool->members[i].file,
				.events = POLLIN,
			};
	return count;
}

static void signals_take(const struct accel_pool *pool, uint32_t count)
{
	uint64_t signals;

	for (uint32_t i = 0; i < count; i++)
		if (pool->pollers[i].revents & POLLIN &&
		    read(pool->pollers[i].fd, &signals, sizeof(signals)) < 0)
			continue; /* somebody else was faster: so be it */
}

/* Until something may have completed; devices are looked at now and then. */
static void devices_wait(struct pool_run *run)
{
	uint64_t left = deadline_remaining(run->deadline);
	struct timespec slice = { .tv_nsec = WATCH_NS };
	uint32_t count = pollers_fill(run->pool);

	if (left < (uint64_t)WATCH_NS)
		slice.tv_nsec = (long)left;
	if (!count)
		return;
	if (ppoll(run->pool->pollers, count, &slice, NULL) > 0)
		signals_take(run->pool, count);
	if (monotonic_ns() - run->watched >= (uint64_t)WATCH_NS)
		devices_watch(run);
}

/* 0, or −ENODEV with what the last device failed with. */
static int devices_check(const struct accel_pool *pool)
{
	const struct pool_member *last = NULL;

	for (uint32_t i = 0; i < pool->count; i++) {
		if (!pool->members[i].error)
			return 0;
		last = &pool->members[i];
	}
	return accel_error(
		-ENODEV, "pool: all of its %u devices have failed; %s with: %s",
		pool->count, last->plan->device->uri, last->text);
}

static bool is_to_cancel(const struct pool_member *member)
{
	return accel_queue_outstanding(member->queue) &&
	       !(member->error && member->settled);
}

/*
 * All at once, so that no device waits until another has stopped: its own thread for each,
 * since even an abort may wait for its device. Without one it is done here.
 */
static void devices_settle(struct accel_pool *pool)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		struct pool_member *member = &pool->members[i];

		member->has_thread = is_to_cancel(member) &&
				     !pthread_create(&member->thread, NULL,
						     member_cancel, member);
	}
	for (uint32_t i = 0; i < pool->count; i++) {
		struct pool_member *member = &pool->members[i];

		if (member->error && member->settled)
			continue;
		if (member->has_thread)
			pthread_join(member->thread, NULL);
		else
			member_cancel(member);
		member_settle(member);
	}
}

static int items_run(struct pool_run *run, int64_t timeout_ns)
{
	for (;;) {
		int ret = devices_reap(run);

		if (ret || run->done == run->items)
			return ret;
		ret = devices_check(run->pool);
		if (!ret)
			ret = devices_start(run);
		if (ret)
			return ret;
		if (deadline_expired(run->deadline))
			return accel_error(
				-ETIMEDOUT,
				"pool: %u of %u items done after %lld ms, the others cancelled; allow more time",
				run->done, run->items,
				(long long)(timeout_ns / ACCEL_MILLISECOND));
		devices_wait(run);
	}
}

int accel_pool_run(struct accel_pool *pool, const struct accel_input *inputs,
		   uint32_t input_count, const struct accel_output *outputs,
		   uint32_t output_count, uint32_t items, int64_t timeout_ns)
{
	struct pool_run run = {
		.pool = pool,
		.inputs = inputs,
		.input_count = input_count,
		.outputs = outputs,
		.output_count = output_count,
		.items = items,
		.watched = monotonic_ns(),
	};
	int ret = run_check(&run, timeout_ns);

	if (ret || !items)
		return ret;
	run.deadline = deadline_after((uint64_t)timeout_ns);
	ret = items_run(&run, timeout_ns);
	devices_settle(pool);
	return ret;
}
