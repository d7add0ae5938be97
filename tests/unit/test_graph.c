/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <accel/error.h>
#include <compress/graph.h>

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct graph_shape image = {
	4,
	{ GRAPH_DIM_DYNAMIC, 3, GRAPH_DIM_DYNAMIC, GRAPH_DIM_DYNAMIC }
};

/* x -> conv 3x3, 8 channels, pads as given -> relu -> y */
static struct graph *small_graph(int64_t pad)
{
	const struct graph_shape weight = { 4, { 8, 3, 3, 3 } };
	const struct graph_shape hidden = { 4, { -1, 8, -1, -1 } };
	struct graph *graph = graph_create("small");
	int x = graph_add_tensor(graph, "x", &image);
	int w = graph_add_constant(graph, "w", &weight, NULL);
	int h = graph_add_tensor(graph, "h", &hidden);
	int y = graph_add_tensor(graph, "y", &hidden);
	int conv = graph_add_node(graph, GRAPH_CONV, "conv", (int[]){ x, w }, 2,
				  &h, 1);

	graph->nodes[conv].conv = (struct graph_conv){
		.kernel = { 3, 3 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.pads = { pad, pad, pad, pad },
		.group = 1,
	};
	graph->tensors[x].symbols[0] = strdup("N");
	graph_add_node(graph, GRAPH_RELU, "relu", &h, 1, &y, 1);
	graph_add_input(graph, x);
	graph_add_output(graph, y);
	return graph;
}

static void names_find_tensors(void **state)
{
	struct graph *graph = small_graph(1);

	(void)state;
	assert_int_equal(graph_find_tensor(graph, "h"), 2);
	assert_int_equal(graph_find_tensor(graph, "nobody"), -ENOENT);
	assert_int_equal(graph_add_tensor(graph, "h", &image), -EEXIST);
	assert_int_equal(graph_tensor_use_count(graph, 2), 1);
	graph_destroy(graph);
}

static void shapes_follow_the_input(void **state)
{
	const struct graph_shape input = { 4, { 2, 3, 17, 23 } };
	struct graph *graph = small_graph(0);
	struct graph_shape shapes[8];

	(void)state;
	assert_int_equal(graph_validate(graph), 0);
	assert_int_equal(graph_infer_shapes(graph, &input, shapes), 0);
	assert_int_equal(shapes[3].dims[0], 2);
	assert_int_equal(shapes[3].dims[1], 8);
	assert_int_equal(shapes[3].dims[2], 15);
	assert_int_equal(shapes[3].dims[3], 21);
	graph_destroy(graph);
}

static void inputs_that_do_not_fit_are_refused(void **state)
{
	const struct graph_shape channels = { 4, { 1, 4, 8, 8 } };
	const struct graph_shape small = { 4, { 1, 3, 2, 8 } };
	struct graph *graph = small_graph(0);
	struct graph_shape shapes[8];

	(void)state;
	assert_int_equal(graph_infer_shapes(graph, &channels, shapes), -EINVAL);
	assert_string_equal(
		accel_last_error(),
		"input x takes shape [?, 3, ?, ?], not [1, 4, 8, 8]");
	assert_int_equal(graph_infer_shapes(graph, &small, shapes), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "conv (Conv)"));
	graph_destroy(graph);
}

static void clone_is_deep_and_equal(void **state)
{
	struct graph *graph = small_graph(1);
	struct graph *clone = graph_clone(graph);

	(void)state;
	graph->tensors[1].data[5] = 7;
	graph_destroy(graph);
	assert_int_equal(graph_validate(clone), 0);
	assert_int_equal(clone->node_count, 2);
	assert_true(clone->tensors[1].data[5] == 0);
	assert_int_equal(clone->nodes[0].conv.pads[3], 1);
	assert_string_equal(clone->tensors[0].symbols[0], "N");
	graph_destroy(clone);
}

static void weights_that_are_not_finite_are_refused(void **state)
{
	struct graph *graph = small_graph(1);

	(void)state;
	graph->tensors[1].data[5] = NAN;
	assert_int_equal(graph_validate(graph), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "w: element 5"));
	graph_destroy(graph);
}

static void attributes_out_of_range_are_refused(void **state)
{
	struct graph *graph = small_graph(1);

	(void)state;
	graph->nodes[0].conv.stride[1] = 0;
	assert_int_equal(graph_validate(graph), -EINVAL);
	assert_string_equal(accel_last_error(),
			    "conv (Conv): its stride is out of range");
	graph_destroy(graph);
}

static void replaced_output_keeps_its_name(void **state)
{
	struct graph *graph = small_graph(1);

	(void)state;
	assert_int_equal(graph_replace_uses(graph, 3, 2), 0);
	graph_remove_node(graph, 1);
	assert_int_equal(graph_compact(graph), 0);
	assert_int_equal(graph_validate(graph), 0);
	assert_int_equal(graph->node_count, 1);
	assert_int_equal(graph->tensor_count, 3);
	assert_string_equal(graph->tensors[graph->outputs[0]].name, "y");
	graph_destroy(graph);
}

static void input_cannot_become_an_output(void **state)
{
	struct graph *graph = small_graph(1);

	(void)state;
	assert_int_equal(graph_replace_uses(graph, 3, 0), -EBUSY);
	graph_destroy(graph);
}

/* Nodes in the wrong order and one that nobody needs. */
static void compaction_sorts_and_drops(void **state)
{
	const struct graph_shape shape = { 1, { 4 } };
	struct graph *graph = graph_create("unsorted");
	int tensors[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		tensors[i] = graph_add_tensor(
			graph, (const char *[]){ "a", "b", "c", "d" }[i],
			&shape);
	graph_add_node(graph, GRAPH_TANH, "last", &tensors[1], 1, &tensors[2],
		       1);
	graph_add_node(graph, GRAPH_ABS, "idle", &tensors[1], 1, &tensors[3],
		       1);
	graph_add_node(graph, GRAPH_EXP, "first", &tensors[0], 1, &tensors[1],
		       1);
	graph_add_input(graph, tensors[0]);
	graph_add_output(graph, tensors[2]);
	assert_int_equal(graph_validate(graph), -EINVAL);
	assert_int_equal(graph_compact(graph), 0);
	assert_int_equal(graph_validate(graph), 0);
	assert_int_equal(graph->node_count, 2);
	assert_string_equal(graph->nodes[0].name, "first");
	graph_destroy(graph);
}

static void cycles_are_refused(void **state)
{
	const struct graph_shape shape = { 1, { 4 } };
	struct graph *graph = graph_create("cycle");
	int a = graph_add_tensor(graph, "a", &shape);
	int b = graph_add_tensor(graph, "b", &shape);

	(void)state;
	graph_add_node(graph, GRAPH_TANH, "there", &a, 1, &b, 1);
	graph_add_node(graph, GRAPH_TANH, "back", &b, 1, &a, 1);
	graph_add_output(graph, b);
	assert_int_equal(graph_compact(graph), -EINVAL);
	graph_destroy(graph);
}

static void same_padding_follows_the_size(void **state)
{
	struct graph_node node = { .op = GRAPH_CONV,
				   .conv = { .kernel = { 3, 4 },
					     .stride = { 2, 2 },
					     .dilation = { 1, 1 },
					     .auto_pad =
						     GRAPH_PAD_SAME_UPPER } };
	int64_t pads[4];

	(void)state;
	graph_conv_pads(&node, 8, 8, pads);
	assert_int_equal(pads[0], 0);
	assert_int_equal(pads[1], 1);
	assert_int_equal(pads[2], 1);
	assert_int_equal(pads[3], 1);
	node.conv.auto_pad = GRAPH_PAD_SAME_LOWER;
	graph_conv_pads(&node, 8, 9, pads);
	assert_int_equal(pads[0], 1);
	assert_int_equal(pads[2], 0);
	assert_int_equal(pads[1] + pads[3], 3);
	assert_int_equal(pads[1], 2);
}

static void output_size_of_transposed_convolution_makes_pads(void **state)
{
	struct graph_node node = { .op = GRAPH_CONV_TRANSPOSE,
				   .conv = { .kernel = { 3, 3 },
					     .stride = { 2, 2 },
					     .dilation = { 1, 1 },
					     .output_size = { 10, 9 } } };
	int64_t pads[4];

	(void)state;
	/* 2·4 + 3 = 11 rows without padding */
	graph_conv_pads(&node, 5, 5, pads);
	assert_int_equal(pads[0], 1);
	assert_int_equal(pads[2], 0);
	assert_int_equal(pads[1], 1);
	assert_int_equal(pads[3], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_find_tensors),
		cmocka_unit_test(shapes_follow_the_input),
		cmocka_unit_test(inputs_that_do_not_fit_are_refused),
		cmocka_unit_test(clone_is_deep_and_equal),
		cmocka_unit_test(weights_that_are_not_finite_are_refused),
		cmocka_unit_test(attributes_out_of_range_are_refused),
		cmocka_unit_test(replaced_output_keeps_its_name),
		cmocka_unit_test(input_cannot_become_an_output),
		cmocka_unit_test(compaction_sorts_and_drops),
		cmocka_unit_test(cycles_are_refused),
		cmocka_unit_test(same_padding_follows_the_size),
		cmocka_unit_test(
			output_size_of_transposed_convolution_makes_pads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
