/* SPDX-License-Identifier: MIT */
/* Networks that get narrower, and what they compute before and after. */
#ifndef NARROWING_H
#define NARROWING_H

#include "float_graph.h"
#include "one_node.h"

#include <compress/channel_group.h>
#include <compress/channel_removal.h>
#include <compress/weight_layout.h>

/* Results of the largest of them. */
#define MOST 4096

static inline int constant(struct graph *graph, struct graph_shape shape)
{
	float *values = random_values(&shape);
	int tensor = add_constant(graph, shape.rank, shape.dims, values);

	free(values);
	return tensor;
}

static inline int add_gemm(struct graph *graph, int x, int64_t inputs,
			   int64_t outputs)
{
	return add_node(graph, GRAPH_GEMM,
			(int[]){ x, constant(graph, SHAPE(outputs, inputs)),
				 constant(graph, SHAPE(outputs)) },
			3);
}

static inline int add_reshape(struct graph *graph, int x, int rank,
			      const struct graph_reshape_dim *dims)
{
	int y = add_node(graph, GRAPH_RESHAPE, &x, 1);

	producer_of(graph, y)->reshape.rank = rank;
	memcpy(producer_of(graph, y)->reshape.dims, dims,
	       (size_t)rank * sizeof(*dims));
	return y;
}

static inline int64_t compute(const struct graph *graph, const float *input,
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

static inline void silence_in(struct graph *graph,
			      const struct channel_groups *groups,
			      const bool *gone, int node, int slot)
{
	const struct channel_sides sides =
		channel_groups_sides(groups, graph, node, slot);
	int tensor = graph->nodes[node].inputs[slot];
	const struct weight_layout layout = weight_layout_find(graph, tensor);
	struct graph_tensor *weight = &graph->tensors[tensor];
	int64_t count = graph_shape_count(&weight->shape);

	for (int64_t i = 0; sides.columns && i < count; i++) {
		int group = sides.columns[weight_layout_channel(&layout, i)];

		if (group >= 0 && gone[group])
			weight->data[i] = 0;
	}
}

/* Nobody reads these groups any more. */
static inline void silence(struct graph *graph,
			   const struct channel_groups *groups,
			   const bool *gone)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		if (graph_op_is_linear(node->op) ||
		    graph_op_is_recurrent(node->op))
			silence_in(graph, groups, gone, n, 1);
		if (graph_op_is_recurrent(node->op))
			silence_in(graph, groups, gone, n, 2);
	}
}

static inline int64_t constants_of(const struct graph *graph)
{
	int64_t count = 0;

	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].data)
			count += graph_shape_count(&graph->tensors[t].shape);
	return count;
}

static inline void assert_same(const float *before, const float *after,
			       int64_t count)
{
	float largest = 0;

	for (int64_t i = 0; i < count; i++)
		largest = fmaxf(largest, fabsf(before[i]));
	for (int64_t i = 0; i < count; i++)
		assert_float_equal(before[i], after[i], 1e-5F * largest);
}

static inline int64_t count_kept(const struct graph *graph)
{
	int64_t kept = 0;

	for (int t = 0; t < graph->tensor_count; t++)
		for (int64_t i = 0;
		     prune_applies(graph, t) &&
		     i < graph_shape_count(&graph->tensors[t].shape);
		     i++)
			kept += graph->tensors[t].data[i] != 0;
	return kept;
}

#endif
