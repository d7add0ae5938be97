/* SPDX-License-Identifier: MIT */
/*
 * Every method on real networks of every kind: exactly as many weights stay as asked,
 * and what is left of the network runs. What it is worth is for the benchmark.
 */
#include "../unit/unit.h"

#include <accel/accel.h>
#include <compress/compress.h>
#include <compress/onnx_import.h>
#include <compress/sample.h>
#include <compress/sketches.h>
#include <core/error.h>
#include <model/file.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPARSITY 0.3
#define TIMEOUT (60 * ACCEL_SECOND)

/* Small, and enough to see that all goes well. */
enum { LATENTS = 32, SKETCHES = 2, STEPS = 12, SIDE = 12, CHANNELS = 3 };

#define assert_success(expression)                                           \
	do {                                                                 \
		if (expression)                                              \
			fail_msg("%s: %s", #expression, accel_last_error()); \
	} while (0)

/**
 * struct subject - a network
 * @name: of its file
 * @sizes: of a run
 * @large: exact OBS would take a minute for it, and is tried on the others
 */
struct subject {
	const char *name;
	struct accel_plan_options sizes;
	bool large;
};

static const struct subject subjects[] = {
	{ "fashion_vae_dec", { .batch = 1 }, .large = false },
	{ "fashion_dcgan", { .batch = 1 }, .large = false },
	{ "esrgan_slim_x2",
	  { .batch = 1, .height = SIDE, .width = SIDE },
	  .large = false },
	{ "sketchrnn_bird", { .batch = 1, .steps = STEPS }, .large = true },
};

/* ---- data ---- */

static void draw_sketches(const struct graph *graph,
			  struct calibration_data *data)
{
	const struct sketches_options options = {
		.count = SKETCHES,
		.steps = STEPS,
		.temperature = 0.7,
	};
	struct sketches sketches;

	assert_success(sketches_sample(&sketches, graph, &options));
	assert_success(sketches_calibrate(&sketches, graph, data));
	sketches_release(&sketches);
}

static void make_picture(struct calibration_data *data)
{
	struct array *array = calloc(1, sizeof(*array));
	struct sample_generator generator;

	array->shape = (struct graph_shape){ 4, { 1, CHANNELS, SIDE, SIDE } };
	array->values = malloc(CHANNELS * SIDE * SIDE * sizeof(float));
	sample_seed(&generator, 1);
	for (int i = 0; i < CHANNELS * SIDE * SIDE; i++)
		array->values[i] = (float)sample_uniform(&generator);
	*data = (struct calibration_data){
		.samples = malloc(sizeof(*data->samples)),
		.sample_count = 1,
		.input_count = 1,
		.is_state = calloc(1, sizeof(bool)),
	};
	data->samples[0] = array;
}

static void make_data(const struct graph *graph, struct calibration_data *data)
{
	if (sketches_apply(graph))
		draw_sketches(graph, data);
	else if (graph->tensors[graph->inputs[0]].shape.rank == 4 &&
		 graph->tensors[graph->inputs[0]].shape.dims[2] < 0)
		make_picture(data);
	else
		assert_success(
			calibration_data_sample(data, graph, LATENTS, 1));
}

/* ---- what comes of it ---- */

static int64_t expected_nonzeros(const struct graph *graph,
				 const struct prune_method *method)
{
	int64_t kept = 0, all = 0;

	for (int t = 0; t < graph->tensor_count; t++) {
		int64_t count = graph_shape_count(&graph->tensors[t].shape);

		if (!prune_applies(graph, t))
			continue;
		kept += count - llround(SPARSITY * (double)count);
		all += count;
	}
	return method->scope == PRUNE_GLOBAL ?
		       all - llround(SPARSITY * (double)all) :
		       kept;
}

static void run_model(const struct model *model, const struct subject *subject)
{
	char path[] = "/tmp/accel-model-XXXXXX";
	struct accel_plan_options sizes = subject->sizes;
	struct accel_device *device;
	struct accel_model *loaded;
	struct accel_plan *plan;
	int file = mkstemp(path);

	assert_true(file >= 0);
	close(file);
	assert_success(model_file_write(model, path));
	assert_success(accel_model_load(path, &loaded));
	unlink(path);
	sizes.size = sizeof(sizes);
	assert_success(accel_device_open("cpu:", NULL, &device));
	assert_success(accel_plan_create(device, loaded, &sizes, &plan));
	assert_success(accel_run(plan, NULL, 0, NULL, 0, TIMEOUT));
	accel_plan_destroy(plan);
	accel_device_close(device);
	accel_model_free(loaded);
}

/* A method may say that a network is too large for it, or has nothing that it could take. */
static void try_method(const struct prune_method *method,
		       const struct subject *subject,
		       const struct graph *network,
		       const struct calibration_data *data)
{
	const struct compress_options options = {
		.sparsity = SPARSITY,
		.scope = method->scope,
		.selection = method,
		.seed = 1,
	};
	struct graph *graph = graph_clone(network);
	struct prune_mask *mask = prune_mask_create(graph);
	struct model *model;
	int64_t total, kept;
	int ret = compress_prune(graph, &options, data, mask);

	if ((ret == -EINVAL && !strcmp(method->name, "obs")) ||
	    (ret == -ENOTSUP && method->shrinks)) {
		printf("    %s: %s\n", method->name, accel_last_error());
		goto out;
	}
	if (ret)
		fail_msg("%s: %s", method->name, accel_last_error());
	kept = prune_count(graph, mask, &total);
	printf("    %s: %lld of %lld\n", method->name, (long long)kept,
	       (long long)total);
	assert_int_equal(kept, expected_nonzeros(network, method));
	assert_success(compress_quantize(graph, &options, data, mask, &model));
	run_model(model, subject);
	model_destroy(model);
out:
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* In the tree, or beside it. */
static bool find_file(const char *name, char *path, size_t size)
{
	const char *tree = getenv("ACCEL_TEST_MODELS");
	const char *beside = getenv("ACCEL_SHARED_DIR");

	snprintf(path, size, "%s/%s.onnx", tree ? tree : "", name);
	if (!access(path, R_OK))
		return true;
	snprintf(path, size, "%s/models/%s.onnx", beside ? beside : "", name);
	return !access(path, R_OK);
}

static void every_method_leaves_what_was_asked(void **state)
{
	const struct subject *subject = *state;
	const struct prune_method *method;
	struct calibration_data data;
	struct graph *graph;
	char path[4096];

	if (!find_file(subject->name, path, sizeof(path))) {
		printf("    %s lies beside the tree: set ACCEL_SHARED_DIR\n",
		       subject->name);
		skip();
	}
	assert_success(onnx_import(path, &graph));
	make_data(graph, &data);
	for (size_t i = 0; (method = prune_method_get(i)); i++)
		if (!subject->large || strcmp(method->name, "obs"))
			try_method(method, subject, graph, &data);
	calibration_data_release(&data);
	graph_destroy(graph);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(subjects) / sizeof(subjects[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i] = (struct CMUnitTest){
			.name = subjects[i].name,
			.test_func = every_method_leaves_what_was_asked,
			.initial_state = (void *)(uintptr_t)&subjects[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
