/* SPDX-License-Identifier: MIT */
/*
 * Real networks, imported and run in binary32, against the outputs of a reference
 * runtime. They lie beside the source tree and are skipped where they do not.
 */
#include "../unit/unit.h"

#include <accel/error.h>
#include <compress/array.h>
#include <compress/calibration_data.h>
#include <compress/executor.h>
#include <compress/onnx_import.h>
#include <formats/npy.h>
#include <metrics/pixel_error.h>
#include <metrics/stroke_likelihood.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * struct model_case - a network on one input
 * @model: without .onnx
 * @input: of the golden files, without .npy
 * @outputs: golden files for the network's outputs; NULL is not compared
 * @tolerance: largest absolute error
 */
struct model_case {
	const char *model;
	const char *input;
	const char *outputs[2];
	double tolerance;
};

#define SUPER_RESOLUTION(model, picture)                              \
	{                                                             \
		model, "sr_in_" picture, { model "__" picture }, 0.01 \
	}

static const struct model_case cases[] = {
	SUPER_RESOLUTION("esrgan_slim_x2", "astronaut_32x32"),
	SUPER_RESOLUTION("esrgan_slim_x2", "coffee_17x23"),
	SUPER_RESOLUTION("esrgan_slim_x2_sp80", "astronaut_32x32"),
	SUPER_RESOLUTION("esrgan_slim_x2_sp80", "coffee_17x23"),
	SUPER_RESOLUTION("esrgan_slim_x2_sp90", "astronaut_32x32"),
	SUPER_RESOLUTION("esrgan_slim_x2_sp90", "coffee_17x23"),
	SUPER_RESOLUTION("esrgan_slim_x4", "astronaut_32x32"),
	SUPER_RESOLUTION("esrgan_slim_x4", "coffee_17x23"),
	SUPER_RESOLUTION("esrgan_medium_x4", "astronaut_32x32"),
	SUPER_RESOLUTION("esrgan_medium_x4", "coffee_17x23"),
	SUPER_RESOLUTION("esrgan_medium_x4_sp80", "astronaut_32x32"),
	SUPER_RESOLUTION("esrgan_medium_x4_sp80", "coffee_17x23"),
	{ "fashion_dcgan",
	  "fashion_dcgan__z32",
	  { "fashion_dcgan__img32" },
	  1e-4 },
	{ "fashion_dcgan_sp80",
	  "fashion_dcgan__z32",
	  { "fashion_dcgan_sp80__img32" },
	  1e-4 },
	{ "fashion_vae_dec",
	  "fashion_vae_dec__z32",
	  { "fashion_vae_dec__img32" },
	  1e-4 },
	{ "fashion_vae_dec_sp90",
	  "fashion_vae_dec__z32",
	  { "fashion_vae_dec_sp90__img32" },
	  1e-4 },
	{ "fashion_vae_enc",
	  "fashion_vae_enc__x32",
	  { "fashion_vae_enc__mu32", "fashion_vae_enc__logvar32" },
	  1e-4 },
	{ "fashion_mlp", "fashion_mlp__x64", { "fashion_mlp__logits64" }, 1e-4 },
	{ "fashion_mlp_sp90",
	  "fashion_mlp__x64",
	  { "fashion_mlp_sp90__logits64" },
	  1e-4 },
	{ "sketchrnn_bird",
	  "sketchrnn_bird__x",
	  { "sketchrnn_bird__y", "sketchrnn_bird__hT" },
	  1e-4 },
};

static const char *shared_path(const char *folder, const char *name,
			       const char *suffix)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/models/%s%s%s",
		 getenv("ACCEL_SHARED_DIR"), folder, name, suffix);
	return path;
}

/** struct run - a network that has run on a golden input */
struct run {
	struct graph *graph;
	struct calibration_data data;
	struct executor *executor;
};

#define assert_success(expression)                                           \
	do {                                                                 \
		if (expression)                                              \
			fail_msg("%s: %s", #expression, accel_last_error()); \
	} while (0)

static void run_create(struct run *run, const struct model_case *model)
{
	const struct calibration_source source = { .layout =
							   ARRAY_LAYOUT_AUTO };
	struct graph_shape shapes[4];
	const float *values[4];

	assert_success(onnx_import(shared_path("", model->model, ".onnx"),
				   &run->graph));
	/* Takes care of layouts, and of states that start as zero. */
	assert_success(calibration_data_read(
		&run->data, run->graph,
		shared_path("golden/", model->input, ".npy"), &source));
	assert_in_range(run->graph->input_count, 1, 4);
	for (int i = 0; i < run->graph->input_count; i++) {
		shapes[i] = run->data.samples[0][i].shape;
		values[i] = run->data.samples[0][i].values;
	}
	assert_success(
		executor_create(&run->executor, run->graph, shapes, NULL));
	assert_success(executor_run(run->executor, values));
}

static void run_destroy(struct run *run)
{
	executor_destroy(run->executor);
	calibration_data_release(&run->data);
	graph_destroy(run->graph);
}

static void compare_output(const struct run *run,
			   const struct model_case *model, int index)
{
	int tensor = run->graph->outputs[index];
	const struct graph_shape *shape = executor_shape(run->executor, tensor);
	struct array_port port = { .name = model->outputs[index],
				   .shape = *shape };
	struct array expected;
	double error;

	/* The first run of a batch may hold but a part of it. */
	port.shape.dims[0] = GRAPH_DIM_DYNAMIC;
	assert_success(array_read(&expected, &port,
				  shared_path("golden/", model->outputs[index],
					      ".npy"),
				  ARRAY_LAYOUT_AUTO));
	error = metrics_max_error(executor_values(run->executor, tensor),
				  expected.values,
				  (size_t)graph_shape_count(shape));
	array_release(&expected);
	printf("    %s on %s: largest error %.2g\n", model->outputs[index],
	       model->input, error);
	assert_true(error <= model->tolerance);
}

static void networks_give_the_golden_outputs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct run run;

		run_create(&run, &cases[i]);
		for (int o = 0; o < 2; o++)
			if (cases[i].outputs[o])
				compare_output(&run, &cases[i], o);
		run_destroy(&run);
	}
}

static const struct model_case *find_case(const char *model)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(cases[i].model, model))
			return &cases[i];
	return NULL;
}

/* −1.308 per step is the known figure. */
static void strokes_are_as_likely_as_known(void **state)
{
	struct run run;
	double nll;

	(void)state;
	run_create(&run, find_case("sketchrnn_bird"));
	nll = metrics_stroke_nll(
		run.data.samples[0][0].values,
		executor_values(run.executor, run.graph->outputs[0]), 84, 1);
	run_destroy(&run);
	printf("    negative log-likelihood per step %.4f\n", nll);
	assert_true(nll > -1.3085 && nll < -1.3075);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_give_the_golden_outputs),
		cmocka_unit_test(strokes_are_as_likely_as_known),
	};

	if (access(shared_path("", "README", ".md"), R_OK)) {
		printf("skipped: no models beside the source tree\n");
		return EXIT_SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
