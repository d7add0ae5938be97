/* SPDX-License-Identifier: MIT */
/* What compressing promises, beyond the values: test_lower.c compares those. */
#include "unit.h"

#include "random_graph.h"

#include <errno.h>
#include <unistd.h>

#include <compress/compress.h>
#include <compress/export_onnx.h>
#include <compress/onnx_import.h>
#include <model/file.h>

#define FEATURES 12

static const struct compress_options keep = { .sparsity = COMPRESS_KEEP };

static int matrix(struct graph *graph, int64_t rows, int64_t columns)
{
	int64_t dims[2] = { rows, columns };

	return take_constant(graph, 2, dims,
			     whole_values(rows * columns, -9, 9));
}

/* x → Gemm → activation → Gemm → y */
static struct graph *perceptron(enum graph_op activation)
{
	struct graph *graph = graph_create("perceptron");
	struct graph_shape shape = { 2, { GRAPH_DIM_DYNAMIC, FEATURES } };
	int x = graph_add_tensor(graph, "x", &shape);

	graph_add_input(graph, x);
	graph->tensors[x].shape.dims[0] = 4;
	x = add_node(graph, GRAPH_GEMM,
		     (int[]){ x, matrix(graph, 20, FEATURES) }, 2);
	x = add_node(graph, activation, &x, 1);
	x = add_node(graph, GRAPH_GEMM, (int[]){ x, matrix(graph, 5, 20) }, 2);
	graph_add_output(graph, x);
	assert_true(settle_shapes(graph));
	for (int t = 0; t < graph->tensor_count; t++)
		if (!graph->tensors[t].data)
			graph->tensors[t].shape.dims[0] = GRAPH_DIM_DYNAMIC;
	return graph;
}

static struct model *compress_sampled(const struct graph *graph,
				      double sparsity, uint64_t latent_seed)
{
	struct compress_options options = { .sparsity = sparsity,
					    .seed = latent_seed };
	struct calibration_data data;
	struct model *model;

	CHECK(calibration_data_sample(&data, graph, 50, latent_seed));
	CHECK(compress_model(graph, &options, &data, &model));
	calibration_data_release(&data);
	return model;
}

static size_t file_bytes(const struct model *model, char **bytes)
{
	char path[] = "/tmp/accel-test-XXXXXX";
	int descriptor = mkstemp(path);
	long size;
	FILE *file;

	assert_true(descriptor >= 0);
	close(descriptor);
	CHECK(model_file_write(model, path));
	file = fopen(path, "rb");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	*bytes = malloc((size_t)size);
	assert_int_equal(fread(*bytes, 1, (size_t)size, file), size);
	fclose(file);
	unlink(path);
	return (size_t)size;
}

static void test_same_seed_same_file(void **state)
{
	struct graph *graph = perceptron(GRAPH_TANH);
	struct model *models[3] = { compress_sampled(graph, 0.5, 3),
				    compress_sampled(graph, 0.5, 3),
				    compress_sampled(graph, 0.5, 4) };
	char *bytes[3];
	size_t sizes[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		sizes[i] = file_bytes(models[i], &bytes[i]);
	assert_int_equal(sizes[0], sizes[1]);
	assert_memory_equal(bytes[0], bytes[1], sizes[0]);
	assert_true(sizes[0] != sizes[2] ||
		    memcmp(bytes[0], bytes[2], sizes[0]));
	for (int i = 0; i < 3; i++) {
		free(bytes[i]);
		model_destroy(models[i]);
	}
	graph_destroy(graph);
}

static void test_non_zeros_are_exact(void **state)
{
	static const double sparsities[] = { 0, 0.25, 0.8, 0.95 };
	struct graph *graph = perceptron(GRAPH_RELU);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct model *model = compress_sampled(graph, sparsities[i], 1);
		int64_t first =
			model_csr_nonzeros(&model->layers[0].spmm.weights);
		int64_t second =
			model_csr_nonzeros(&model->layers[1].spmm.weights);

		/* Also where a kept weight is 0, as some here are. */
		assert_int_equal(first, 20 * FEATURES - llround(sparsities[i] *
								20 * FEATURES));
		assert_int_equal(second, 100 - llround(sparsities[i] * 100));
		model_destroy(model);
	}
	graph_destroy(graph);
}

static void test_graph_is_not_changed(void **state)
{
	struct graph *graph = perceptron(GRAPH_RELU);
	struct graph *before = graph_clone(graph);

	(void)state;
	model_destroy(compress_sampled(graph, 0.9, 1));
	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].data)
			assert_memory_equal(
				graph->tensors[t].data, before->tensors[t].data,
				sizeof(float) *
					(size_t)graph_shape_count(
						&graph->tensors[t].shape));
	graph_destroy(before);
	graph_destroy(graph);
}

static void test_relu_needs_no_table(void **state)
{
	struct graph *graph = perceptron(GRAPH_RELU);
	struct model *model = compress_sampled(graph, 0, 1);

	(void)state;
	assert_int_equal(model->layer_count, 2);
	assert_null(model->layers[0].spmm.table);
	assert_int_equal(model->layers[0].spmm.accumulator.zero, -128);
	model_destroy(model);
	graph_destroy(graph);
}

static void test_logits_are_float(void **state)
{
	struct graph *graph = perceptron(GRAPH_TANH);
	struct model *model = compress_sampled(graph, 0, 1);

	(void)state;
	assert_non_null(model->layers[0].spmm.table);
	assert_int_equal(model->tensors[model->outputs[0].tensor].type,
			 MODEL_FLOAT32);
	model_destroy(model);
	graph_destroy(graph);
}

static void test_what_is_missing_is_named(void **state)
{
	struct graph *graph = perceptron(GRAPH_RELU);
	struct compress_options options = { .sparsity = 0.999 };
	struct calibration_data data;
	struct model *model;

	(void)state;
	assert_int_equal(compress_model(graph, &keep, NULL, &model), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "calibrate"));
	CHECK(calibration_data_sample(&data, graph, 5, 1));
	assert_int_equal(compress_model(graph, &options, &data, &model),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "Gemm0"));
	calibration_data_release(&data);
	graph_destroy(graph);
}

static void test_impossible_node_is_named(void **state)
{
	struct graph *graph = graph_create("test");
	struct graph_shape shape = { 4, { 1, 3, 8, 8 } };
	struct quantize_range ranges[4] = { { 0, 1 }, { 0, 1 } };
	struct lower_options options = { .ranges = ranges };
	int x = graph_add_tensor(graph, "x", &shape);
	struct model *model;

	(void)state;
	graph_add_input(graph, x);
	x = add_node(graph, GRAPH_PAD, &x, 1);
	producer_of(graph, x)->pad.mode = GRAPH_PAD_REFLECT;
	producer_of(graph, x)->pad.before[2] = 1;
	graph_add_output(graph, x);
	assert_true(settle_shapes(graph));
	assert_int_equal(graph_lower(graph, &options, &model), -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), "Pad0"));
	graph_destroy(graph);
}

/* The model of what an exported model reads back as; NULL if it cannot. */
static struct model *read_back(const struct model *model)
{
	char path[] = "/tmp/accel-test-XXXXXX";
	int descriptor = mkstemp(path), ret;
	struct model *result = NULL;
	struct graph *graph;

	assert_true(descriptor >= 0);
	close(descriptor);
	CHECK(export_onnx(model, path));
	CHECK(onnx_import(path, &graph));
	unlink(path);
	ret = compress_model(graph, &keep, NULL, &result);
	graph_destroy(graph);
	/* Shuffles of unequal sides have no operator. */
	if (ret != -ENOTSUP)
		CHECK(ret);
	return ret ? NULL : result;
}

static int check_round_trip(int length)
{
	struct graph *graph = random_graph(length);
	struct lower_options options = { 0 };
	struct model *model, *copy = NULL;
	float *input = whole_values(graph_shape_count(&graph->tensors[0].shape),
				    -3, 3);
	struct float_run run;
	float *results[2];

	run_float(graph, (const float *const *)&input, &run);
	if (run.largest <= 127 && graph->node_count > 1) {
		options.ranges = run.ranges;
		record_all(graph);
		CHECK(graph_lower(graph, &options, &model));
		copy = read_back(model);
		if (copy) {
			size_t count = (size_t)graph_shape_count(
				&graph->tensors[graph->outputs[0]].shape);

			run_model(model, graph, (const float *const *)&input,
				  &results[0]);
			run_model(copy, graph, (const float *const *)&input,
				  &results[1]);
			assert_memory_equal(results[0], results[1],
					    count * sizeof(float));
			free(results[0]);
			free(results[1]);
			model_destroy(copy);
		}
		model_destroy(model);
	}
	free(input);
	float_run_release(&run);
	graph_destroy(graph);
	return copy != NULL;
}

static void test_exports_read_back(void **state)
{
	int compared = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		compared += check_round_trip(1 + i % 6);
	print_message("%d read back\n", compared);
	assert_true(compared > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed_same_file),
		cmocka_unit_test(test_non_zeros_are_exact),
		cmocka_unit_test(test_graph_is_not_changed),
		cmocka_unit_test(test_relu_needs_no_table),
		cmocka_unit_test(test_logits_are_float),
		cmocka_unit_test(test_what_is_missing_is_named),
		cmocka_unit_test(test_impossible_node_is_named),
		cmocka_unit_test(test_exports_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
