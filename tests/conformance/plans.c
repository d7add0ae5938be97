/* SPDX-License-Identifier: MIT */
/* Models, plans and runs: what they say, and every error. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENTS_MAX 65536

/**
 * struct bench - a device with a plan
 * @device: open
 * @model: of the suite
 * @plan: of both
 * @count: values of its first input
 * @values: so many zeros and more
 */
struct bench {
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;
	size_t count;
	float values[ELEMENTS_MAX];
};

static struct bench *bench_open(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct accel_port_info port = { .size = sizeof(port) };

	CHECK(bench);
	bench->device = device_open();
	bench->model = model_load();
	bench->plan = plan_create(bench->device, bench->model, 0);
	CHECK_OK(accel_plan_get_input(bench->plan, 0, &port));
	CHECK(port.elements && port.elements < ELEMENTS_MAX);
	bench->count = port.elements;
	return bench;
}

static void bench_close(struct bench *bench)
{
	accel_plan_destroy(bench->plan);
	accel_model_free(bench->model);
	accel_device_close(bench->device);
	free(bench);
}

/* A copy of the model, of which one byte in the middle is another, and the end is missing. */
static int load_damaged(long length, bool invert)
{
	char path[] = "/tmp/accel-conformance-XXXXXX";
	FILE *from = fopen(settings.model, "rb");
	FILE *to = fdopen(mkstemp(path), "wb");
	struct accel_model *model = NULL;
	int ret, c;

	CHECK(from && to);
	for (long at = 0; at < length && (c = getc(from)) != EOF; at++)
		putc(invert && at == length / 2 ? c ^ 0x10 : c, to);
	fclose(from);
	fclose(to);
	ret = accel_model_load(path, &model);
	unlink(path);
	CHECK(!model || !ret);
	accel_model_free(model);
	return ret;
}

static long model_length(void)
{
	FILE *file = fopen(settings.model, "rb");
	long length;

	CHECK(file && !fseek(file, 0, SEEK_END));
	length = ftell(file);
	fclose(file);
	return length;
}

static void models_are_refused(void)
{
	struct accel_model *model = (void *)&settings;
	long length = model_length();
	int ret;

	CHECK_FAILS(accel_model_load("/no/such/model", &model), -ENOENT);
	CHECK(!model);
	CHECK_FAILS(accel_model_load(NULL, &model), -EINVAL);
	CHECK_FAILS(accel_model_load(settings.model, NULL), -EINVAL);
	CHECK_OK(load_damaged(length, false));
	ret = load_damaged(0, false);
	CHECK(ret == -EINVAL || ret == -EBADMSG);
	ret = load_damaged(length - 1, false);
	CHECK(ret == -EINVAL || ret == -EBADMSG);
	/* Tensors come last: what is inverted is one's, or the metadata's. */
	check_mark();
	ret = load_damaged(length, true);
	check_failed(ret, ret == -EINVAL ? -EINVAL : -EBADMSG,
		     "a damaged model", __FILE__, __LINE__);
}

static void a_model_describes_itself(void)
{
	struct accel_model *model = model_load();
	struct accel_model_info info = { .size = sizeof(info) };
	struct accel_port_info port = { .size = sizeof(port) };

	CHECK_OK(accel_model_get_info(model, &info));
	CHECK(info.name && *info.name);
	CHECK(info.input_count && info.output_count && info.layer_count);
	CHECK(info.nonzeros <= info.weights);
	CHECK_OK(accel_model_get_input(model, 0, &port));
	CHECK(port.name && port.dimension_count >= 1);
	CHECK_EQUAL((int64_t)port.elements, 0);
	CHECK_OK(accel_model_get_output(model, info.output_count - 1, &port));
	CHECK_FAILS(accel_model_get_input(model, info.input_count, &port),
		    -EINVAL);
	CHECK_FAILS(accel_model_get_output(model, info.output_count, &port),
		    -EINVAL);
	CHECK_FAILS(accel_model_get_info(NULL, &info), -EINVAL);
	accel_model_free(model);
}

static void plan_refused(struct accel_device *device, struct accel_model *model,
			 struct accel_plan_options options)
{
	struct accel_plan *plan = (void *)device;

	options.size = sizeof(options);
	CHECK_FAILS(accel_plan_create(device, model, &options, &plan), -EINVAL);
	CHECK(!plan);
}

static void plans_are_refused(void)
{
	const struct accel_plan_options sizes = { .height = 8, .width = 6 };
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan_options options = sizes;
	struct accel_plan *plan;

	/* The height and the width of the model are dynamic. */
	CHECK_FAILS(accel_plan_create(device, model, NULL, &plan), -EINVAL);
	options.height = 0;
	plan_refused(device, model, options);
	options = sizes;
	options.flags = 0x80;
	plan_refused(device, model, options);
	options = sizes;
	options.batch = UINT32_MAX;
	plan_refused(device, model, options);
	options = sizes;
	options.height = options.width = UINT32_MAX;
	plan_refused(device, model, options);
	CHECK_FAILS(accel_plan_create(NULL, model, NULL, &plan), -EINVAL);
	CHECK_FAILS(accel_plan_create(device, NULL, NULL, &plan), -EINVAL);
	CHECK_FAILS(accel_plan_create(device, model, NULL, NULL), -EINVAL);
	accel_model_free(model);
	accel_device_close(device);
}

static void loads_are_refused(void)
{
	const struct accel_plan_options options = { .size = sizeof(options),
						    .height = 8,
						    .width = 6 };
	struct accel_device *device = device_open();
	struct accel_plan *plan = (void *)device;

	CHECK_FAILS(accel_plan_load(device, "/no/such/model", &options, &plan),
		    -ENOENT);
	CHECK(!plan);
	CHECK_FAILS(accel_plan_load(device, settings.model, NULL, &plan),
		    -EINVAL);
	CHECK_FAILS(accel_plan_load(NULL, settings.model, &options, &plan),
		    -EINVAL);
	CHECK_FAILS(accel_plan_load(device, NULL, &options, &plan), -EINVAL);
	CHECK_FAILS(accel_plan_load(device, settings.model, &options, NULL),
		    -EINVAL);
	CHECK_OK(accel_plan_load(device, settings.model, &options, &plan));
	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
	accel_plan_destroy(plan);
	accel_device_close(device);
}

static void a_plan_describes_itself(void)
{
	struct bench *bench = bench_open();
	struct accel_plan_info info = { .size = sizeof(info) };
	struct accel_port_info port = { .size = sizeof(port) };
	struct accel_layer_info layer = { .size = sizeof(layer) };

	CHECK_OK(accel_plan_get_info(bench->plan, &info));
	CHECK_EQUAL(info.batch, 2);
	CHECK(info.input_count && info.output_count && info.layer_count);
	CHECK_OK(accel_plan_get_output(bench->plan, 0, &port));
	for (uint32_t i = 0; i < port.dimension_count; i++)
		CHECK(port.dimensions[i] > 0);
	CHECK_OK(accel_plan_get_layer(bench->plan, 0, &layer));
	CHECK(layer.name && layer.op);
	CHECK_EQUAL((int64_t)layer.cycles, 0);
	CHECK_OK(accel_plan_get_total(bench->plan, &layer));
	CHECK(!strcmp(layer.op, "total"));
	CHECK_FAILS(accel_plan_get_input(bench->plan, info.input_count, &port),
		    -EINVAL);
	CHECK_FAILS(accel_plan_get_output(bench->plan, info.output_count,
					  &port),
		    -EINVAL);
	CHECK_FAILS(accel_plan_get_layer(bench->plan, info.layer_count, &layer),
		    -EINVAL);
	CHECK_FAILS(accel_plan_get_info(NULL, &info), -EINVAL);
	CHECK_FAILS(accel_plan_get_total(NULL, &layer), -EINVAL);
	CHECK_FAILS(accel_plan_get_layer(NULL, 0, &layer), -EINVAL);
	bench_close(bench);
}

static void inputs_are_refused(void)
{
	struct bench *bench = bench_open();
	struct accel_input input = { bench->values, bench->count,
				     ACCEL_LAYOUT_DEFAULT };

	CHECK_OK(accel_plan_write_input(bench->plan, 0, &input));
	input.layout = ACCEL_LAYOUT_NHWC;
	CHECK_OK(accel_plan_write_input(bench->plan, 0, &input));
	input.layout = ACCEL_LAYOUT_TNF;
	CHECK_FAILS(accel_plan_write_input(bench->plan, 0, &input), -EINVAL);
	input.layout = (enum accel_layout)99;
	CHECK_FAILS(accel_plan_write_input(bench->plan, 0, &input), -EINVAL);
	input.layout = ACCEL_LAYOUT_DEFAULT;
	input.count++;
	CHECK_FAILS(accel_plan_write_input(bench->plan, 0, &input), -EINVAL);
	input.count = 0;
	CHECK_FAILS(accel_plan_write_input(bench->plan, 0, &input), -EINVAL);
	/* Zeros need no count. */
	input.data = NULL;
	CHECK_OK(accel_plan_write_input(bench->plan, 0, &input));
	CHECK_FAILS(accel_plan_write_input(bench->plan, 99, &input), -EINVAL);
	CHECK_FAILS(accel_plan_write_input(bench->plan, 0, NULL), -EINVAL);
	CHECK_FAILS(accel_plan_write_input(NULL, 0, &input), -EINVAL);
	bench_close(bench);
}

static void outputs_are_refused(void)
{
	struct bench *bench = bench_open();
	struct accel_output output = { bench->values, ELEMENTS_MAX,
				       ACCEL_LAYOUT_DEFAULT };

	CHECK_FAILS(accel_plan_read_output(bench->plan, 0, &output), -ENODATA);
	CHECK_OK(accel_run(bench->plan, NULL, 0, NULL, 0, PATIENCE));
	CHECK_FAILS(accel_plan_read_output(bench->plan, 0, &output), -EINVAL);
	CHECK_FAILS(accel_plan_read_output(bench->plan, 99, &output), -EINVAL);
	CHECK_FAILS(accel_plan_read_output(bench->plan, 0, NULL), -EINVAL);
	CHECK_FAILS(accel_plan_read_output(NULL, 0, &output), -EINVAL);
	output.data = NULL;
	CHECK_OK(accel_plan_read_output(bench->plan, 0, &output));
	bench_close(bench);
}

static void runs_are_refused(void)
{
	struct bench *bench = bench_open();
	const struct accel_input inputs[8] = { 0 };
	const struct accel_output outputs[8] = { 0 };

	CHECK_FAILS(accel_run(NULL, NULL, 0, NULL, 0, PATIENCE), -EINVAL);
	CHECK_FAILS(accel_run(bench->plan, NULL, 0, NULL, 0, -1), -EINVAL);
	CHECK_FAILS(accel_run(bench->plan, NULL, 0, NULL, 0, 0), -ETIMEDOUT);
	CHECK_FAILS(accel_run(bench->plan, inputs, 8, NULL, 0, PATIENCE),
		    -EINVAL);
	CHECK_FAILS(accel_run(bench->plan, NULL, 0, outputs, 8, PATIENCE),
		    -EINVAL);
	CHECK_FAILS(accel_run(bench->plan, NULL, 1, NULL, 0, PATIENCE),
		    -EINVAL);
	CHECK_FAILS(accel_run(bench->plan, NULL, 0, NULL, 1, PATIENCE),
		    -EINVAL);
	CHECK_OK(accel_run(bench->plan, inputs, 1, outputs, 1, PATIENCE));
	bench_close(bench);
}

/* One run at a time: until it is reaped the plan is not to be touched. */
static void a_plan_runs_once_at_a_time(void)
{
	struct bench *bench = bench_open();
	struct accel_queue *queue = queue_create(bench->device, 4);
	const struct accel_operation run = run_of(bench->plan);
	const struct accel_input input = { 0 };
	const struct accel_output output = { 0 };
	struct accel_completion completion;

	CHECK_EQUAL(accel_queue_submit(queue, &run, 1), 1);
	CHECK_FAILS(accel_queue_submit(queue, &run, 1), -EBUSY);
	CHECK_FAILS(accel_plan_write_input(bench->plan, 0, &input), -EBUSY);
	CHECK_FAILS(accel_plan_read_output(bench->plan, 0, &output), -EBUSY);
	CHECK_FAILS(accel_run(bench->plan, NULL, 0, NULL, 0, PATIENCE), -EBUSY);
	CHECK_EQUAL(accel_queue_wait(queue, &completion, 1, 1, PATIENCE), 1);
	CHECK_OK(completion.status);
	CHECK_OK(queue_finish(queue, &run));
	CHECK_OK(accel_plan_read_output(bench->plan, 0, &output));
	accel_queue_destroy(queue);
	bench_close(bench);
}

static void plans_keep_what_they_need(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(device, model, 0);

	accel_model_free(model);
	accel_device_close(device);
	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
	accel_plan_destroy(plan);
}

static void comparisons_are_refused(void)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct bench *bench = bench_open();
	struct accel_plan *keeping = plan_create(bench->device, bench->model,
						 ACCEL_PLAN_KEEP_ACTIVATIONS);

	CHECK_FAILS(accel_plan_compare(keeping, bench->plan, &difference),
		    -EINVAL);
	CHECK_FAILS(accel_plan_compare(keeping, NULL, &difference), -EINVAL);
	CHECK_FAILS(accel_plan_compare(NULL, keeping, &difference), -EINVAL);
	CHECK_FAILS(accel_plan_compare(keeping, keeping, &difference),
		    -ENODATA);
	CHECK_OK(accel_run(keeping, NULL, 0, NULL, 0, PATIENCE));
	CHECK_OK(accel_plan_compare(keeping, keeping, &difference));
	CHECK(difference.values);
	CHECK_EQUAL((int64_t)difference.differing, 0);
	CHECK_FAILS(accel_plan_compare(keeping, keeping, NULL), -EINVAL);
	accel_plan_destroy(keeping);
	bench_close(bench);
}

const struct test plan_tests[] = {
	{ "impossible models are refused", models_are_refused, 0 },
	{ "a model describes itself", a_model_describes_itself, 0 },
	{ "impossible plans are refused", plans_are_refused, 0 },
	{ "impossible loads are refused", loads_are_refused, 0 },
	{ "a plan describes itself", a_plan_describes_itself, 0 },
	{ "impossible inputs are refused", inputs_are_refused, 0 },
	{ "impossible outputs are refused", outputs_are_refused, 0 },
	{ "impossible runs are refused", runs_are_refused, 0 },
	{ "a plan runs once at a time", a_plan_runs_once_at_a_time, 0 },
	{ "plans keep what they need", plans_keep_what_they_need, 0 },
	{ "impossible comparisons are refused", comparisons_are_refused, 0 },
	{ 0 },
};
