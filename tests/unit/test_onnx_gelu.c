/* SPDX-License-Identifier: MIT */
/* GELU as exporters write it before opset 20, and what only begins like it. */
#include "onnx_run.h"

#include <errno.h>

static struct onnx_builder *begin(float divisor)
{
	static const float one = 1, half = 0.5f;
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", "2 8");
	onnx_builder_floats(builder, "divisor", "", &divisor);
	onnx_builder_floats(builder, "one", "", &one);
	onnx_builder_floats(builder, "half", "", &half);
	onnx_builder_node(builder, "Div", "x divisor", "scaled");
	onnx_builder_node(builder, "Erf", "scaled", "erf");
	return builder;
}

static void assert_gelu(struct onnx_builder *builder)
{
	const struct graph_shape shape = { 2, { 2, 8 } };
	const float *values[1] = { random_values(&shape, 7) };
	struct executor *executor;
	struct graph *graph;

	onnx_builder_output(builder, "y");
	graph = onnx_builder_graph(builder);
	assert_int_equal(graph->node_count, 1);
	assert_int_equal(graph->nodes[0].op, GRAPH_GELU);
	assert_int_equal(executor_create(&executor, graph, &shape, NULL), 0);
	assert_int_equal(executor_run(executor, values), 0);
	for (int i = 0; i < 16; i++) {
		double x = (double)values[0][i];
		double y = x * (1 + erf(x * M_SQRT1_2)) / 2;

		assert_true(fabs((double)executor_values(executor,
							 graph->outputs[0])[i] -
				 y) < 1e-6);
	}
	executor_destroy(executor);
	graph_destroy(graph);
	free((float *)(uintptr_t)values[0]);
}

static void half_may_stand_anywhere(void **state)
{
	static const char *const products[4][2] = {
		{ "x sum", "first half" },
		{ "half x", "sum first" },
		{ "sum half", "first x" },
		{ "half sum", "x first" },
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct onnx_builder *builder = begin((float)M_SQRT2);

		onnx_builder_node(builder, "Add", i % 2 ? "erf one" : "one erf",
				  "sum");
		onnx_builder_node(builder, "Mul", products[i][0], "first");
		onnx_builder_node(builder, "Mul", products[i][1], "y");
		assert_gelu(builder);
	}
}

static void other_error_functions_are_refused(void **state)
{
	struct onnx_builder *builder = begin(1.5f);

	(void)state;
	onnx_builder_output(builder, "erf");
	onnx_builder_refused(builder, -ENOTSUP, "error function");

	builder = begin((float)M_SQRT2);
	onnx_builder_output(builder, "erf");
	onnx_builder_refused(builder, -ENOTSUP, "error function");

	builder = begin((float)M_SQRT2);
	onnx_builder_node(builder, "Relu", "erf", "y");
	onnx_builder_output(builder, "y");
	onnx_builder_refused(builder, -ENOTSUP, "error function");

	builder = begin((float)M_SQRT2);
	onnx_builder_node(builder, "Add", "erf half", "y");
	onnx_builder_output(builder, "y");
	onnx_builder_refused(builder, -ENOTSUP, "error function");

	builder = begin((float)M_SQRT2);
	onnx_builder_node(builder, "Add", "erf one", "sum");
	onnx_builder_node(builder, "Mul", "sum erf", "y");
	onnx_builder_output(builder, "y");
	onnx_builder_refused(builder, -ENOTSUP, "error function");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_may_stand_anywhere),
		cmocka_unit_test(other_error_functions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
