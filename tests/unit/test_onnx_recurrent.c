/* SPDX-License-Identifier: MIT */
#include "onnx_run.h"

#include <errno.h>

#define HIDDEN 3

static struct onnx_builder *model(const char *input)
{
	struct onnx_builder *builder = onnx_builder_create(14);

	onnx_builder_input(builder, "x", input);
	onnx_builder_output(builder, "y");
	return builder;
}

static void add_weights(struct onnx_builder *builder, int directions, int gates)
{
	char dims[64];

	snprintf(dims, sizeof(dims), "%d %d 5", directions, gates * HIDDEN);
	onnx_builder_floats(builder, "w", dims, NULL);
	snprintf(dims, sizeof(dims), "%d %d %d", directions, gates * HIDDEN,
		 HIDDEN);
	onnx_builder_floats(builder, "r", dims, NULL);
	snprintf(dims, sizeof(dims), "%d %d", directions, 2 * gates * HIDDEN);
	onnx_builder_floats(builder, "b", dims, NULL);
}

/* The states' shape from the input's, filled with zeros, as PyTorch does. */
static void add_zero_state(struct onnx_builder *builder)
{
	onnx_builder_integers(builder, "one", "1");
	onnx_builder_integers(builder, "hidden", "3");
	onnx_builder_node(builder, "Shape", "x", "shape");
	onnx_builder_node(builder, "Gather", "shape one", "n");
	onnx_builder_node(builder, "Concat", "one n hidden", "state");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "ConstantOfShape", "state", "h0");
}

static void lstm_of_one_direction_is_one_node(void **state)
{
	struct onnx_builder *builder = model("T N 5");
	struct graph *graph;

	(void)state;
	add_weights(builder, 1, 4);
	add_zero_state(builder);
	onnx_builder_node(builder, "LSTM", "x w r b - h0 h0", "a - c");
	onnx_builder_int(builder, "hidden_size", HIDDEN);
	onnx_builder_node(builder, "Squeeze", "a one", "y");
	onnx_builder_output(builder, "c");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "LSTM");
	assert_int_equal(graph->nodes[0].inputs[4], GRAPH_NO_TENSOR);
	assert_int_equal(graph->nodes[0].outputs[1], GRAPH_NO_TENSOR);
	assert_output_shape(graph, "7 2 5", "7 2 3");
	graph_destroy(graph);
}

/* PyTorch makes the states of all layers at once, and takes them apart. */
static void states_of_several_layers_fold(void **state)
{
	struct onnx_builder *builder = model("T N 5");
	struct graph *graph;

	(void)state;
	add_weights(builder, 1, 4);
	onnx_builder_floats(builder, "w2", "1 12 3", NULL);
	onnx_builder_integers(builder, "zero", "0");
	onnx_builder_integers(builder, "one", "1");
	onnx_builder_integers(builder, "two", "2");
	onnx_builder_integers(builder, "hidden", "3");
	onnx_builder_node(builder, "Shape", "x", "shape");
	onnx_builder_node(builder, "Gather", "shape one", "n");
	onnx_builder_node(builder, "Concat", "two n hidden", "state");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "ConstantOfShape", "state", "h0");
	onnx_builder_node(builder, "Slice", "h0 zero one zero", "first");
	onnx_builder_node(builder, "Slice", "h0 one two zero", "second");
	onnx_builder_node(builder, "LSTM", "x w r b - first first", "a");
	onnx_builder_int(builder, "hidden_size", HIDDEN);
	onnx_builder_node(builder, "Squeeze", "a one", "s");
	onnx_builder_node(builder, "LSTM", "s w2 r b - second second", "c");
	onnx_builder_int(builder, "hidden_size", HIDDEN);
	onnx_builder_node(builder, "Squeeze", "c one", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "LSTM LSTM");
	assert_int_equal(graph->nodes[1].inputs[5], GRAPH_NO_TENSOR);
	graph_destroy(graph);
}

/* PyTorch joins the directions by a transposition and a view. */
static void gru_of_two_directions_is_one_node(void **state)
{
	struct onnx_builder *builder = model("T N 5");
	struct graph *graph;

	(void)state;
	add_weights(builder, 2, 3);
	onnx_builder_integers(builder, "join", "0 0 -1");
	onnx_builder_node(builder, "GRU", "x w r b", "a");
	onnx_builder_int(builder, "hidden_size", HIDDEN);
	onnx_builder_string(builder, "direction", "bidirectional");
	onnx_builder_int(builder, "linear_before_reset", 1);
	onnx_builder_node(builder, "Transpose", "a", "t");
	onnx_builder_ints(builder, "perm", "0 2 1 3");
	onnx_builder_node(builder, "Reshape", "t join", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "GRU");
	assert_true(graph->nodes[0].recurrent.linear_before_reset);
	assert_int_equal(graph->nodes[0].recurrent.direction,
			 GRAPH_BIDIRECTIONAL);
	assert_output_shape(graph, "7 2 5", "7 2 6");
	graph_destroy(graph);
}

/* What is [T·N, K] only for the sake of Gemm is a product of [T, N, K]. */
static void merged_steps_are_no_views(void **state)
{
	struct onnx_builder *builder = model("T N 5");
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "w", "7 5", NULL);
	onnx_builder_integers(builder, "zero", "0");
	onnx_builder_integers(builder, "two", "2");
	onnx_builder_integers(builder, "rows", "7");
	onnx_builder_integers(builder, "merge", "-1 5");
	onnx_builder_node(builder, "Reshape", "x merge", "m");
	onnx_builder_node(builder, "Gemm", "m w", "p");
	onnx_builder_int(builder, "transB", 1);
	onnx_builder_node(builder, "Shape", "x", "shape");
	onnx_builder_node(builder, "Slice", "shape zero two", "steps");
	onnx_builder_node(builder, "Concat", "steps rows", "target");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Reshape", "p target", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm");
	assert_output_shape(graph, "7 2 5", "7 2 7");
	graph_destroy(graph);
}

/* layout = 1 is the same as transposing what goes in and comes out. */
static struct graph *batch_first(bool layout)
{
	struct onnx_builder *builder = model("N T 5");

	add_weights(builder, 1, 4);
	onnx_builder_integers(builder, "axis", layout ? "2" : "1");
	if (!layout) {
		onnx_builder_node(builder, "Transpose", "x", "xt");
		onnx_builder_ints(builder, "perm", "1 0 2");
	}
	onnx_builder_node(builder, "LSTM", layout ? "x w r b" : "xt w r b",
			  "a");
	if (layout)
		onnx_builder_int(builder, "layout", 1);
	onnx_builder_string(builder, "direction", "reverse");
	onnx_builder_node(builder, "Squeeze", "a axis", layout ? "y" : "s");
	if (!layout) {
		onnx_builder_node(builder, "Transpose", "s", "y");
		onnx_builder_ints(builder, "perm", "1 0 2");
	}
	return onnx_builder_graph(builder);
}

static void batch_may_come_first(void **state)
{
	(void)state;
	assert_same_function(batch_first(true), batch_first(false), "2 6 5");
}

static void other_cells_are_refused(void **state)
{
	struct onnx_builder *builder = model("T N 5");

	(void)state;
	add_weights(builder, 1, 4);
	onnx_builder_floats(builder, "p", "1 9", NULL);
	onnx_builder_node(builder, "LSTM", "x w r b - - - p", "y");
	onnx_builder_refused(builder, -ENOTSUP, "peepholes");

	builder = model("T N 5");
	add_weights(builder, 1, 4);
	onnx_builder_node(builder, "LSTM", "x w r b", "y");
	onnx_builder_float(builder, "clip", 3);
	onnx_builder_refused(builder, -ENOTSUP, "clip");

	builder = model("T N 5");
	add_weights(builder, 1, 3);
	onnx_builder_node(builder, "LSTM", "x w r b", "y");
	onnx_builder_int(builder, "hidden_size", HIDDEN);
	onnx_builder_refused(builder, -EINVAL, "hidden_size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lstm_of_one_direction_is_one_node),
		cmocka_unit_test(states_of_several_layers_fold),
		cmocka_unit_test(gru_of_two_directions_is_one_node),
		cmocka_unit_test(batch_may_come_first),
		cmocka_unit_test(other_cells_are_refused),
		cmocka_unit_test(merged_steps_are_no_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
