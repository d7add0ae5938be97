/* SPDX-License-Identifier: MIT */
/* Running an imported graph on values that follow from a seed. */
#ifndef ONNX_RUN_H
#define ONNX_RUN_H

#include "onnx_builder.h"
#include "random.h"
#include "unit.h"

#include <accel/error.h>
#include <compress/executor.h>
#include <compress/graph.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "2 3 8 8" */
static inline struct graph_shape shape_from(const char *text)
{
	struct graph_shape shape = { 0 };
	char *end;

	for (;;) {
		long dim = strtol(text, &end, 10);

		if (end == text)
			return shape;
		shape.dims[shape.rank++] = dim;
		text = end;
	}
}

static inline float *random_values(const struct graph_shape *shape,
				   uint64_t seed)
{
	int64_t count = graph_shape_count(shape);
	float *values = malloc((size_t)count * sizeof(*values));

	for (int64_t i = 0; i < count; i++)
		values[i] = (float)(random_unit(&seed) * 2 - 1);
	return values;
}

/*
 * The first output for inputs of a shape each, with the shape; for free().
 */
static inline float *run_graph(const struct graph *graph,
			       const char *const *dims,
			       struct graph_shape *shape)
{
	struct graph_shape shapes[4];
	const float *inputs[4];
	struct executor *executor;
	float *result;

	for (int i = 0; i < graph->input_count; i++) {
		shapes[i] = shape_from(dims[i]);
		inputs[i] = random_values(&shapes[i], (uint64_t)i + 1);
	}
	if (executor_create(&executor, graph, shapes, NULL) ||
	    executor_run(executor, inputs))
		fail_msg("%s", accel_last_error());
	*shape = *executor_shape(executor, graph->outputs[0]);
	result = malloc((size_t)graph_shape_count(shape) * sizeof(*result));
	memcpy(result, executor_values(executor, graph->outputs[0]),
	       (size_t)graph_shape_count(shape) * sizeof(*result));
	executor_destroy(executor);
	for (int i = 0; i < graph->input_count; i++)
		free((void *)(uintptr_t)inputs[i]);
	return result;
}

/* Two graphs give the same for one input, up to rounding. Both are destroyed. */
static inline void assert_same_function(struct graph *a, struct graph *b,
					const char *dims)
{
	struct graph_shape first, second;
	float *x = run_graph(a, &dims, &first);
	float *y = run_graph(b, &dims, &second);

	assert_int_equal(first.rank, second.rank);
	assert_memory_equal(first.dims, second.dims,
			    sizeof(*first.dims) * (size_t)first.rank);
	for (int64_t i = 0; i < graph_shape_count(&first); i++)
		if (!(fabsf(x[i] - y[i]) <= 1e-5f * (1 + fabsf(y[i]))))
			fail_msg("value %lld is %g, not %g", (long long)i,
				 (double)x[i], (double)y[i]);
	free(x);
	free(y);
	graph_destroy(a);
	graph_destroy(b);
}

/* The operators of a graph, "Conv Relu Conv". */
static inline void assert_operators(const struct graph *graph,
				    const char *expected)
{
	char text[512] = "";

	for (int i = 0; i < graph->node_count; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, graph_op_name(graph->nodes[i].op));
	}
	assert_string_equal(text, expected);
}

/* Shape of the first output for an input. */
static inline void assert_output_shape(const struct graph *graph,
				       const char *input, const char *expected)
{
	struct graph_shape shape = shape_from(input);
	struct graph_shape wanted = shape_from(expected);
	struct graph_shape *shapes =
		calloc((size_t)graph->tensor_count, sizeof(*shapes));

	if (graph_infer_shapes(graph, &shape, shapes))
		fail_msg("%s", accel_last_error());
	shape = shapes[graph->outputs[0]];
	free(shapes);
	assert_int_equal(shape.rank, wanted.rank);
	for (int i = 0; i < shape.rank; i++)
		assert_int_equal(shape.dims[i], wanted.dims[i]);
}

#endif
