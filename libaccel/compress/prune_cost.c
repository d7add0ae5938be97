// SPDX-License-Identifier: MIT
#include <compress/operator.h>
#include <compress/prune_cost.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

enum { X, WEIGHT, RECURRENCE };
enum { HEIGHT = 2 };

/* Rows, steps or pixels that each weight of a node meets. */
static double node_uses(const struct graph_node *node,
			const struct graph_shape *shapes)
{
	const struct graph_shape *x = &shapes[node->inputs[X]];
	const struct graph_shape *pixels = x;

	if (node->op == GRAPH_GEMM || graph_op_is_recurrent(node->op))
		return (double)operator_extent(x, 0, x->rank - 1);
	if (node->op == GRAPH_CONV)
		pixels = &shapes[node->outputs[0]];
	return (double)x->dims[0] *
	       (double)operator_extent(pixels, HEIGHT, pixels->rank);
}

static void add_uses(const struct graph *graph,
		     const struct graph_shape *shapes, double *costs)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool recurrent = graph_op_is_recurrent(node->op);

		if (!recurrent && !graph_op_is_linear(node->op))
			continue;
		for (int i = WEIGHT; i <= (recurrent ? RECURRENCE : WEIGHT);
		     i++)
			costs[node->inputs[i]] += node_uses(node, shapes);
	}
}

int prune_cost_macs(const struct graph *graph,
		    const struct calibration_data *data, double *costs)
{
	size_t inputs = (size_t)graph->input_count;
	struct graph_shape *shapes =
		calloc((size_t)graph->tensor_count + 1, sizeof(*shapes));
	struct graph_shape *given = calloc(inputs + 1, sizeof(*given));
	int ret = shapes && given ?
			  0 :
			  accel_error(-ENOMEM, "out of memory while pruning");

	for (size_t i = 0; i < inputs && !ret; i++)
		given[i] = data->samples[0][i].shape;
	if (!ret)
		ret = graph_infer_shapes(graph, given, shapes);
	for (int t = 0; t < graph->tensor_count; t++)
		costs[t] = 0;
	if (!ret)
		add_uses(graph, shapes, costs);
	for (int t = 0; t < graph->tensor_count; t++)
		costs[t] = costs[t] > 0 ? costs[t] : 1;
	free(shapes);
	free(given);
	return ret;
}
