/* SPDX-License-Identifier: MIT */
/*
 * Training in int8 sees what the device computes: a tape whose weights and tensors
 * are rounded agrees with the lowered model, run on the CPU, to within the codes that
 * differ because the tape's sums are in binary32.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <compress/calibrate.h>
#include <compress/lower.h>
#include <compress/onnx_import.h>
#include <compress/sample.h>
#include <metrics/pixel_error.h>
#include <train/fake_quantize.h>
#include <train/tape.h>

#include "one_node.h"
#include "published.h"

#define PATIENCE 60000000000

#define INPUTS 3

/**
 * struct trial - a published model, calibrated
 * @inputs: one batch; states are zero
 * @result: room for the first output of a run
 */
struct trial {
	struct graph *graph;
	struct array inputs[INPUTS];
	struct quantize_range *ranges;
	float *result;
	size_t result_count;
};

static size_t array_count(const struct array *array)
{
	return (size_t)graph_shape_count(&array->shape);
}

/* Noise of one batch; states for as many sequences as it has. */
static void make_inputs(struct trial *trial, const struct graph_shape *shape)
{
	const struct graph *graph = trial->graph;
	struct sample_generator generator;

	assert_true(graph->input_count <= INPUTS);
	sample_seed(&generator, 5);
	for (int i = 0; i < graph->input_count; i++) {
		struct array *input = &trial->inputs[i];

		input->shape = i ? graph->tensors[graph->inputs[i]].shape :
				   *shape;
		if (i)
			input->shape.dims[1] = shape->dims[1];
		input->values = calloc(array_count(input), sizeof(float));
		if (!i)
			sample_normals(&generator, input->values,
				       array_count(input));
	}
}

static void trial_begin(struct trial *trial, const char *name,
			const struct graph_shape *shape)
{
	const char *folder = getenv("ACCEL_SHARED_DIR");
	struct array *sample = trial->inputs;
	bool states[INPUTS] = { false, true, true };
	const struct calibration_options none = { .input_range = { 0 } };
	struct calibration_data data = { &sample, 1, 1, states };
	char path[4096];

	memset(trial, 0, sizeof(*trial));
	if (!folder || !*folder) {
		print_message("no published models here\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/models/%s.onnx", folder, name);
	if (onnx_import(path, &trial->graph))
		fail_msg("%s", accel_last_error());
	make_inputs(trial, shape);
	trial->ranges = calloc((size_t)trial->graph->tensor_count + 1,
			       sizeof(*trial->ranges));
	data.input_count = trial->graph->input_count;
	if (calibration_run(trial->graph, &data, &none, trial->ranges, NULL))
		fail_msg("%s", accel_last_error());
}

static void trial_end(struct trial *trial)
{
	for (int i = 0; i < trial->graph->input_count; i++)
		free(trial->inputs[i].values);
	graph_destroy(trial->graph);
	free(trial->ranges);
	free(trial->result);
}

/* Height and width of images, steps of sequences. */
static struct accel_plan_options plan_sizes(const struct graph_shape *shape)
{
	struct accel_plan_options sizes = { .size = sizeof(sizes) };

	sizes.batch = (uint32_t)shape->dims[shape->rank == 3];
	if (shape->rank == 3)
		sizes.steps = (uint32_t)shape->dims[0];
	if (shape->rank == 4) {
		sizes.height = (uint32_t)shape->dims[2];
		sizes.width = (uint32_t)shape->dims[3];
	}
	return sizes;
}

static void run_lowered(struct trial *trial, float *result)
{
	const struct lower_options options = { .ranges = trial->ranges };
	struct accel_device *device = device_open("cpu:");
	struct accel_input input = { .data = trial->inputs[0].values,
				     .count = array_count(&trial->inputs[0]) };
	struct accel_output output = { .data = result,
				       .count = trial->result_count };
	struct accel_plan_options sizes = plan_sizes(&trial->inputs[0].shape);
	struct model *model;
	struct accel_model *published;
	struct accel_plan *plan;

	if (graph_lower(trial->graph, &options, &model))
		fail_msg("%s", accel_last_error());
	published = model_publish(model);
	plan = plan_create(device, published, &sizes);
	if (accel_run(plan, &input, 1, &output, 1, PATIENCE))
		fail_msg("%s", accel_last_error());
	accel_plan_destroy(plan);
	accel_model_free(published);
	accel_device_close(device);
}

/* Rounded or not; the result has room when this returns. */
static void run_tape(struct trial *trial, bool rounded)
{
	const struct fake_quantize_options options = { .ranges =
							       trial->ranges };
	int tensors = trial->graph->tensor_count;
	bool *seeded = calloc((size_t)tensors, sizeof(*seeded));
	int output = trial->graph->outputs[0];
	struct fake_quantize *fake;
	struct tape_options tape_options = {
		.seeded = seeded,
		.transform = fake_quantize_transform,
	};
	const float *inputs[INPUTS];
	struct graph_shape shapes[INPUTS];
	struct tape *tape;

	for (int i = 0; i < trial->graph->input_count; i++) {
		inputs[i] = trial->inputs[i].values;
		shapes[i] = trial->inputs[i].shape;
	}
	seeded[output] = true;
	if (fake_quantize_create(&fake, trial->graph, &options))
		fail_msg("%s", accel_last_error());
	fake_quantize_enable(fake, rounded);
	fake_quantize_weights(fake);
	tape_options.transform_context = fake;
	tape_options.transformed = fake_quantize_tensors(fake);
	assert_int_equal(
		tape_create(&tape, trial->graph, shapes, &tape_options), 0);
	for (int t = 0; t < tensors; t++)
		tape_replace_constant(tape, t, fake_quantize_rounded(fake, t));
	assert_int_equal(tape_forward(tape, inputs), 0);
	trial->result_count =
		(size_t)graph_shape_count(tape_shape(tape, output));
	free(trial->result);
	trial->result = malloc(trial->result_count * sizeof(float));
	memcpy(trial->result, tape_values(tape, output),
	       trial->result_count * sizeof(float));
	tape_destroy(tape);
	fake_quantize_destroy(fake);
	free(seeded);
}

static double quality(const struct trial *trial, const float *a, const float *b)
{
	struct quantize_range range = { a[0], a[0] };

	for (size_t i = 0; i < trial->result_count; i++) {
		range.low = fminf(range.low, a[i]);
		range.high = fmaxf(range.high, a[i]);
	}
	return metrics_psnr(a, b, trial->result_count, range);
}

static void model_agrees(const char *name, const struct graph_shape *shape,
			 double wanted, double margin)
{
	struct trial trial;
	float *lowered, *exact;
	double same, lost;

	trial_begin(&trial, name, shape);
	run_tape(&trial, false);
	lowered = malloc(trial.result_count * sizeof(float));
	exact = malloc(trial.result_count * sizeof(float));
	memcpy(exact, trial.result, trial.result_count * sizeof(float));
	run_lowered(&trial, lowered);
	run_tape(&trial, true);
	same = quality(&trial, lowered, trial.result);
	lost = quality(&trial, lowered, exact);
	print_message("%s: rounded tape %.1f dB, exact tape %.1f dB\n", name,
		      same, lost);
	assert_true(same >= wanted);
	assert_true(same >= lost + margin);
	free(lowered);
	free(exact);
	trial_end(&trial);
}

static void the_tape_sees_what_the_device_computes(void **state)
{
	struct graph_shape dcgan = SHAPE(8, 64);
	struct graph_shape decoder = SHAPE(8, 32);
	struct graph_shape encoder = SHAPE(4, 1, 28, 28);
	struct graph_shape flat = SHAPE(8, 784);
	struct graph_shape sketch = SHAPE(12, 4, 5);
	struct graph_shape image = SHAPE(1, 3, 24, 24);

	(void)state;
	model_agrees("fashion_dcgan", &dcgan, 50, 10);
	model_agrees("fashion_vae_dec", &decoder, 50, 10);
	model_agrees("fashion_vae_enc", &encoder, 50, 7);
	model_agrees("fashion_mlp", &flat, 80, 20);
	model_agrees("sketchrnn_bird", &sketch, 55, 5);
	/*
	 * Over many layers a code that differs becomes more of them: two tapes whose
	 * biases are a thousandth apart agree no better than this.
	 */
	model_agrees("esrgan_slim_x2", &image, 45, 0);
	model_agrees("esrgan_slim_x4", &image, 45, 0);
	model_agrees("esrgan_medium_x4", &image, 42, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tape_sees_what_the_device_computes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
