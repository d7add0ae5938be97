/* SPDX-License-Identifier: MIT */
/* What a layer of two factors computes, or of three parts. */
#include "unit.h"

#include "float_graph.h"
#include "one_node.h"

#include <compress/choice.h>
#include <compress/low_rank.h>
#include <compress/low_rank_refit.h>

#include <errno.h>

enum { BATCH = 2, SIDE = 5, RANK = 2, MOST = 65536 };

/* Weights [rows][columns] that have a rank. */
static float *weights_of_rank(int64_t rows, int64_t columns, int rank)
{
	float *weights = calloc((size_t)(rows * columns), sizeof(*weights));

	assert_non_null(weights);
	for (int i = 0; i < rank; i++) {
		float along[256];

		for (int64_t c = 0; c < columns; c++)
			along[c] = random_value();
		for (int64_t r = 0; r < rows; r++) {
			float scale = random_value();

			for (int64_t c = 0; c < columns; c++)
				weights[r * columns + c] += scale * along[c];
		}
	}
	return weights;
}

/* One layer behind an input. */
static struct graph *layer_create(enum graph_op op, struct graph_shape input,
				  struct graph_shape shape, int64_t outputs,
				  const float *weights)
{
	struct graph *graph = graph_create("layer");
	float bias[64] = { 0.5F, -1 };
	int inputs[3];
	int output;

	inputs[0] = graph_add_tensor(graph, "x", &input);
	assert_int_equal(graph_add_input(graph, inputs[0]), 0);
	inputs[1] = add_constant(graph, shape.rank, shape.dims, weights);
	inputs[2] = add_constant(graph, 1, &outputs, bias);
	output = add_node(graph, op, inputs, 3);
	if (op != GRAPH_GEMM)
		producer_of(graph, output)->conv = (struct graph_conv){
			.kernel = { 3, 3 },
			.stride = { 2, 2 },
			.dilation = { 1, 1 },
			.pads = { 1, 1, 1, 1 },
			.group = 1,
		};
	assert_int_equal(graph_add_output(graph, output), 0);
	assert_true(settle_shapes(graph));
	return graph;
}

static int64_t compute(const struct graph *graph, const float *input,
		       float *results)
{
	struct graph_shape shape = graph->tensors[graph->inputs[0]].shape;
	struct executor *executor;
	int64_t count;

	CHECK(executor_create(&executor, graph, &shape, NULL));
	CHECK(executor_run(executor, &input));
	count = graph_shape_count(executor_shape(executor, graph->outputs[0]));
	assert_in_range(count, 1, MOST);
	memcpy(results, executor_values(executor, graph->outputs[0]),
	       (size_t)count * sizeof(*results));
	executor_destroy(executor);
	return count;
}

/* All layers alike; the choices of the new graph are the result, or NULL. */
static int split(struct graph *graph, const struct low_rank *low_rank,
		 const struct calibration_data *data, int *count,
		 struct compress_choices **result)
{
	const struct layer_choice choice = {
		.method = prune_method_find("magnitude"),
		.sparsity = 0.25,
		.low_rank = *low_rank,
	};
	struct compress_choices *choices = choices_create(graph, &choice);
	struct low_rank_report report;
	int ret;

	assert_non_null(choices);
	ret = low_rank_split(graph, choices, data, 1, &report);
	*count = report.split;
	if (result)
		*result = choices;
	else
		choices_destroy(choices);
	return ret;
}

/* Nothing is lost of a matrix that has the rank. */
static void check_exact(enum graph_op op, struct graph_shape input,
			struct graph_shape shape, int64_t outputs)
{
	const struct low_rank low_rank = { .rank = RANK };
	int64_t columns = graph_shape_count(&shape) / shape.dims[0];
	float *weights = weights_of_rank(shape.dims[0], columns, RANK);
	struct graph *graph = layer_create(op, input, shape, outputs, weights);
	float *values = random_values(&input);
	static float before[MOST], after[MOST];
	int64_t results = compute(graph, values, before);
	int count;

	CHECK(split(graph, &low_rank, NULL, &count, NULL));
	assert_int_equal(count, 1);
	assert_int_equal(graph->node_count, 2);
	assert_int_equal(compute(graph, values, after), results);
	for (int64_t i = 0; i < results; i++)
		assert_float_equal(before[i], after[i],
				   1e-4F * (1 + fabsf(before[i])));
	free(values);
	free(weights);
	graph_destroy(graph);
}

static void test_exact(void **state)
{
	(void)state;
	check_exact(GRAPH_GEMM, SHAPE(BATCH, 12), SHAPE(9, 12), 9);
	check_exact(GRAPH_CONV, SHAPE(BATCH, 6, SIDE, SIDE), SHAPE(8, 6, 3, 3),
		    8);
	check_exact(GRAPH_CONV_TRANSPOSE, SHAPE(BATCH, 6, SIDE, SIDE),
		    SHAPE(6, 8, 3, 3), 8);
}

/* The largest singular values stay, and the others go. */
static void test_largest_stay(void **state)
{
	const struct low_rank low_rank = { .ratio = 0.75 };
	static float results[MOST];
	float weights[64] = { 0 }, ones[8];
	struct graph *graph;
	int count;

	(void)state;
	for (int i = 0; i < 8; i++) {
		weights[9 * i] = (float)((5 * i) % 8 + 1);
		ones[i] = 1;
	}
	graph = layer_create(GRAPH_GEMM, SHAPE(1, 8), SHAPE(8, 8), 8, weights);
	CHECK(split(graph, &low_rank, NULL, &count, NULL));
	compute(graph, ones, results);
	results[0] -= 0.5F;
	results[1] += 1;
	/* 0.75 · 64 weights are a rank of 3: 6, 7 and 8 */
	for (int i = 0; i < 8; i++)
		assert_float_equal(results[i],
				   weights[9 * i] > 5 ? weights[9 * i] : 0,
				   1e-5F);
	graph_destroy(graph);
}

static void test_refused(void **state)
{
	const struct low_rank low_rank = { .rank = 5 };
	float weights[64] = { 1 };
	struct graph *graph =
		layer_create(GRAPH_GEMM, SHAPE(1, 8), SHAPE(8, 8), 8, weights);
	struct low_rank parsed;
	int count;

	(void)state;
	assert_int_equal(split(graph, &low_rank, NULL, &count, NULL), -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), "a lower one"));
	assert_int_equal(
		split(graph, &(struct low_rank){ .rank = 2, .whitened = true },
		      NULL, &count, NULL),
		-EINVAL);
	assert_non_null(strstr(accel_last_error(), "needs data"));
	graph->tensors[graph->nodes[0].inputs[1]].data[3] = NAN;
	assert_int_equal(split(graph, &(struct low_rank){ .rank = 2 }, NULL,
			       &count, NULL),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "not finite"));
	graph_destroy(graph);
	assert_int_equal(low_rank_parse("0", &parsed), -EINVAL);
	assert_int_equal(low_rank_parse("2.5", &parsed), -EINVAL);
	assert_int_equal(low_rank_parse("nan", &parsed), -EINVAL);
	assert_int_equal(low_rank_parse("7x", &parsed), -EINVAL);
	assert_int_equal(low_rank_parse("7", &parsed), 0);
	assert_int_equal(parsed.rank, 7);
}

static void test_options(void **state)
{
	static const char *const wrong[] = {
		"7:global", "0.5:", "0.5:sparse:2", "0.5:white", "", ":whitened"
	};
	struct low_rank parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(low_rank_parse(wrong[i], &parsed), -EINVAL);
	assert_int_equal(
		low_rank_parse("0.5:sparse:0.25:whitened:global", &parsed), 0);
	assert_true(parsed.whitened && parsed.global && parsed.sparse == 0.25 &&
		    parsed.ratio == 0.5);
	assert_int_equal(low_rank_parse("none", &parsed), 0);
	assert_true(low_rank_is_none(&parsed));
	assert_int_equal(low_rank_parse_dictionary("8:3", &parsed), 0);
	assert_int_equal(parsed.atoms, 8);
	assert_int_equal(parsed.nonzeros, 3);
	assert_int_equal(low_rank_parse_dictionary("3:8", &parsed), -EINVAL);
	assert_int_equal(low_rank_parse_dictionary("8", &parsed), -EINVAL);
	assert_int_equal(low_rank_parse_dictionary("8:3:1", &parsed), -EINVAL);
}

/* ---- with data ---- */

enum { MANY = 64 };

/* Channels that follow from two hidden ones, but for a little noise. */
static void make_data(struct calibration_data *data, struct graph_shape shape)
{
	int64_t channels = shape.dims[1];
	int64_t pixels = graph_shape_count(&shape) / shape.dims[0] / channels;
	struct array *array = calloc(1, sizeof(*array));
	float mix[2][64];

	for (int64_t c = 0; c < channels; c++)
		for (int h = 0; h < 2; h++)
			mix[h][c] = random_value();
	array->shape = shape;
	array->values =
		calloc((size_t)graph_shape_count(&shape), sizeof(float));
	for (int64_t i = 0; i < shape.dims[0] * pixels; i++) {
		float hidden[2] = { random_value(), random_value() };
		float *at = array->values + i / pixels * channels * pixels +
			    i % pixels;

		for (int64_t c = 0; c < channels; c++)
			at[c * pixels] = hidden[0] * mix[0][c] +
					 hidden[1] * mix[1][c] +
					 0.05F * random_value();
	}
	*data = (struct calibration_data){ .input_count = 1,
					   .sample_count = 1 };
	data->samples = calloc(1, sizeof(*data->samples));
	data->is_state = calloc(1, sizeof(bool));
	data->samples[0] = array;
}

/* Squares of what the results lose. */
static double loss(const struct graph *dense, struct low_rank low_rank,
		   const struct calibration_data *data)
{
	static float before[MOST], after[MOST];
	struct graph *graph = graph_clone(dense);
	int64_t results = compute(dense, data->samples[0]->values, before);
	double sum = 0;
	int count;

	CHECK(split(graph, &low_rank, data, &count, NULL));
	assert_int_equal(count, 1);
	assert_int_equal(graph_validate(graph), 0);
	assert_int_equal(compute(graph, data->samples[0]->values, after),
			 results);
	for (int64_t i = 0; i < results; i++)
		sum += (double)(before[i] - after[i]) *
		       (double)(before[i] - after[i]);
	graph_destroy(graph);
	return sum;
}

/* The nearest results are not those of the nearest weights. */
static void check_whitened(enum graph_op op, struct graph_shape input,
			   struct graph_shape shape, int64_t outputs)
{
	float *weights = random_values(&shape);
	struct graph *graph = layer_create(op, input, shape, outputs, weights);
	struct calibration_data data;
	double plain, whitened;

	make_data(&data, input);
	plain = loss(graph, (struct low_rank){ .rank = 2 }, &data);
	whitened = loss(graph, (struct low_rank){ .rank = 2, .whitened = true },
			&data);
	assert_true(whitened < 0.7 * plain);
	/* and so it is of three parts */
	plain = loss(graph, (struct low_rank){ .rank = 2, .sparse = 0.3 },
		     &data);
	assert_true(plain > 0);
	whitened = loss(
		graph,
		(struct low_rank){ .rank = 2, .sparse = 0.3, .whitened = true },
		&data);
	assert_true(whitened < 0.7 * plain);
	calibration_data_release(&data);
	free(weights);
	graph_destroy(graph);
}

/* What is kept gives the results of what is not, where inputs are alike. */
static void test_refit(void **state)
{
	/* the first and second input are the same, the third is another */
	const float moments[9] = { 1, 1, 0, 1, 1, 0, 0, 0, 1 };
	const uint8_t keep[6] = { 1, 0, 1, 0, 1, 0 };
	float values[6] = { 2, 3, 5, 1, 1, 7 };
	const float wanted[6] = { 5, 0, 5, 0, 2, 0 };
	const struct low_rank_refit refit = { 2, 3, moments, keep, values };

	(void)state;
	CHECK(low_rank_refit_run(&refit));
	for (int i = 0; i < 6; i++)
		assert_float_equal(values[i], wanted[i], 1e-5);
}

static void test_whitened(void **state)
{
	(void)state;
	check_whitened(GRAPH_GEMM, SHAPE(MANY, 12), SHAPE(9, 12), 9);
	check_whitened(GRAPH_CONV, SHAPE(MANY, 6, SIDE, SIDE),
		       SHAPE(8, 6, 3, 3), 8);
	check_whitened(GRAPH_CONV_TRANSPOSE, SHAPE(MANY, 6, SIDE, SIDE),
		       SHAPE(6, 8, 3, 3), 8);
}

/* ---- with a sparse part ---- */

/* A low rank and a few large weights: both are found, and S keeps its zeros. */
static void check_sparse(enum graph_op op, struct graph_shape input,
			 struct graph_shape shape, int64_t outputs)
{
	const struct low_rank low_rank = { .rank = 1, .sparse = 0.4 };
	int64_t all = graph_shape_count(&shape);
	float *weights = weights_of_rank(shape.dims[0], all / shape.dims[0], 1);
	float *values = random_values(&input);
	static float before[MOST], after[MOST];
	struct compress_choices *choices;
	struct graph *graph;
	float lost = 0, all_squares = 0;
	int64_t results;
	int count, rest;

	for (int64_t i = 3; i < all; i += all / 3)
		weights[i] += 5;
	graph = layer_create(op, input, shape, outputs, weights);
	results = compute(graph, values, before);
	CHECK(split(graph, &low_rank, NULL, &count, &choices));
	assert_int_equal(graph->node_count, 4);
	assert_int_equal(compute(graph, values, after), results);
	for (int64_t i = 0; i < results; i++) {
		lost += powf(before[i] - after[i], 2);
		all_squares += powf(before[i], 2);
	}
	assert_true(lost < 1e-4F * all_squares);
	rest = graph_find_tensor(graph, "constant.low_rank.rest");
	assert_true(rest >= 0);
	for (int t = 0; t < graph->tensor_count; t++)
		if (prune_applies(graph, t) && t != rest)
			assert_true(choices->layers[t].sparsity == 0.25);
	assert_true(choices->layers[rest].sparsity > 0.5);
	choices_destroy(choices);
	free(values);
	free(weights);
	graph_destroy(graph);
}

static void test_sparse(void **state)
{
	(void)state;
	check_sparse(GRAPH_GEMM, SHAPE(BATCH, 16), SHAPE(12, 16), 12);
	check_sparse(GRAPH_CONV, SHAPE(BATCH, 6, SIDE, SIDE), SHAPE(8, 6, 3, 3),
		     8);
	check_sparse(GRAPH_CONV_TRANSPOSE, SHAPE(BATCH, 6, SIDE, SIDE),
		     SHAPE(6, 8, 3, 3), 8);
}

/* Columns that are each one of few directions are coded exactly. */
static void test_dictionary(void **state)
{
	const struct low_rank low_rank = { .atoms = 3, .nonzeros = 1 };
	static float before[MOST], after[MOST];
	float atoms[3][12], weights[12 * 20], *values;
	struct compress_choices *choices;
	struct graph *graph;
	int count, codes;

	(void)state;
	for (int i = 0; i < 36; i++)
		atoms[i / 12][i % 12] = random_value();
	for (int c = 0; c < 20; c++)
		for (int r = 0; r < 12; r++)
			weights[r * 20 + c] =
				atoms[c * 3 / 20][r] * (float)(c % 5 + 1);
	graph = layer_create(GRAPH_GEMM, SHAPE(BATCH, 20), SHAPE(12, 20), 12,
			     weights);
	values = random_values(&graph->tensors[graph->inputs[0]].shape);
	compute(graph, values, before);
	CHECK(split(graph, &low_rank, NULL, &count, &choices));
	compute(graph, values, after);
	for (int i = 0; i < BATCH * 12; i++)
		assert_float_equal(before[i], after[i], 1e-3F);
	codes = graph_find_tensor(graph, "constant.low_rank.first");
	assert_true(codes >= 0);
	assert_float_equal(choices->layers[codes].sparsity, 2.0 / 3, 1e-12);
	choices_destroy(choices);
	free(values);
	graph_destroy(graph);
}

/* ---- one budget ---- */

/* Of two layers, the one that has a rank gets it, and the other the rest. */
static void test_global(void **state)
{
	const struct low_rank low_rank = { .ratio = 0.5, .global = true };
	const int64_t side = 24, dims[2] = { side, side };
	struct graph_shape shape = SHAPE(BATCH, side);
	float *thin = weights_of_rank(side, side, 1);
	float *thick = weights_of_rank(side, side, (int)side);
	struct graph *graph = graph_create("layers");
	int inputs[2], output, count, first, second;

	(void)state;
	inputs[0] = graph_add_tensor(graph, "x", &shape);
	assert_int_equal(graph_add_input(graph, inputs[0]), 0);
	inputs[1] = add_constant(graph, 2, dims, thin);
	inputs[0] = add_node(graph, GRAPH_GEMM, inputs, 2);
	inputs[1] = add_constant(graph, 2, dims, thick);
	output = add_node(graph, GRAPH_GEMM, inputs, 2);
	assert_int_equal(graph_add_output(graph, output), 0);
	assert_true(settle_shapes(graph));
	CHECK(split(graph, &low_rank, NULL, &count, NULL));
	first = graph->nodes[0].inputs[1];
	second = graph->nodes[2].inputs[1];
	assert_int_equal(graph->tensors[first].shape.dims[0], 1);
	/* 0.5 · 2 · 576 weights, 48 a rank */
	assert_int_equal(graph->tensors[second].shape.dims[0], 11);
	graph_destroy(graph);
	free(thin);
	free(thick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_largest_stay),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_whitened),
		cmocka_unit_test(test_refit),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_dictionary),
		cmocka_unit_test(test_global),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
