/* SPDX-License-Identifier: MIT */
/* What a layer of two factors computes. */
#include "unit.h"

#include "float_graph.h"
#include "one_node.h"

#include <compress/low_rank.h>

#include <errno.h>

enum { BATCH = 2, SIDE = 5, RANK = 2, MOST = 4096 };

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

/* Nothing is lost of a matrix that has the rank. */
static void check_exact(enum graph_op op, struct graph_shape input,
			struct graph_shape shape, int64_t outputs)
{
	const struct low_rank low_rank = { .rank = RANK };
	int64_t columns = graph_shape_count(&shape) / shape.dims[0];
	float *weights = weights_of_rank(shape.dims[0], columns, RANK);
	struct graph *graph = layer_create(op, input, shape, outputs, weights);
	float *values = random_values(&input);
	float before[MOST], after[MOST];
	int64_t results = compute(graph, values, before);
	int count;

	CHECK(low_rank_split(graph, &low_rank, &count));
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
	float weights[64] = { 0 }, ones[8], results[MOST];
	struct graph *graph;
	int count;

	(void)state;
	for (int i = 0; i < 8; i++) {
		weights[9 * i] = (float)((5 * i) % 8 + 1);
		ones[i] = 1;
	}
	graph = layer_create(GRAPH_GEMM, SHAPE(1, 8), SHAPE(8, 8), 8, weights);
	CHECK(low_rank_split(graph, &low_rank, &count));
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
	assert_int_equal(low_rank_split(graph, &low_rank, &count), -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), "a lower one"));
	graph->tensors[graph->nodes[0].inputs[1]].data[3] = NAN;
	assert_int_equal(low_rank_split(graph, &(struct low_rank){ .rank = 2 },
					&count),
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_largest_stay),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
