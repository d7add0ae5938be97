/* SPDX-License-Identifier: MIT */
#include <compress/hidden_units.h>

enum { X, WEIGHT, RECURRENCE, BIAS, HIDDEN, CELL };
enum { Y, LAST_HIDDEN, LAST_CELL };

static bool is_one_of(const int *tensors, int count, int tensor)
{
	for (int i = 0; i < count; i++)
		if (tensors[i] == tensor)
			return true;
	return false;
}

/* What a state was before it was only cut out, turned or seen in another shape. */
static int find_source(const struct graph *graph, int tensor)
{
	while (graph->tensors[tensor].producer >= 0) {
		const struct graph_node *node =
			&graph->nodes[graph->tensors[tensor].producer];

		if (node->op != GRAPH_RESHAPE && node->op != GRAPH_TRANSPOSE &&
		    node->op != GRAPH_SLICE)
			break;
		tensor = node->inputs[X];
	}
	return tensor;
}

static const char *initial_obstacle(const struct graph *graph,
				    const struct graph_node *node, int slot)
{
	int tensor = slot < node->input_count ? node->inputs[slot] :
						GRAPH_NO_TENSOR;

	if (tensor == GRAPH_NO_TENSOR)
		return NULL;
	if (is_one_of(graph->inputs, graph->input_count,
		      find_source(graph, tensor)))
		return "its state is an input of the network";
	if (!graph_tensor_is_constant(graph, tensor))
		return "its first state is computed";
	return channel_owns(graph, node, slot) ?
		       NULL :
		       "its first state is shared or quantized";
}

static const char *last_obstacle(const struct graph *graph,
				 const struct graph_node *node, int slot)
{
	if (slot >= node->output_count ||
	    node->outputs[slot] == GRAPH_NO_TENSOR ||
	    !is_one_of(graph->outputs, graph->output_count,
		       node->outputs[slot]))
		return NULL;
	return slot == Y ? "they are an output of the network" :
			   "its state is an output of the network";
}

const char *hidden_units_obstacle(const struct graph *graph,
				  const struct graph_node *node)
{
	const char *obstacle = NULL;

	for (int i = WEIGHT; i <= BIAS; i++)
		if (!channel_owns(graph, node, i))
			return "its weights are shared or quantized";
	for (int i = HIDDEN; i <= CELL && !obstacle; i++)
		obstacle = initial_obstacle(graph, node, i);
	for (int i = Y; i <= LAST_CELL && !obstacle; i++)
		obstacle = last_obstacle(graph, node, i);
	return obstacle;
}

const char *hidden_units_reason(const struct channel_groups *groups,
				const struct graph *graph, int node)
{
	const struct graph_node *own = &graph->nodes[node];
	const char *obstacle = hidden_units_obstacle(graph, own);

	for (int64_t i = 0; !obstacle && i < own->recurrent.hidden; i++)
		if (groups->units[node][i] != CHANNEL_FIXED)
			return NULL;
	return obstacle ? obstacle :
			  "what reads them, or an output, needs all of them";
}
