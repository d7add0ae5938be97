/* SPDX-License-Identifier: MIT */
/*
 * A batch spread over several devices: the same results as of one, whatever the spread and
 * whatever fails on the way.
 */
#include "folder.h"
#include "published.h"
#include "sample_model.h"

#include <core/deadline.h>
#include <errno.h>
#include <runtime/pool.h>
#include <stdio.h>
#include <string.h>

#define DEVICES 2
#define ITEMS 24
#define PORTS 3
#define STALL ACCEL_SECOND
#define PATIENCE (60 * ACCEL_SECOND)
#define MS 1000000ull

static const struct accel_plan_options sizes = { .size = sizeof(sizes),
						 .batch = 2,
						 .height = 6,
						 .width = 6 };

/**
 * struct bench - two devices, one model, inputs and what a single device makes of them
 * @folder: of fault scripts
 * @inputs: of all items, for each port
 * @outputs: of a pool
 * @expected: of one device
 */
struct bench {
	const char *folder;
	struct accel_device *devices[DEVICES];
	struct accel_model *model;
	struct accel_pool *pool;
	uint32_t input_count;
	uint32_t output_count;
	struct accel_input inputs[PORTS];
	struct accel_output outputs[PORTS];
	struct accel_output expected[PORTS];
};

static float *values_create(size_t count, bool random)
{
	float *values = calloc(count, sizeof(*values));

	assert_non_null(values);
	for (size_t i = 0; i < count && random; i++)
		values[i] = (float)sample_int(-2000, 2000) * 0.001f;
	return values;
}

static size_t elements(struct accel_plan *plan, bool output, uint32_t index)
{
	struct accel_port_info port = { .size = sizeof(port) };

	assert_int_equal(output ? accel_plan_get_output(plan, index, &port) :
				  accel_plan_get_input(plan, index, &port),
			 0);
	return port.elements;
}

static void arrays_create(struct bench *bench, struct accel_plan *plan)
{
	struct accel_plan_info info = { .size = sizeof(info) };

	assert_int_equal(accel_plan_get_info(plan, &info), 0);
	bench->input_count = info.input_count;
	bench->output_count = info.output_count;
	for (uint32_t i = 0; i < info.input_count; i++) {
		bench->inputs[i].count = ITEMS * elements(plan, false, i);
		bench->inputs[i].data =
			values_create(bench->inputs[i].count, true);
	}
	for (uint32_t i = 0; i < info.output_count; i++) {
		size_t count = ITEMS * elements(plan, true, i);

		bench->outputs[i].count = bench->expected[i].count = count;
		bench->outputs[i].data = values_create(count, false);
		bench->expected[i].data = values_create(count, false);
	}
}

/* Item after item on the processor. */
static void expectation_run(struct bench *bench)
{
	struct accel_device *device = device_open("cpu:");
	struct accel_plan *plan = plan_create(device, bench->model, &sizes);

	arrays_create(bench, plan);
	for (uint32_t item = 0; item < ITEMS; item++) {
		struct accel_input in[PORTS];
		struct accel_output out[PORTS];

		for (uint32_t i = 0; i < bench->input_count; i++) {
			in[i] = bench->inputs[i];
			in[i].count /= ITEMS;
			in[i].data += item * in[i].count;
		}
		for (uint32_t i = 0; i < bench->output_count; i++) {
			out[i] = bench->expected[i];
			out[i].count /= ITEMS;
			out[i].data += item * out[i].count;
		}
		assert_int_equal(accel_run(plan, in, bench->input_count, out,
					   bench->output_count, PATIENCE),
				 0);
	}
	accel_plan_destroy(plan);
	accel_device_close(device);
}

/* A simulated device that a rule breaks, or a whole one. */
static struct accel_device *simulator_open(struct bench *bench, int number,
					   const char *rule)
{
	struct accel_device_options options = { .size = sizeof(options),
						.stall_timeout_ns = STALL };
	char uri[FOLDER_PATH + 32] = "sim:", name[16];
	struct accel_device *device;

	if (rule) {
		const char *path;
		FILE *file;

		snprintf(name, sizeof(name), "script%d", number);
		path = folder_path(bench->folder, name);
		file = fopen(path, "w");
		assert_non_null(file);
		fprintf(file, "fault: %s armed\n", rule);
		assert_int_equal(fclose(file), 0);
		snprintf(uri, sizeof(uri), "sim:?fault=%s", path);
	}
	if (accel_device_open(uri, &options, &device))
		fail_msg("%s: %s", uri, accel_last_error());
	return device;
}

static void bench_open(struct bench *bench, const char *folder,
		       const char *first, const char *second)
{
	const struct accel_pool_options options = { .size = sizeof(options),
						    .plan = &sizes };
	const char *rules[DEVICES] = { first, second };

	memset(bench, 0, sizeof(*bench));
	bench->folder = folder;
	sample_state = 77;
	bench->model = model_publish(sample_model());
	expectation_run(bench);
	for (int i = 0; i < DEVICES; i++)
		bench->devices[i] = simulator_open(bench, i, rules[i]);
	if (accel_pool_create(bench->devices, DEVICES, bench->model, &options,
			      &bench->pool))
		fail_msg("%s", accel_last_error());
}

static void bench_close(struct bench *bench)
{
	accel_pool_destroy(bench->pool);
	for (int i = 0; i < DEVICES; i++)
		accel_device_close(bench->devices[i]);
	accel_model_free(bench->model);
	for (uint32_t i = 0; i < bench->input_count; i++)
		free((void *)bench->inputs[i].data);
	for (uint32_t i = 0; i < bench->output_count; i++) {
		free(bench->outputs[i].data);
		free(bench->expected[i].data);
	}
}

static int pool_run(struct bench *bench, int64_t timeout)
{
	for (uint32_t i = 0; i < bench->output_count; i++)
		memset(bench->outputs[i].data, 0,
		       bench->outputs[i].count * sizeof(float));
	return accel_pool_run(bench->pool, bench->inputs, bench->input_count,
			      bench->outputs, bench->output_count, ITEMS,
			      timeout);
}

static void pool_run_is_exact(struct bench *bench)
{
	if (pool_run(bench, PATIENCE))
		fail_msg("%s", accel_last_error());
	for (uint32_t i = 0; i < bench->output_count; i++)
		assert_memory_equal(bench->outputs[i].data,
				    bench->expected[i].data,
				    bench->outputs[i].count * sizeof(float));
}

static struct accel_pool_info info_of(const struct bench *bench, uint32_t index)
{
	struct accel_pool_info info = { .size = sizeof(info) };

	assert_int_equal(accel_pool_get_info(bench->pool, index, &info), 0);
	return info;
}

static void results_are_those_of_one_device(void **state)
{
	struct bench bench;

	bench_open(&bench, *state, NULL, NULL);
	for (int i = 0; i < 3; i++)
		pool_run_is_exact(&bench);
	assert_int_equal(info_of(&bench, 0).items + info_of(&bench, 1).items,
			 3 * ITEMS);
	for (uint32_t i = 0; i < DEVICES; i++) {
		assert_true(info_of(&bench, i).items > 0);
		assert_true(info_of(&bench, i).item_ns > 0);
		assert_int_equal(info_of(&bench, i).error, 0);
		assert_int_equal(info_of(&bench, i).failures, 0);
	}
	bench_close(&bench);
}

/* The second device breaks after some items; it gets them, since the first is slow. */
static void is_exact_in_spite_of(const char *folder, const char *rule,
				 int error)
{
	struct accel_pool_info info;
	struct bench bench;

	bench_open(&bench, folder, "slow 10 on list always", rule);
	pool_run_is_exact(&bench);
	info = info_of(&bench, 1);
	assert_int_equal(info.error, error);
	assert_int_equal(info.failures, 1);
	assert_true(info.items < ITEMS);
	assert_int_equal(info_of(&bench, 0).items + info.items, ITEMS);
	/* It gets no more. */
	pool_run_is_exact(&bench);
	assert_int_equal(info_of(&bench, 1).items, info.items);
	bench_close(&bench);
}

static void an_item_that_fails_runs_elsewhere(void **state)
{
	is_exact_in_spite_of(*state, "memory_error on spmm after 8 always",
			     -EIO);
}

static void an_item_of_a_device_that_is_gone_runs_elsewhere(void **state)
{
	is_exact_in_spite_of(*state, "gone on spmm after 8", -ENODEV);
}

static void an_item_of_a_device_that_hangs_runs_elsewhere(void **state)
{
	is_exact_in_spite_of(*state, "hang on spmm after 8 until device", -EIO);
}

static void without_a_device_it_fails(void **state)
{
	struct bench bench;

	bench_open(&bench, *state, "memory_error on spmm after 8 always",
		   "memory_error on spmm after 20 always");
	assert_int_equal(pool_run(&bench, PATIENCE), -ENODEV);
	assert_non_null(strstr(accel_last_error(), "all of its 2 devices"));
	assert_non_null(strstr(accel_last_error(), "sim:?fault="));
	assert_int_equal(pool_run(&bench, PATIENCE), -ENODEV);
	bench_close(&bench);
}

static void it_ends_in_time(void **state)
{
	struct bench bench;
	uint64_t start;

	bench_open(&bench, *state, "hang on spmm after 4",
		   "hang on spmm after 4");
	start = monotonic_ns();
	assert_int_equal(pool_run(&bench, 100 * ACCEL_MILLISECOND), -ETIMEDOUT);
	assert_true(monotonic_ns() - start < 15000 * MS);
	assert_non_null(strstr(accel_last_error(), "of 24 items"));
	/* The hang was over with the cancelled run, and the devices are as good as new. */
	pool_run_is_exact(&bench);
	bench_close(&bench);
}

/* They are cancelled at the same time: an abort that nobody answers takes 10 s. */
static void devices_that_do_not_stop_are_cancelled_at_once(void **state)
{
	struct bench bench;
	uint64_t start;

	bench_open(&bench, *state, "hang on spmm after 4 until context",
		   "hang on spmm after 4 until context");
	start = monotonic_ns();
	assert_int_equal(pool_run(&bench, 100 * ACCEL_MILLISECOND), -ETIMEDOUT);
	assert_true(monotonic_ns() - start < 15000 * MS);
	bench_close(&bench);
}

static void a_timeout_of_nothing_never_suffices(void **state)
{
	struct bench bench;

	bench_open(&bench, *state, NULL, NULL);
	assert_int_equal(pool_run(&bench, 0), -ETIMEDOUT);
	pool_run_is_exact(&bench);
	bench_close(&bench);
}

static void devices_of_all_kinds_work_together(void **state)
{
	struct accel_device *mixed[] = { device_open("cpu:"),
					 device_open("sim:"),
					 device_open("cpu:") };
	const struct accel_pool_options options = { .size = sizeof(options),
						    .plan = &sizes };
	struct bench bench;

	bench_open(&bench, *state, NULL, NULL);
	accel_pool_destroy(bench.pool);
	assert_int_equal(accel_pool_create(mixed, 3, bench.model, &options,
					   &bench.pool),
			 0);
	pool_run_is_exact(&bench);
	for (int i = 0; i < 3; i++)
		accel_device_close(mixed[i]);
	/* The pool keeps them open. */
	pool_run_is_exact(&bench);
	bench_close(&bench);
}

static void bad_arguments_are_refused(void **state)
{
	struct accel_pool_options options = { .size = sizeof(options),
					      .plan = &sizes };
	struct accel_pool_info info = { .size = sizeof(info) };
	struct accel_pool *pool;
	struct bench bench;

	bench_open(&bench, *state, NULL, NULL);
	assert_int_equal(accel_pool_create(bench.devices, 0, bench.model,
					   &options, &pool),
			 -EINVAL);
	assert_int_equal(accel_pool_create(bench.devices, 1, bench.model, NULL,
					   &pool),
			 -EINVAL); /* the model leaves its sizes open */
	assert_int_equal(accel_pool_get_info(bench.pool, DEVICES, &info),
			 -EINVAL);
	assert_int_equal(pool_run(&bench, -1), -EINVAL);
	bench.inputs[0].count--;
	assert_int_equal(pool_run(&bench, PATIENCE), -EINVAL);
	bench.inputs[0].count++;
	bench.outputs[0].layout = ACCEL_LAYOUT_TNF;
	assert_int_equal(pool_run(&bench, PATIENCE), -EINVAL);
	bench.outputs[0].layout = ACCEL_LAYOUT_DEFAULT;
	bench.inputs[0].layout = ACCEL_LAYOUT_TNF;
	assert_int_equal(pool_run(&bench, PATIENCE), -EINVAL);
	bench.inputs[0].layout = ACCEL_LAYOUT_DEFAULT;
	assert_int_equal(accel_pool_run(bench.pool, NULL, 0, NULL, 0, 0, 1), 0);
	assert_int_equal(
		accel_pool_run(bench.pool, NULL, 0, NULL, 0, 5, PATIENCE), 0);
	pool_run_is_exact(&bench);
	bench_close(&bench);
}

/* ---- who takes an item ---- */

static struct accel_pool *pool_of_two(uint64_t first_ns, uint64_t second_ns)
{
	static union {
		struct accel_pool pool;
		uint8_t bytes[sizeof(struct accel_pool) +
			      2 * sizeof(struct pool_member)];
	} two;

	memset(&two, 0, sizeof(two));
	two.pool.count = 2;
	two.pool.members[0].item = two.pool.members[1].item = POOL_NO_ITEM;
	two.pool.members[0].item_ns = first_ns;
	two.pool.members[1].item_ns = second_ns;
	return &two.pool;
}

static void a_slow_device_leaves_the_last_items_to_a_fast_one(void **state)
{
	struct accel_pool *pool = pool_of_two(100, 1000);

	(void)state;
	pool->members[0].item = 0;
	pool->members[0].start = 5000;
	/* Before 6000 the first has done what it runs and 8 others. */
	assert_false(pool_member_should_run(pool, 1, 8, 5000));
	assert_true(pool_member_should_run(pool, 1, 9, 5000));
	/* One that is late is not counted on. */
	assert_false(pool_member_should_run(pool, 1, 8, 5200));
	assert_true(pool_member_should_run(pool, 1, 8, 5201));
	assert_true(pool_member_should_run(pool, 0, 1, 5000));
	/* What is not known has to be tried; what has failed is no help. */
	pool->members[1].item_ns = 0;
	assert_true(pool_member_should_run(pool, 1, 1, 5000));
	pool->members[1].item_ns = 1000;
	pool->members[0].error = -EIO;
	assert_true(pool_member_should_run(pool, 1, 1, 5000));
}

static void somebody_always_takes_the_last_item(void **state)
{
	(void)state;
	for (uint64_t a = 1; a < 2000; a += 37)
		for (uint64_t b = 1; b < 2000; b += 41) {
			struct accel_pool *pool = pool_of_two(a, b);

			assert_true(pool_member_should_run(pool, 0, 1, 7) ||
				    pool_member_should_run(pool, 1, 1, 7));
		}
}

static void durations_follow_what_was_seen(void **state)
{
	struct pool_member member = { .item_ns = 0 };

	(void)state;
	pool_member_learn(&member, 0);
	assert_int_equal(member.item_ns, 1);
	for (int i = 0; i < 50; i++)
		pool_member_learn(&member, 1000);
	assert_in_range(member.item_ns, 990, 1000);
	for (int i = 0; i < 50; i++)
		pool_member_learn(&member, 10);
	assert_in_range(member.item_ns, 10, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(results_are_those_of_one_device),
		folder_test(an_item_that_fails_runs_elsewhere),
		folder_test(an_item_of_a_device_that_is_gone_runs_elsewhere),
		folder_test(an_item_of_a_device_that_hangs_runs_elsewhere),
		folder_test(without_a_device_it_fails),
		folder_test(it_ends_in_time),
		folder_test(devices_that_do_not_stop_are_cancelled_at_once),
		folder_test(a_timeout_of_nothing_never_suffices),
		folder_test(devices_of_all_kinds_work_together),
		folder_test(bad_arguments_are_refused),
		cmocka_unit_test(
			a_slow_device_leaves_the_last_items_to_a_fast_one),
		cmocka_unit_test(somebody_always_takes_the_last_item),
		cmocka_unit_test(durations_follow_what_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
