/* SPDX-License-Identifier: MIT */
/* Shapes that follow from shapes, as exporters write them, and what moves data. */
#include "onnx_run.h"

#include <errno.h>

static struct onnx_builder *model(const char *input)
{
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", input);
	onnx_builder_output(builder, "y");
	return builder;
}

/* x.view(x.size(0), -1) as PyTorch writes it. */
static void flatten_from_shapes_keeps_the_batch(void **state)
{
	struct onnx_builder *builder = model("N 4 3 2");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "zero", "=0");
	onnx_builder_integers(builder, "rest", "-1");
	onnx_builder_integers(builder, "axes", "0");
	onnx_builder_node(builder, "Shape", "x", "s");
	onnx_builder_node(builder, "Gather", "s zero", "n");
	onnx_builder_node(builder, "Unsqueeze", "n axes", "n1");
	onnx_builder_node(builder, "Concat", "n1 rest", "t");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Reshape", "x t", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Reshape");
	assert_output_shape(graph, "5 4 3 2", "5 24");
	graph_destroy(graph);
}

static void views_that_meet_are_one(void **state)
{
	struct onnx_builder *builder = model("N 4 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "flat", "0 0 -1");
	onnx_builder_integers(builder, "one", "2");
	onnx_builder_integers(builder, "zero", "=0");
	onnx_builder_node(builder, "Reshape", "x flat", "a");
	onnx_builder_node(builder, "Unsqueeze", "a one", "b");
	onnx_builder_node(builder, "Squeeze", "b one", "c");
	onnx_builder_node(builder, "Flatten", "c", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Reshape");
	assert_output_shape(graph, "2 4 3 5", "2 60");
	graph_destroy(graph);
}

/* Dimension i of x times and divided by numbers, as a list of one element. */
static void add_dimension(struct onnx_builder *builder, int i, const char *op,
			  const char *operand, const char *out)
{
	char index[16], name[32], inputs[64], outputs[32];

	snprintf(index, sizeof(index), "=%d", i);
	snprintf(name, sizeof(name), "index_%s", out);
	onnx_builder_integers(builder, name, index);
	snprintf(inputs, sizeof(inputs), "shape %s", name);
	snprintf(outputs, sizeof(outputs), "dim_%s", out);
	onnx_builder_node(builder, "Gather", inputs, outputs);
	snprintf(inputs, sizeof(inputs), "dim_%s %s", out, operand);
	snprintf(outputs, sizeof(outputs), "scaled_%s", out);
	onnx_builder_node(builder, op, inputs, outputs);
	snprintf(inputs, sizeof(inputs), "scaled_%s axes", out);
	onnx_builder_node(builder, "Unsqueeze", inputs, out);
}

/* Pixel shuffle, decomposed, all sizes but the channels' unknown. */
static struct graph *shuffle_model(bool crd)
{
	struct onnx_builder *builder = model("N 12 H W");

	onnx_builder_integers(builder, "axes", "0");
	onnx_builder_integers(builder, "one", "=1");
	onnx_builder_integers(builder, "two", "=2");
	onnx_builder_integers(builder, "twos", "2");
	onnx_builder_integers(builder, "four", "=4");
	onnx_builder_node(builder, "Shape", "x", "shape");
	add_dimension(builder, 0, "Mul", "one", "n");
	add_dimension(builder, 1, "Div", "four", "c");
	add_dimension(builder, 2, "Mul", "one", "h");
	add_dimension(builder, 3, "Mul", "one", "w");
	add_dimension(builder, 2, "Mul", "two", "h2");
	add_dimension(builder, 3, "Mul", "two", "w2");
	onnx_builder_node(builder, "Concat",
			  crd ? "n c twos twos h w" : "n twos twos c h w",
			  "split");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Concat", "n c h2 w2", "join");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Reshape", "x split", "six");
	onnx_builder_node(builder, "Transpose", "six", "moved");
	onnx_builder_ints(builder, "perm", crd ? "0 1 4 2 5 3" : "0 3 4 1 5 2");
	onnx_builder_node(builder, "Reshape", "moved join", "y");
	return onnx_builder_graph(builder);
}

static struct graph *block_model(const char *mode)
{
	struct onnx_builder *builder = model("N 12 H W");

	onnx_builder_node(builder, "DepthToSpace", "x", "y");
	onnx_builder_int(builder, "blocksize", 2);
	onnx_builder_string(builder, "mode", mode);
	return onnx_builder_graph(builder);
}

static void decomposed_pixel_shuffle_is_recognised(void **state)
{
	(void)state;
	for (int crd = 0; crd < 2; crd++) {
		struct graph *graph = shuffle_model(crd);

		assert_operators(graph, "DepthToSpace");
		assert_int_equal(graph->nodes[0].depth_to_space.crd, crd);
		assert_same_function(graph, block_model(crd ? "CRD" : "DCR"),
				     "2 12 3 5");
	}
}

/* What PyTorch writes for nn.PixelShuffle where sizes are unknown. */
static void pixel_shuffle_in_single_steps_is_recognised(void **state)
{
	struct onnx_builder *builder = model("N 12 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "axes", "2 3");
	onnx_builder_integers(builder, "split", "0 -1 2 2 0 0");
	onnx_builder_integers(builder, "rows", "0 0 -1 1 0 0");
	onnx_builder_integers(builder, "columns", "0 0 0 0 -1 1");
	onnx_builder_integers(builder, "ones", "3 5");
	onnx_builder_node(builder, "Unsqueeze", "x axes", "a");
	onnx_builder_node(builder, "Reshape", "a split", "b");
	onnx_builder_node(builder, "Transpose", "b", "c");
	onnx_builder_ints(builder, "perm", "0 1 4 2 5 3");
	onnx_builder_node(builder, "Reshape", "c rows", "d");
	onnx_builder_node(builder, "Reshape", "d columns", "e");
	onnx_builder_node(builder, "Squeeze", "e ones", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "DepthToSpace");
	assert_same_function(graph, block_model("CRD"), "2 12 3 5");
}

/*
 * The inverse: by PyTorch's own steps, or by halves of the sizes as Real-ESRGAN does.
 * Pixel shuffle after it must give back the input.
 */
static struct graph *unshuffle_model(bool halves)
{
	struct onnx_builder *builder = model("N 3 H W");

	onnx_builder_integers(builder, "axes", "0");
	onnx_builder_integers(builder, "one", "=1");
	onnx_builder_integers(builder, "two", "=2");
	onnx_builder_integers(builder, "twos", "2");
	onnx_builder_integers(builder, "threes", "3");
	onnx_builder_integers(builder, "twelve", "12");
	onnx_builder_integers(builder, "middle", "2 3");
	onnx_builder_integers(builder, "rows", "0 0 -1 2 0");
	onnx_builder_integers(builder, "columns", "0 0 0 0 -1 2");
	onnx_builder_integers(builder, "last", "0 -1 1 1 0 0");
	if (halves) {
		onnx_builder_node(builder, "Shape", "x", "shape");
		add_dimension(builder, 0, "Mul", "one", "n");
		add_dimension(builder, 2, "Div", "two", "h");
		add_dimension(builder, 3, "Div", "two", "w");
		onnx_builder_node(builder, "Concat", "n threes h twos w twos",
				  "split");
		onnx_builder_int(builder, "axis", 0);
		onnx_builder_node(builder, "Concat", "n twelve h w", "join");
		onnx_builder_int(builder, "axis", 0);
		onnx_builder_node(builder, "Reshape", "x split", "c");
	} else {
		onnx_builder_node(builder, "Unsqueeze", "x threes", "a");
		onnx_builder_node(builder, "Reshape", "a rows", "b");
		onnx_builder_node(builder, "Reshape", "b columns", "c");
	}
	onnx_builder_node(builder, "Transpose", "c", "d");
	onnx_builder_ints(builder, "perm", "0 1 3 5 2 4");
	if (halves) {
		onnx_builder_node(builder, "Reshape", "d join", "f");
	} else {
		onnx_builder_node(builder, "Reshape", "d last", "e");
		onnx_builder_node(builder, "Squeeze", "e middle", "f");
	}
	onnx_builder_node(builder, "DepthToSpace", "f", "y");
	onnx_builder_int(builder, "blocksize", 2);
	onnx_builder_string(builder, "mode", "CRD");
	return onnx_builder_graph(builder);
}

static void pixel_unshuffle_is_recognised(void **state)
{
	const char *dims = "2 3 4 6";
	struct graph_shape shape = shape_from(dims), result;

	(void)state;
	for (int halves = 0; halves < 2; halves++) {
		struct graph *graph = unshuffle_model(halves);
		float *x = random_values(&shape, 1), *y;

		assert_operators(graph, "Conv DepthToSpace");
		assert_true(graph->nodes[0].structural);
		y = run_graph(graph, &dims, &result);
		assert_memory_equal(x, y, 144 * sizeof(*x));
		free(x);
		free(y);
		graph_destroy(graph);
	}
}

/* With numbers for sizes, and what merely resembles a shuffle. */
static void only_pixel_shuffle_is_recognised(void **state)
{
	struct onnx_builder *builder;
	struct graph *graph;

	(void)state;
	for (int i = 0; i < 2; i++) {
		builder = model("2 12 3 5");
		onnx_builder_integers(builder, "split", "-1 3 2 2 3 5");
		onnx_builder_integers(builder, "join",
				      i ? "2 3 10 6" : "-1 3 6 10");
		onnx_builder_node(builder, "Reshape", "x split", "six");
		onnx_builder_node(builder, "Transpose", "six", "moved");
		onnx_builder_ints(builder, "perm", "0 1 4 2 5 3");
		onnx_builder_node(builder, "Reshape", "moved join", "y");
		graph = onnx_builder_graph(builder);
		assert_operators(graph, i ? "Reshape Transpose Reshape" :
					    "DepthToSpace");
		graph_destroy(graph);
	}
}

static void transpositions_cancel_around_activations(void **state)
{
	struct onnx_builder *builder = model("N H W 3");
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "w", "3 3 1 1", NULL);
	onnx_builder_node(builder, "Transpose", "x", "a");
	onnx_builder_ints(builder, "perm", "0 3 1 2");
	onnx_builder_node(builder, "Conv", "a w", "b");
	onnx_builder_node(builder, "Transpose", "b", "c");
	onnx_builder_ints(builder, "perm", "0 2 3 1");
	onnx_builder_node(builder, "Sigmoid", "c", "d");
	onnx_builder_node(builder, "Transpose", "d", "e");
	onnx_builder_ints(builder, "perm", "0 3 1 2");
	onnx_builder_node(builder, "Conv", "e w", "f");
	onnx_builder_node(builder, "Transpose", "f", "y");
	onnx_builder_ints(builder, "perm", "0 2 3 1");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Transpose Conv Sigmoid Conv Transpose");
	assert_output_shape(graph, "1 4 5 3", "1 4 5 3");
	graph_destroy(graph);
}

/* There they are part of the layer that the view reshapes. */
static void activations_move_before_views(void **state)
{
	struct graph *graphs[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct onnx_builder *builder = model("N 6");

		onnx_builder_integers(builder, "shape", "-1 2 3 4");
		onnx_builder_floats(builder, "w", "6 24", NULL);
		onnx_builder_node(builder, "MatMul", "x w", "a");
		onnx_builder_node(builder, i ? "Reshape" : "Relu",
				  i ? "a shape" : "a", "b");
		onnx_builder_node(builder, i ? "Relu" : "Reshape",
				  i ? "b" : "b shape", "y");
		graphs[i] = onnx_builder_graph(builder);
		assert_operators(graphs[i], "Gemm Relu Reshape");
	}
	assert_same_function(graphs[0], graphs[1], "3 6");
}

static void slices_take_bounds_from_either_end(void **state)
{
	struct onnx_builder *builder = model("N 8 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "starts", "2 1 -5");
	onnx_builder_integers(builder, "ends", "7 9223372036854775807 -1");
	onnx_builder_integers(builder, "axes", "1 2 -1");
	onnx_builder_integers(builder, "steps", "2 1 1");
	onnx_builder_node(builder, "Slice", "x starts ends axes steps", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Slice Slice Slice");
	assert_output_shape(graph, "1 8 6 9", "1 3 5 4");
	graph_destroy(graph);
}

/* x[:, :, :h - 1] with h taken from the shape. */
static void slices_take_bounds_from_the_shape(void **state)
{
	struct onnx_builder *builder = model("N 8 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "zero", "0");
	onnx_builder_integers(builder, "one", "1");
	onnx_builder_integers(builder, "two", "2");
	onnx_builder_node(builder, "Shape", "x", "s");
	onnx_builder_node(builder, "Gather", "s two", "h");
	onnx_builder_node(builder, "Sub", "h one", "end");
	onnx_builder_node(builder, "Slice", "x zero end two", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Slice");
	assert_int_equal(graph->nodes[0].slice.end, -1);
	assert_output_shape(graph, "1 8 6 9", "1 8 5 9");
	graph_destroy(graph);
}

static void split_becomes_slices_of_what_is_used(void **state)
{
	struct onnx_builder *builder = model("N 7 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "sizes", "2 3 2");
	onnx_builder_node(builder, "Split", "x sizes", "a - c");
	onnx_builder_int(builder, "axis", 1);
	onnx_builder_node(builder, "Mul", "a c", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Slice Slice Mul");
	assert_int_equal(graph->nodes[1].slice.start, 5);
	assert_output_shape(graph, "1 7 2 2", "1 2 2 2");
	graph_destroy(graph);
}

static void gather_of_one_channel_drops_the_axis(void **state)
{
	struct onnx_builder *builder = model("N 7 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "last", "=-1");
	onnx_builder_node(builder, "Gather", "x last", "y");
	onnx_builder_int(builder, "axis", 1);
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Slice Reshape");
	assert_output_shape(graph, "2 7 3 4", "2 3 4");
	graph_destroy(graph);
}

static void negative_padding_crops(void **state)
{
	struct onnx_builder *builder = model("N 1 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "pads", "0 0 -1 2 0 0 -2 0");
	onnx_builder_node(builder, "Pad", "x pads", "y");
	onnx_builder_string(builder, "mode", "reflect");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Slice Pad");
	assert_int_equal(graph->nodes[1].pad.mode, GRAPH_PAD_REFLECT);
	assert_output_shape(graph, "1 1 9 9", "1 1 6 11");
	graph_destroy(graph);
}

/* Zeros of the batch's size for a state, and the arithmetic of sizes. */
static void constants_of_unknown_size_fold(void **state)
{
	struct onnx_builder *builder = model("N 4");
	const float zero[] = { 0 };
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "w", "4 4", NULL);
	onnx_builder_node(builder, "Shape", "x", "s");
	onnx_builder_floats(builder, "z", "1", zero);
	onnx_builder_node(builder, "ConstantOfShape", "s", "zeros");
	onnx_builder_node(builder, "Add", "x zeros", "a");
	onnx_builder_node(builder, "Expand", "z s", "more");
	onnx_builder_node(builder, "Sub", "a more", "b");
	onnx_builder_node(builder, "MatMul", "b w", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Gemm");
	graph_destroy(graph);
}

/* expand(-1, 4) writes Where(Equal(shape, -1), ones, shape). */
static void where_of_sizes_folds(void **state)
{
	struct onnx_builder *builder = model("N 4");
	struct graph *graph;

	(void)state;
	onnx_builder_integers(builder, "asked", "-1 4");
	onnx_builder_integers(builder, "minus", "-1 -1");
	onnx_builder_integers(builder, "ones", "1 1");
	onnx_builder_node(builder, "Equal", "asked minus", "e");
	onnx_builder_node(builder, "Where", "e ones asked", "t");
	onnx_builder_node(builder, "Expand", "x t", "a");
	onnx_builder_node(builder, "Tanh", "a", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Tanh");
	graph_destroy(graph);
}

static void names_of_outputs_survive(void **state)
{
	struct onnx_builder *builder = model("N 4");
	struct graph *graph;

	(void)state;
	onnx_builder_output(builder, "again");
	onnx_builder_output(builder, "x_too");
	onnx_builder_node(builder, "Tanh", "x", "t");
	onnx_builder_node(builder, "Dropout", "t", "y");
	onnx_builder_node(builder, "Identity", "y", "again");
	onnx_builder_node(builder, "Identity", "x", "x_too");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Tanh Affine Affine");
	assert_string_equal(graph->tensors[graph->outputs[0]].name, "y");
	assert_string_equal(graph->tensors[graph->outputs[1]].name, "again");
	assert_string_equal(graph->tensors[graph->outputs[2]].name, "x_too");
	graph_destroy(graph);
}

static void symbols_of_inputs_are_kept(void **state)
{
	struct onnx_builder *builder = model("N 4");
	struct graph_shape wrong[2] = { { 2, { 3, 4 } }, { 2, { 2, 4 } } };
	struct graph_shape shapes[8];
	struct graph *graph;

	(void)state;
	onnx_builder_input(builder, "z", "N 4");
	onnx_builder_node(builder, "Add", "x z", "y");
	graph = onnx_builder_graph(builder);
	assert_string_equal(graph->tensors[graph->inputs[1]].symbols[0], "N");
	assert_int_equal(graph_infer_shapes(graph, wrong, shapes), -EINVAL);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flatten_from_shapes_keeps_the_batch),
		cmocka_unit_test(views_that_meet_are_one),
		cmocka_unit_test(decomposed_pixel_shuffle_is_recognised),
		cmocka_unit_test(pixel_shuffle_in_single_steps_is_recognised),
		cmocka_unit_test(pixel_unshuffle_is_recognised),
		cmocka_unit_test(only_pixel_shuffle_is_recognised),
		cmocka_unit_test(transpositions_cancel_around_activations),
		cmocka_unit_test(activations_move_before_views),
		cmocka_unit_test(slices_take_bounds_from_either_end),
		cmocka_unit_test(slices_take_bounds_from_the_shape),
		cmocka_unit_test(split_becomes_slices_of_what_is_used),
		cmocka_unit_test(gather_of_one_channel_drops_the_axis),
		cmocka_unit_test(negative_padding_crops),
		cmocka_unit_test(constants_of_unknown_size_fold),
		cmocka_unit_test(where_of_sizes_folds),
		cmocka_unit_test(names_of_outputs_survive),
		cmocka_unit_test(symbols_of_inputs_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
