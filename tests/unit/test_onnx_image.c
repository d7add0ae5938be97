/* SPDX-License-Identifier: MIT */
/* Resize in all versions, pooling, activations and arithmetic. */
#include "onnx_run.h"

#include <errno.h>

static struct onnx_builder *model(int64_t opset, const char *input)
{
	struct onnx_builder *builder = onnx_builder_create(opset);

	onnx_builder_input(builder, "x", input);
	onnx_builder_output(builder, "y");
	return builder;
}

static void assert_resizes(struct onnx_builder *builder)
{
	struct graph *graph = onnx_builder_graph(builder);

	assert_operators(graph, "Resize");
	assert_output_shape(graph, "1 3 4 5", "1 3 8 15");
	graph_destroy(graph);
}

static const float scales[4] = { 1, 1, 2, 3 };

static void upsample_of_opset_9(void **state)
{
	struct onnx_builder *builder = model(9, "N 3 H W");

	(void)state;
	onnx_builder_floats(builder, "s", "4", scales);
	onnx_builder_node(builder, "Upsample", "x s", "y");
	onnx_builder_string(builder, "mode", "nearest");
	assert_resizes(builder);
}

static void resize_of_opset_10(void **state)
{
	struct onnx_builder *builder = model(10, "N 3 H W");

	(void)state;
	onnx_builder_floats(builder, "s", "4", scales);
	onnx_builder_node(builder, "Resize", "x s", "y");
	assert_resizes(builder);
}

static void resize_by_scales(void **state)
{
	struct onnx_builder *builder = model(11, "N 3 H W");

	(void)state;
	onnx_builder_floats(builder, "roi", "0", NULL);
	onnx_builder_floats(builder, "s", "4", scales);
	onnx_builder_node(builder, "Resize", "x roi s", "y");
	onnx_builder_string(builder, "coordinate_transformation_mode",
			    "asymmetric");
	onnx_builder_string(builder, "nearest_mode", "floor");
	assert_resizes(builder);
}

/* interpolate(scale_factor=...): sizes by floor(float(size)·scale). */
static void resize_by_computed_sizes(void **state)
{
	struct onnx_builder *builder = model(13, "N 3 H W");
	const float factors[] = { 2, 3 };

	(void)state;
	onnx_builder_integers(builder, "zero", "0");
	onnx_builder_integers(builder, "two", "2");
	onnx_builder_integers(builder, "four", "4");
	onnx_builder_floats(builder, "factors", "2", factors);
	onnx_builder_floats(builder, "empty", "0", NULL);
	onnx_builder_node(builder, "Shape", "x", "s");
	onnx_builder_node(builder, "Slice", "s zero two", "nc");
	onnx_builder_node(builder, "Slice", "s two four", "hw");
	onnx_builder_node(builder, "Cast", "hw", "real");
	onnx_builder_int(builder, "to", ONNX_FLOAT);
	onnx_builder_node(builder, "Mul", "real factors", "scaled");
	onnx_builder_node(builder, "Floor", "scaled", "whole");
	onnx_builder_node(builder, "Cast", "whole", "int");
	onnx_builder_int(builder, "to", ONNX_INT64);
	onnx_builder_node(builder, "Concat", "nc int", "sizes");
	onnx_builder_int(builder, "axis", 0);
	onnx_builder_node(builder, "Resize", "x empty empty sizes", "y");
	assert_resizes(builder);
}

static void resize_of_some_axes(void **state)
{
	struct onnx_builder *builder = model(18, "N 3 H W");

	(void)state;
	onnx_builder_floats(builder, "s", "2", scales + 2);
	onnx_builder_node(builder, "Resize", "x - s", "y");
	onnx_builder_ints(builder, "axes", "-2 3");
	assert_resizes(builder);
}

static void resizes_that_blend_are_refused(void **state)
{
	const float half[4] = { 1, 1, 1.5f, 2 };
	struct onnx_builder *builder = model(13, "N 3 H W");

	(void)state;
	onnx_builder_floats(builder, "s", "4", half);
	onnx_builder_node(builder, "Resize", "x - s", "y");
	onnx_builder_refused(builder, -ENOTSUP, "scale 1.5");

	builder = model(13, "N 3 H W");
	onnx_builder_floats(builder, "s", "4", scales);
	onnx_builder_node(builder, "Resize", "x - s", "y");
	onnx_builder_string(builder, "mode", "linear");
	onnx_builder_refused(builder, -ENOTSUP, "y (Resize)");

	/* of a factor of 3, i / 3 is rounded, not cut */
	builder = model(13, "N 3 H W");
	onnx_builder_floats(builder, "s", "4", scales);
	onnx_builder_node(builder, "Resize", "x - s", "y");
	onnx_builder_string(builder, "coordinate_transformation_mode",
			    "asymmetric");
	onnx_builder_refused(builder, -ENOTSUP, "nearest_mode");
}

static void space_to_depth_inverts_depth_to_space(void **state)
{
	struct onnx_builder *builder = model(13, "N 3 H W");
	const char *dims = "2 3 4 6";
	struct graph_shape shape = shape_from(dims), result;
	struct graph *graph;
	float *x = random_values(&shape, 1), *y;

	(void)state;
	onnx_builder_node(builder, "SpaceToDepth", "x", "d");
	onnx_builder_int(builder, "blocksize", 2);
	onnx_builder_node(builder, "DepthToSpace", "d", "y");
	onnx_builder_int(builder, "blocksize", 2);
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Conv DepthToSpace");
	assert_true(graph->nodes[0].structural);
	y = run_graph(graph, &dims, &result);
	assert_memory_equal(x, y, 144 * sizeof(*x));
	free(x);
	free(y);
	graph_destroy(graph);
}

static void pooling_counts_its_windows(void **state)
{
	struct onnx_builder *builder = model(13, "N 3 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_node(builder, "MaxPool", "x", "a");
	onnx_builder_ints(builder, "kernel_shape", "3 3");
	onnx_builder_ints(builder, "strides", "2 2");
	onnx_builder_int(builder, "ceil_mode", 1);
	onnx_builder_node(builder, "AveragePool", "a", "b");
	onnx_builder_ints(builder, "kernel_shape", "2 2");
	onnx_builder_ints(builder, "pads", "1 1 1 1");
	onnx_builder_node(builder, "ReduceMean", "b", "y");
	onnx_builder_ints(builder, "axes", "2 -1");
	onnx_builder_int(builder, "keepdims", 0);
	graph = onnx_builder_graph(builder);
	assert_operators(graph,
			 "MaxPool AveragePool GlobalAveragePool Reshape");
	assert_true(graph->nodes[0].pool.ceil_mode);
	assert_false(graph->nodes[1].pool.count_include_pad);
	assert_output_shape(graph, "2 3 8 8", "2 3");
	graph_destroy(graph);
}

static void clip_reads_attributes_then_inputs(void **state)
{
	const float low[] = { -1 }, high[] = { 6 };

	(void)state;
	for (int late = 0; late < 2; late++) {
		struct onnx_builder *builder = model(late ? 11 : 9, "N 3");
		struct graph *graph;

		if (late) {
			onnx_builder_floats(builder, "low", "", low);
			onnx_builder_floats(builder, "high", "", high);
			onnx_builder_node(builder, "Clip", "x low high", "y");
		} else {
			onnx_builder_node(builder, "Clip", "x", "y");
			onnx_builder_float(builder, "min", -1);
			onnx_builder_float(builder, "max", 6);
		}
		graph = onnx_builder_graph(builder);
		assert_operators(graph, "Clip");
		assert_true(graph->nodes[0].unary.low == -1);
		assert_true(graph->nodes[0].unary.high == 6);
		graph_destroy(graph);
	}
}

static void slopes_of_channels(void **state)
{
	struct onnx_builder *builder = model(13, "N 3 H W");
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "slope", "3 1 1", NULL);
	onnx_builder_floats(builder, "w", "3 3 1 1", NULL);
	onnx_builder_node(builder, "Conv", "x w", "h");
	onnx_builder_node(builder, "PRelu", "h slope", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Conv PRelu");
	assert_int_equal(graph->nodes[1].axis, 1);
	graph_destroy(graph);
}

static void products_with_gates_are_one_activation(void **state)
{
	struct onnx_builder *builder = model(13, "N 3");
	struct graph *graph;

	(void)state;
	onnx_builder_node(builder, "Sigmoid", "x", "s");
	onnx_builder_node(builder, "Mul", "x s", "a");
	onnx_builder_node(builder, "HardSigmoid", "a", "h");
	onnx_builder_float(builder, "alpha", 1.0f / 6);
	onnx_builder_node(builder, "Mul", "h a", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Silu HardSwish");
	graph_destroy(graph);
}

/* (1 − x)/2 − x·x, with differences as sums */
static void differences_are_sums(void **state)
{
	const float one[] = { 1 }, two[] = { 2 };
	struct onnx_builder *builder = model(13, "N 3");
	const char *dims = "5 3";
	struct graph_shape shape = shape_from(dims), result;
	float *x = random_values(&shape, 1), *y;
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "one", "1", one);
	onnx_builder_floats(builder, "two", "", two);
	onnx_builder_node(builder, "Sub", "one x", "a");
	onnx_builder_node(builder, "Div", "a two", "b");
	onnx_builder_node(builder, "Pow", "x two", "c");
	onnx_builder_node(builder, "Sub", "b c", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Affine Mul Affine Add");
	y = run_graph(graph, &dims, &result);
	for (int i = 0; i < 15; i++)
		assert_true(fabsf(y[i] - ((1 - x[i]) / 2 - x[i] * x[i])) <
			    1e-6f);
	free(x);
	free(y);
	graph_destroy(graph);
}

static void constants_of_many_axes_are_added(void **state)
{
	struct onnx_builder *builder = model(13, "N 3 2 2");
	struct graph *graph;

	(void)state;
	onnx_builder_floats(builder, "c", "1 3 2 2", NULL);
	onnx_builder_node(builder, "Add", "x c", "y");
	graph = onnx_builder_graph(builder);
	assert_operators(graph, "Add");
	assert_true(graph_tensor_is_constant(graph, graph->nodes[0].inputs[1]));
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upsample_of_opset_9),
		cmocka_unit_test(resize_of_opset_10),
		cmocka_unit_test(resize_by_scales),
		cmocka_unit_test(resize_by_computed_sizes),
		cmocka_unit_test(resize_of_some_axes),
		cmocka_unit_test(resizes_that_blend_are_refused),
		cmocka_unit_test(space_to_depth_inverts_depth_to_space),
		cmocka_unit_test(pooling_counts_its_windows),
		cmocka_unit_test(clip_reads_attributes_then_inputs),
		cmocka_unit_test(slopes_of_channels),
		cmocka_unit_test(products_with_gates_are_one_activation),
		cmocka_unit_test(differences_are_sums),
		cmocka_unit_test(constants_of_many_axes_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
