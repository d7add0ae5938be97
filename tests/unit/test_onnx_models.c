/* SPDX-License-Identifier: MIT */
/*
 * Every network of the shared material imports, into the fewest nodes, and computes
 * what a reference runtime computed.
 */
#include "unit.h"

#include <accel/error.h>
#include <compress/executor.h>
#include <compress/graph.h>
#include <compress/onnx_import.h>
#include <formats/npy.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int nodes;
	int linear; /* of them, layers with weights, recurrent ones included */
} models[] = {
	{ "esrgan_medium_x4", 63, 28 },	   { "esrgan_medium_x4_sp80", 63, 28 },
	{ "esrgan_slim_x2", 23, 12 },	   { "esrgan_slim_x2_sp80", 23, 12 },
	{ "esrgan_slim_x2_sp90", 23, 12 }, { "esrgan_slim_x4", 23, 12 },
	{ "fashion_dcgan", 7, 3 },	   { "fashion_dcgan_sp80", 7, 3 },
	{ "fashion_mlp", 3, 2 },	   { "fashion_mlp_sp90", 3, 2 },
	{ "fashion_vae_dec", 9, 4 },	   { "fashion_vae_dec_sp90", 9, 4 },
	{ "fashion_vae_enc", 9, 5 },	   { "sketchrnn_bird", 2, 2 },
};

static int count_layers(const struct graph *graph)
{
	int count = 0;

	for (int i = 0; i < graph->node_count; i++)
		count += graph_op_is_linear(graph->nodes[i].op) ||
			 graph_op_is_recurrent(graph->nodes[i].op);
	return count;
}

static void models_import(void **state)
{
	const char *folder = *state;
	char path[4096];

	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
		struct graph *graph;

		snprintf(path, sizeof(path), "%s/%s.onnx", folder,
			 models[i].name);
		if (onnx_import(path, &graph))
			fail_msg("%s", accel_last_error());
		assert_int_equal(graph->node_count, models[i].nodes);
		assert_int_equal(count_layers(graph), models[i].linear);
		graph_destroy(graph);
	}
}

static const struct {
	const char *model;
	const char *input;
	const char *output; /* of the first output */
} golden[] = {
	{ "esrgan_medium_x4", "sr_in_coffee_17x23",
	  "esrgan_medium_x4__coffee_17x23" },
	{ "esrgan_slim_x2", "sr_in_coffee_17x23",
	  "esrgan_slim_x2__coffee_17x23" },
	{ "esrgan_slim_x2_sp80", "sr_in_astronaut_32x32",
	  "esrgan_slim_x2_sp80__astronaut_32x32" },
	{ "esrgan_slim_x4", "sr_in_astronaut_32x32",
	  "esrgan_slim_x4__astronaut_32x32" },
	{ "fashion_dcgan", "fashion_dcgan__z32", "fashion_dcgan__img32" },
	{ "fashion_dcgan_sp80", "fashion_dcgan__z32",
	  "fashion_dcgan_sp80__img32" },
	{ "fashion_mlp", "fashion_mlp__x64", "fashion_mlp__logits64" },
	{ "fashion_vae_dec", "fashion_vae_dec__z32", "fashion_vae_dec__img32" },
	{ "fashion_vae_enc", "fashion_vae_enc__x32", "fashion_vae_enc__mu32" },
	{ "sketchrnn_bird", "sketchrnn_bird__x", "sketchrnn_bird__y" },
};

static void load_array(const char *folder, const char *name,
		       struct npy_array *array)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/golden/%s.npy", folder, name);
	if (npy_read_float(array, path))
		fail_msg("%s", accel_last_error());
}

/* NHWC, as the golden images are, to NCHW. */
static void to_nchw(struct npy_array *array)
{
	const size_t *dims = array->shape;
	size_t pixels = dims[1] * dims[2], channels = dims[3];
	float *from = array->data;
	float *to = malloc(array->count * sizeof(*to));

	for (size_t i = 0; i < array->count; i++) {
		size_t image = i / (pixels * channels);
		size_t pixel = i / channels % pixels;

		to[(image * channels + i % channels) * pixels + pixel] =
			from[i];
	}
	free(from);
	array->data = to;
	array->shape[1] = channels;
	array->shape[3] = dims[2];
	array->shape[2] = pixels / array->shape[3];
}

/* Run with the one input; recurrent states are zero. */
static struct executor *run(const struct graph *graph,
			    const struct npy_array *input)
{
	struct graph_shape shapes[3] = { { .rank = (int)input->rank } };
	float *zeros = calloc(4096, sizeof(*zeros));
	const float *values[3] = { input->data, zeros, zeros };
	struct executor *executor;

	for (unsigned int i = 0; i < input->rank; i++)
		shapes[0].dims[i] = (int64_t)input->shape[i];
	for (int i = 1; i < graph->input_count; i++) {
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
		shapes[i].dims[1] = shapes[0].dims[1];
	}
	if (executor_create(&executor, graph, shapes, NULL) ||
	    executor_run(executor, values))
		fail_msg("%s", accel_last_error());
	free(zeros);
	return executor;
}

static float largest(const float *a, const float *b, size_t count)
{
	float result = 0;

	for (size_t i = 0; i < count; i++)
		result = fmaxf(result, fabsf(a[i] - (b ? b[i] : 0)));
	return result;
}

static void model_agrees(const char *folder, size_t i)
{
	struct npy_array input, output;
	struct executor *executor;
	struct graph *graph;
	const float *values;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.onnx", folder, golden[i].model);
	assert_int_equal(onnx_import(path, &graph), 0);
	load_array(folder, golden[i].input, &input);
	load_array(folder, golden[i].output, &output);
	if (!strncmp(golden[i].model, "esrgan", 6)) {
		to_nchw(&input);
		to_nchw(&output);
	}
	executor = run(graph, &input);
	values = executor_values(executor, graph->outputs[0]);
	assert_int_equal(
		graph_shape_count(executor_shape(executor, graph->outputs[0])),
		output.count);
	/* sums in another order */
	assert_true(largest(values, output.data, output.count) <=
		    2e-5f * largest(output.data, NULL, output.count));
	executor_destroy(executor);
	npy_release(&input);
	npy_release(&output);
	graph_destroy(graph);
}

static void models_compute_the_golden_outputs(void **state)
{
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++)
		model_agrees(*state, i);
}

/* The weights of one model file read into another, which has zeros in them. */
static void weights_come_from_another_file(void **state)
{
	char model[4096], weights[4096], dense[4096];
	struct graph *graph = NULL, *wanted = NULL;

	snprintf(model, sizeof(model), "%s/esrgan_slim_x2_sp90.onnx",
		 (const char *)*state);
	snprintf(dense, sizeof(dense), "%s/esrgan_slim_x2.onnx",
		 (const char *)*state);
	snprintf(weights, sizeof(weights), "%s/esrgan_slim_x2.safetensors",
		 (const char *)*state);
	if (onnx_import_weights(model, weights, &graph) ||
	    onnx_import(dense, &wanted))
		fail_msg("%s", accel_last_error());
	assert_int_equal(graph->tensor_count, wanted->tensor_count);
	for (int i = 0; i < graph->tensor_count; i++)
		if (graph->tensors[i].data)
			assert_memory_equal(graph->tensors[i].data,
					    wanted->tensors[i].data,
					    (size_t)graph_shape_count(
						    &graph->tensors[i].shape) *
						    sizeof(float));
	graph_destroy(graph);
	graph_destroy(wanted);
	snprintf(model, sizeof(model), "%s/esrgan_slim_x4.onnx",
		 (const char *)*state);
	assert_true(onnx_import_weights(model, weights, &graph) < 0);
}

int main(void)
{
	static char folder[4000];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(models_import, folder),
		cmocka_unit_test_prestate(weights_come_from_another_file,
					  folder),
		cmocka_unit_test_prestate(models_compute_the_golden_outputs,
					  folder),
	};
	const char *shared = getenv("ACCEL_SHARED_DIR");

	snprintf(folder, sizeof(folder), "%s/models", shared ? shared : "");
	if (access(folder, R_OK)) {
		printf("skipped: no models in %s\n", folder);
		return EXIT_SKIP;
	}
	return cmocka_run_group_tests_name("onnx_models", tests, NULL, NULL);
}
