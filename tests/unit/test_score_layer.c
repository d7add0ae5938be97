/* SPDX-License-Identifier: MIT */
/* Scores of single layers, on layers small enough to know them by hand. */
#include "unit.h"

#include "float_graph.h"

#include <compress/prune_method.h>
#include <compress/saliency.h>
#include <compress/score_layer.h>
#include <compress/weight_layout.h>

enum { ROWS = 2, COLUMNS = 3 };

/* x · Wᵀ + b, then ReLU; the second neuron is dead */
static struct graph *dead_neuron(int *weight)
{
	const float values[ROWS * COLUMNS] = { 1, -2, 3, 4, 5, 6 };
	const float biases[ROWS] = { 1000, -1000 };
	struct graph_shape shape = { 2, { 2, COLUMNS } };
	struct graph *graph = graph_create("test");
	int inputs[3], result;

	inputs[0] = graph_add_tensor(graph, "x", &shape);
	graph_add_input(graph, inputs[0]);
	*weight = add_constant(graph, 2, (int64_t[]){ ROWS, COLUMNS }, values);
	inputs[1] = *weight;
	inputs[2] = add_constant(graph, 1, (int64_t[]){ ROWS }, biases);
	result = add_node(graph, GRAPH_GEMM, inputs, 3);
	result = add_node(graph, GRAPH_RELU, &result, 1);
	graph_add_output(graph, result);
	assert_true(settle_shapes(graph));
	return graph;
}

/* @size: of the inputs; @found: scores */
static void find_scores(int (*score)(const struct prune_method_context *,
				     float **),
			float size, float *found)
{
	float x[2 * COLUMNS] = { size, 0, 2 * size, -3 * size, 0, 4 * size };
	struct array array = { .values = x, .shape = { 2, { 2, COLUMNS } } };
	struct array *samples[] = { &array };
	bool is_state = false;
	const struct calibration_data data = { samples, 1, 1, &is_state };
	int weight;
	struct graph *graph = dead_neuron(&weight);
	float **scores = saliency_create(graph);
	const struct prune_method_context context = {
		.graph = graph,
		.data = &data,
		.workers = 1,
	};

	CHECK(score(&context, scores));
	memcpy(found, scores[weight], ROWS * COLUMNS * sizeof(*found));
	saliency_destroy(scores, graph);
	graph_destroy(graph);
}

static void check_scores(int (*score)(const struct prune_method_context *,
				      float **),
			 const float *expected)
{
	float found[ROWS * COLUMNS];

	find_scores(score, 1, found);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		assert_true(fabsf(found[i] - expected[i]) <=
			    1e-5F * expected[i]);
}

/* Mean squares of the columns: 5, 0, 10. */
static void test_obd_is_the_weight_and_what_it_meets(void **state)
{
	const float expected[] = { 5, 0, 90, 80, 0, 360 };

	(void)state;
	check_scores(score_obd, expected);
}

/* Squares beyond what a float holds: the order is what it was. */
static void test_obd_of_large_values(void **state)
{
	const float expected[] = { 5, 0, 90, 80, 0, 360 };
	float found[ROWS * COLUMNS];

	(void)state;
	find_scores(score_obd, 1e25F, found);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		assert_true(fabsf(found[i] / found[5] - expected[i] / 360) <=
			    1e-5F);
}

/* All of the layer's activity is the first neuron's. */
static void test_dead_neurons_score_nothing(void **state)
{
	const float expected[] = { 2, 2, 2, 0, 0, 0 };

	(void)state;
	check_scores(score_activation, expected);
}

/* ---- where weights lie ---- */

enum { GROUPS = 2, IN = 3, OUT = 2, TAPS = 6 };

static struct weight_layout conv_layout(struct graph *graph, enum graph_op op)
{
	bool transposed = op == GRAPH_CONV_TRANSPOSE;
	float values[GROUPS * IN * OUT * TAPS] = { 0 };
	struct graph_shape shape = { 4, { 1, GROUPS * IN, 8, 8 } };
	int inputs[2], result;

	inputs[0] = graph_add_tensor(graph, "x", &shape);
	inputs[1] = add_constant(graph, 4,
				 (int64_t[]){ GROUPS * (transposed ? IN : OUT),
					      transposed ? OUT : IN, 2, 3 },
				 values);
	result = add_node(graph, op, inputs, 2);
	producer_of(graph, result)->conv = (struct graph_conv){
		.kernel = { 2, 3 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.group = GROUPS,
	};
	return weight_layout_find(graph, inputs[1]);
}

static void test_convolutions(void **state)
{
	struct graph *plain = graph_create("plain");
	struct graph *transposed = graph_create("transposed");
	struct weight_layout a = conv_layout(plain, GRAPH_CONV);
	struct weight_layout b = conv_layout(transposed, GRAPH_CONV_TRANSPOSE);

	(void)state;
	for (int64_t i = 0; i < GROUPS * IN * OUT * TAPS; i++) {
		int64_t group = i / (IN * OUT * TAPS);
		int64_t major = i / TAPS, minor;

		minor = group * IN + major % IN;
		assert_int_equal(weight_layout_neuron(&a, i), major / IN);
		assert_int_equal(weight_layout_channel(&a, i), minor);
		minor = group * OUT + major % OUT;
		assert_int_equal(weight_layout_channel(&b, i), major / OUT);
		assert_int_equal(weight_layout_neuron(&b, i), minor);
	}
	graph_destroy(plain);
	graph_destroy(transposed);
}

enum { HIDDEN = 2, GATES = 4 };

/* A hidden unit has a row in each gate of its direction. */
static void test_recurrences(void **state)
{
	float values[2 * GATES * HIDDEN * COLUMNS] = { 0 };
	struct graph_shape shape = { 3, { 5, 1, COLUMNS } };
	struct graph *graph = graph_create("test");
	struct weight_layout weight, recurrence;
	int inputs[3], result;

	(void)state;
	inputs[0] = graph_add_tensor(graph, "x", &shape);
	inputs[1] = add_constant(
		graph, 3, (int64_t[]){ 2, GATES * HIDDEN, COLUMNS }, values);
	inputs[2] = add_constant(
		graph, 3, (int64_t[]){ 2, GATES * HIDDEN, HIDDEN }, values);
	result = add_node(graph, GRAPH_LSTM, inputs, 3);
	producer_of(graph, result)->recurrent = (struct graph_recurrent){
		.hidden = HIDDEN,
		.direction = GRAPH_BIDIRECTIONAL,
	};
	weight = weight_layout_find(graph, inputs[1]);
	recurrence = weight_layout_find(graph, inputs[2]);
	for (int64_t row = 0; row < 2 * GATES * HIDDEN; row++) {
		int64_t direction = row / (GATES * HIDDEN);
		int64_t unit = direction * HIDDEN + row % HIDDEN;

		assert_int_equal(
			weight_layout_neuron(&weight, row * COLUMNS + 1), unit);
		assert_int_equal(
			weight_layout_channel(&weight, row * COLUMNS + 1), 1);
		assert_int_equal(weight_layout_neuron(&recurrence,
						      row * HIDDEN + 1),
				 unit);
		assert_int_equal(weight_layout_channel(&recurrence,
						       row * HIDDEN + 1),
				 direction * HIDDEN + 1);
	}
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_obd_is_the_weight_and_what_it_meets),
		cmocka_unit_test(test_obd_of_large_values),
		cmocka_unit_test(test_dead_neurons_score_nothing),
		cmocka_unit_test(test_convolutions),
		cmocka_unit_test(test_recurrences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
