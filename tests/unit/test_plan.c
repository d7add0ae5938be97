/* SPDX-License-Identifier: MIT */
/* What plans and runs promise beside the right values. */
#include "published.h"
#include "sample_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE (60 * ACCEL_SECOND)

/* Any size of picture, 4 channels, and a state; three outputs. */
static struct accel_model *any_size(void)
{
	sample_state = 5;
	return model_publish(sample_model());
}

/* A chain of convolutions on 3 × size × size. */
static struct accel_model *chain(uint32_t size, uint32_t channels, int layers)
{
	struct golden_quantization q = { 0.02f, 3 };
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 1 };
	struct model *model = model_create("chain");
	int last = sample_tensor(model, "x", MODEL_INT8, q, 3);

	model->tensors[0].height = model->tensors[0].width = size;
	model_add_input(model, &port);
	for (int l = 0; l < layers; l++) {
		struct model_layer layer;
		char name[16];
		int output;

		snprintf(name, sizeof(name), "conv%d", l);
		output = sample_tensor(model, name, MODEL_INT8, q, channels);
		layer = sample_spmm(model, name, last, output, 3);
		sample_add(model, &layer);
		last = output;
	}
	port.tensor = last;
	model_add_output(model, &port);
	return model_publish(model);
}

static void refused(struct accel_device *device, struct accel_model *model,
		    struct accel_plan_options options, int error,
		    const char *words)
{
	struct accel_plan *plan = (void *)1;

	options.size = sizeof(options);
	assert_int_equal(accel_plan_create(device, model, &options, &plan),
			 error);
	assert_null(plan);
	if (!strstr(accel_last_error(), words))
		fail_msg("\"%s\" does not say \"%s\"", accel_last_error(),
			 words);
}

static void sizes_that_do_not_fit(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_model *open = any_size(), *fixed = chain(6, 4, 1);

	refused(device, open, (struct accel_plan_options){ 0 }, -EINVAL,
		"height");
	refused(device, open, (struct accel_plan_options){ .height = 6 },
		-EINVAL, "width");
	refused(device, open,
		(struct accel_plan_options){
			.height = 6, .width = 6, .flags = 0x100 },
		-EINVAL, "flags");
	refused(device, open,
		(struct accel_plan_options){ .height = 1u << 31,
					     .width = 1u << 31,
					     .batch = 1u << 31 },
		-EINVAL, "");
	refused(device, fixed, (struct accel_plan_options){ .height = 7 },
		-EINVAL, "height 7");
	accel_model_free(open);
	accel_model_free(fixed);
	accel_device_close(device);
}

static void a_model_says_what_it_takes(const char *uri)
{
	struct accel_port_info port = { .size = sizeof(port) };
	struct accel_model_info info = { .size = sizeof(info) };
	struct accel_plan_options options = {
		.size = sizeof(options), .batch = 2, .height = 8, .width = 6
	};
	struct accel_device *device = device_open(uri);
	struct accel_model *model = any_size();
	struct accel_plan *plan = plan_create(device, model, &options);

	assert_int_equal(accel_model_get_info(model, &info), 0);
	assert_string_equal(info.name, "sample");
	assert_int_equal(info.kind, ACCEL_MODEL_IMAGE);
	assert_int_equal(info.input_count, 2);
	assert_int_equal(info.output_count, 3);
	assert_int_equal(accel_model_get_input(model, 2, &port), -EINVAL);
	assert_int_equal(accel_model_get_input(model, 0, &port), 0);
	assert_string_equal(port.name, "x");
	assert_int_equal(port.layout, ACCEL_LAYOUT_NCHW);
	assert_int_equal(port.dimensions[0], ACCEL_DYNAMIC);
	assert_int_equal(port.dimensions[1], 4);
	assert_int_equal(port.dimensions[2], ACCEL_DYNAMIC);
	assert_int_equal(port.elements, 0);
	assert_int_equal(accel_plan_get_input(plan, 0, &port), 0);
	assert_int_equal(port.dimensions[0], 2);
	assert_int_equal(port.dimensions[2], 8);
	assert_int_equal(port.dimensions[3], 6);
	assert_int_equal(port.elements, 2 * 4 * 8 * 6);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void wrong_arrays_are_refused(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_model *model = chain(6, 4, 1);
	struct accel_plan *plan = plan_create(device, model, NULL);
	static float x[3 * 36], y[4 * 36];
	struct accel_input input = { x, 3 * 36, ACCEL_LAYOUT_DEFAULT };
	struct accel_output output = { y, 4 * 36, ACCEL_LAYOUT_DEFAULT };

	assert_int_equal(accel_plan_read_output(plan, 0, &output), -ENODATA);
	assert_int_equal(accel_run(NULL, &input, 1, &output, 1, PATIENCE),
			 -EINVAL);
	assert_int_equal(accel_run(plan, &input, 2, &output, 1, PATIENCE),
			 -EINVAL);
	assert_int_equal(accel_run(plan, &input, 1, &output, 2, PATIENCE),
			 -EINVAL);
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, -1), -EINVAL);
	input.count--;
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, PATIENCE),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "107 values"));
	input.count++;
	input.layout = ACCEL_LAYOUT_TNF;
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, PATIENCE),
			 -EINVAL);
	input.layout = ACCEL_LAYOUT_NHWC;
	output.count++;
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, PATIENCE),
			 -EINVAL);
	output.count--;
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, PATIENCE), 0);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void both_picture_layouts_mean_the_same(const char *uri)
{
	enum { N = 2, C = 3, S = 5, M = 4 };
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = N };
	struct accel_device *device = device_open(uri);
	struct accel_model *model = chain(S, M, 2);
	struct accel_plan *plan = plan_create(device, model, &options);
	static float nchw[N][C][S][S], nhwc[N][S][S][C];
	static float out[N][M][S][S], out_last[N][S][S][M];
	struct accel_input input = { &nchw[0][0][0][0], N * C * S * S,
				     ACCEL_LAYOUT_NCHW };
	struct accel_output output = { &out[0][0][0][0], N * M * S * S,
				       ACCEL_LAYOUT_DEFAULT };

	for (int i = 0; i < N * C * S * S; i++) {
		int n = i / (C * S * S), c = i / (S * S) % C, y = i / S % S;

		nchw[n][c][y][i % S] = (float)sample_int(-200, 200) * 0.01f;
		nhwc[n][y][i % S][c] = nchw[n][c][y][i % S];
	}
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, PATIENCE), 0);
	input = (struct accel_input){ &nhwc[0][0][0][0], N * C * S * S,
				      ACCEL_LAYOUT_NHWC };
	output = (struct accel_output){ &out_last[0][0][0][0], N * M * S * S,
					ACCEL_LAYOUT_NHWC };
	assert_int_equal(accel_run(plan, &input, 1, &output, 1, PATIENCE), 0);
	for (int i = 0; i < N * M * S * S; i++) {
		int n = i / (M * S * S), c = i / (S * S) % M, y = i / S % S;

		assert_true(out[n][c][y][i % S] == out_last[n][y][i % S][c]);
	}
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void no_time_is_no_run(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_model *model = chain(6, 4, 1);
	struct accel_plan *plan = plan_create(device, model, NULL);
	struct accel_input input = { 0 };

	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, 0), -ETIMEDOUT);
	assert_non_null(strstr(accel_last_error(), "no time"));
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE), 0);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

/* Large enough for the deadline to pass on any machine, however busy. */
static void a_run_over_its_time_is_cancelled(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_model *model = chain(256, 32, 4);
	struct accel_plan *plan = plan_create(device, model, NULL);
	struct accel_input input = { 0 };
	struct accel_output output = { 0 };

	for (int i = 0; i < 2; i++) {
		assert_int_equal(accel_run(plan, &input, 1, NULL, 0, 1),
				 -ETIMEDOUT);
		assert_non_null(strstr(accel_last_error(), "cancelled"));
		assert_int_equal(accel_plan_read_output(plan, 0, &output),
				 -ENODATA);
	}
	accel_plan_destroy(plan);
	accel_model_free(model);
	/* The device goes on working. */
	model = chain(6, 4, 1);
	plan = plan_create(device, model, NULL);
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE), 0);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void one_run_of_a_plan_at_a_time(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_model *model = chain(6, 4, 1);
	struct accel_plan *plan = plan_create(device, model, NULL);
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_RUN,
					     .user_data = 77 };
	struct accel_completion completion;
	struct accel_input input = { 0 };
	struct accel_queue *queue;

	operation.run.plan = plan;
	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
	assert_int_equal(accel_queue_submit(queue, &operation, 1), -EBUSY);
	assert_int_equal(accel_plan_write_input(plan, 0, &input), -EBUSY);
	assert_int_equal(accel_queue_wait(queue, &completion, 1, 1, PATIENCE),
			 1);
	assert_int_equal(completion.user_data, 77);
	assert_int_equal(completion.status, 0);
	assert_int_equal(accel_plan_write_input(plan, 0, &input), 0);
	/* A queue that goes leaves the plan free for others. */
	assert_int_equal(accel_queue_submit(queue, &operation, 1), 1);
	accel_queue_destroy(queue);
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE), 0);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void handles_may_be_dropped_early(const char *uri)
{
	struct accel_device *device = device_open(uri);
	struct accel_model *model = chain(6, 4, 1);
	struct accel_plan *plan = plan_create(device, model, NULL);
	struct accel_input input = { 0 };

	accel_model_free(model);
	accel_device_close(device);
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE), 0);
	accel_plan_destroy(plan);
}

static const char *const uris[] = { "sim:", "cpu:", "nil:" };

#define ON_EACH(behaviour, count)                     \
	static void behaviour##_on_each(void **state) \
	{                                             \
		(void)state;                          \
		for (int i = 0; i < (count); i++)     \
			behaviour(uris[i]);           \
	}

ON_EACH(sizes_that_do_not_fit, 3)
ON_EACH(a_model_says_what_it_takes, 3)
ON_EACH(wrong_arrays_are_refused, 3)
ON_EACH(both_picture_layouts_mean_the_same, 2)
ON_EACH(no_time_is_no_run, 3)
ON_EACH(a_run_over_its_time_is_cancelled, 2)
ON_EACH(one_run_of_a_plan_at_a_time, 3)
ON_EACH(handles_may_be_dropped_early, 3)

static void a_reset_makes_plans_stale(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct accel_model *model = chain(6, 4, 1);
	struct accel_plan *plan = plan_create(device, model, NULL);
	struct accel_input input = { 0 };

	(void)state;
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE), 0);
	assert_int_equal(accel_device_reset(device), 0);
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE),
			 -ESTALE);
	assert_non_null(strstr(accel_last_error(), "make the plan anew"));
	accel_plan_destroy(plan);
	plan = plan_create(device, model, NULL);
	assert_int_equal(accel_run(plan, &input, 1, NULL, 0, PATIENCE), 0);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void plans_give_their_memory_back(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device = device_open("sim:");
	struct accel_model *model = chain(16, 8, 3);

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct accel_plan *plan = plan_create(device, model, NULL);

		assert_int_equal(accel_device_get_info(device, &info), 0);
		assert_true(info.memory_used > 0);
		accel_plan_destroy(plan);
		assert_int_equal(accel_device_get_info(device, &info), 0);
		assert_int_equal(info.memory_used, 0);
	}
	accel_model_free(model);
	accel_device_close(device);
}

static void a_plan_too_large_for_the_device(void **state)
{
	char path[] = "/tmp/accel-test-config-XXXXXX", uri[64];
	struct accel_model *model = chain(200, 24, 3);
	struct accel_device *device;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	dprintf(fd, "preset = small\nmemory_bytes = 1M\n");
	close(fd);
	snprintf(uri, sizeof(uri), "sim:%s", path);
	device = device_open(uri);
	unlink(path);
	refused(device, model, (struct accel_plan_options){ 0 }, -ENOMEM,
		"device memory is short");
	accel_model_free(model);
	accel_device_close(device);
}

static void plans_that_cannot_be_compared(void **state)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct accel_plan_options options = { .size = sizeof(options) };
	struct accel_device *device = device_open("cpu:");
	struct accel_model *model = chain(6, 4, 1), *other = chain(6, 4, 1);
	struct accel_plan *first, *second, *foreign;
	struct accel_input input = { 0 };

	(void)state;
	first = plan_create(device, model, &options);
	assert_int_equal(accel_plan_compare(first, first, &difference),
			 -EINVAL);
	accel_plan_destroy(first);
	options.flags = ACCEL_PLAN_KEEP_ACTIVATIONS;
	first = plan_create(device, model, &options);
	second = plan_create(device, model, &options);
	foreign = plan_create(device, other, &options);
	assert_int_equal(accel_plan_compare(first, second, &difference),
			 -ENODATA);
	assert_int_equal(accel_plan_compare(first, foreign, &difference),
			 -EINVAL);
	assert_int_equal(accel_run(first, &input, 1, NULL, 0, PATIENCE), 0);
	assert_int_equal(accel_run(second, &input, 1, NULL, 0, PATIENCE), 0);
	assert_int_equal(accel_plan_compare(first, second, &difference), 0);
	assert_int_equal(difference.values, 4 * 36);
	assert_int_equal(difference.differing, 0);
	accel_plan_destroy(first);
	accel_plan_destroy(second);
	accel_plan_destroy(foreign);
	accel_model_free(model);
	accel_model_free(other);
	accel_device_close(device);
}

static void the_first_difference_is_located(void **state)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct accel_plan_options options = {
		.size = sizeof(options), .flags = ACCEL_PLAN_KEEP_ACTIVATIONS
	};
	struct accel_device *device = device_open("cpu:");
	struct accel_model *model = chain(6, 4, 1);
	struct accel_plan *first = plan_create(device, model, &options);
	struct accel_plan *second = plan_create(device, model, &options);
	static float x[3 * 36];
	struct accel_input input = { x, 3 * 36, ACCEL_LAYOUT_DEFAULT };

	(void)state;
	assert_int_equal(accel_run(first, &input, 1, NULL, 0, PATIENCE), 0);
	/* Pixel (5, 5) is seen by results (4, 4) and later only. */
	for (int c = 0; c < 3; c++)
		x[c * 36 + 35] = 2.5f;
	assert_int_equal(accel_run(second, &input, 1, NULL, 0, PATIENCE), 0);
	assert_int_equal(accel_plan_compare(first, second, &difference), 0);
	assert_in_range(difference.differing, 1, 4 * 4);
	assert_string_equal(difference.layer, "conv0");
	assert_true(difference.y >= 4 && difference.x >= 4);
	assert_int_equal(difference.column, difference.y * 6 + difference.x);
	assert_true(difference.first != difference.second);
	accel_plan_destroy(first);
	accel_plan_destroy(second);
	accel_model_free(model);
	accel_device_close(device);
}

/* Run a chain of two layers once, on zeros; its plan. */
static struct accel_plan *plan_run(struct accel_device *device,
				   struct accel_model *model)
{
	struct accel_plan *plan = NULL;

	assert_int_equal(accel_plan_create(device, model, NULL, &plan), 0);
	assert_int_equal(accel_run(plan, NULL, 0, NULL, 0, PATIENCE), 0);
	return plan;
}

static struct accel_layer_info layer_of(const struct accel_plan *plan,
					uint32_t index)
{
	struct accel_layer_info info = { .size = sizeof(info) };

	assert_int_equal(accel_plan_get_layer(plan, index, &info), 0);
	return info;
}

static void layers_account_for_every_lane_cycle(void **state)
{
	struct accel_device_info about = { .size = sizeof(about) };
	struct accel_layer_info total = { .size = sizeof(total) };
	struct accel_device *device = device_open("sim:");
	struct accel_model *model = chain(8, 4, 2);
	struct accel_plan *plan = plan_run(device, model);
	uint64_t lanes, all = 0;

	(void)state;
	assert_int_equal(accel_device_get_info(device, &about), 0);
	lanes = (uint64_t)about.clusters * about.lanes;
	for (uint32_t i = 0; i < 3; i++) {
		struct accel_layer_info info = layer_of(plan, i);
		uint64_t sum = 0;

		for (int c = 0; c < ACCEL_STALL_CAUSES; c++)
			sum += info.stall[c];
		assert_true(info.cycles > 0);
		assert_int_equal((sum + lanes - 1) / lanes, info.cycles);
	}
	assert_int_equal(accel_plan_get_total(plan, &total), 0);
	for (int c = 0; c < ACCEL_STALL_CAUSES; c++)
		all += total.stall[c];
	assert_int_equal(all, total.cycles * lanes);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void layers_tell_their_schedule_and_operands(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct accel_model *model = chain(8, 4, 2);
	struct accel_plan *plan = plan_run(device, model);
	struct accel_layer_info first = layer_of(plan, 0);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct accel_layer_info info = layer_of(plan, i);

		assert_true(info.optimal_cycles > 0);
		assert_true(info.issue_cycles >= info.optimal_cycles);
		assert_true(info.bytes_weights >= info.nnz);
		assert_int_equal(info.host_ns, 0);
	}
	assert_int_equal(first.bytes_input, 3 * 8 * 8);
	assert_int_equal(first.bytes_output, 4 * first.n);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

static void this_processor_times_its_layers(void **state)
{
	struct accel_layer_info total = { .size = sizeof(total) };
	struct accel_device *device = device_open("cpu:");
	struct accel_model *model = chain(8, 4, 2);
	struct accel_plan *plan = plan_run(device, model);
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct accel_layer_info info = layer_of(plan, i);

		assert_true(info.host_ns > 0);
		assert_int_equal(info.cycles, 0);
		sum += info.host_ns;
	}
	assert_int_equal(accel_plan_get_total(plan, &total), 0);
	assert_int_equal(total.host_ns, sum);
	/* Another run does not add to the one before. */
	assert_int_equal(accel_run(plan, NULL, 0, NULL, 0, PATIENCE), 0);
	sum = layer_of(plan, 0).host_ns + layer_of(plan, 1).host_ns;
	assert_int_equal(accel_plan_get_total(plan, &total), 0);
	assert_int_equal(total.host_ns, sum);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_that_do_not_fit_on_each),
		cmocka_unit_test(a_model_says_what_it_takes_on_each),
		cmocka_unit_test(wrong_arrays_are_refused_on_each),
		cmocka_unit_test(both_picture_layouts_mean_the_same_on_each),
		cmocka_unit_test(no_time_is_no_run_on_each),
		cmocka_unit_test(a_run_over_its_time_is_cancelled_on_each),
		cmocka_unit_test(one_run_of_a_plan_at_a_time_on_each),
		cmocka_unit_test(handles_may_be_dropped_early_on_each),
		cmocka_unit_test(a_reset_makes_plans_stale),
		cmocka_unit_test(plans_give_their_memory_back),
		cmocka_unit_test(a_plan_too_large_for_the_device),
		cmocka_unit_test(plans_that_cannot_be_compared),
		cmocka_unit_test(the_first_difference_is_located),
		cmocka_unit_test(layers_account_for_every_lane_cycle),
		cmocka_unit_test(layers_tell_their_schedule_and_operands),
		cmocka_unit_test(this_processor_times_its_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
