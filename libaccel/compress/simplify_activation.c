/* SPDX-License-Identifier: MIT */
/* Activations that exporters write as a product. */
#include <compress/simplify.h>

#include <math.h>

/* The activation that x·f(x) is, GRAPH_OP_COUNT if none. */
static enum graph_op product_of(const struct graph_node *gate)
{
	if (gate->op == GRAPH_SIGMOID)
		return GRAPH_SILU;
	if (gate->op == GRAPH_HARD_SIGMOID &&
	    fabsf(gate->unary.alpha - 1.0f / 6) < 1e-6f &&
	    gate->unary.beta == 0.5f)
		return GRAPH_HARD_SWISH;
	return GRAPH_OP_COUNT;
}

static int fold_gate(struct graph *graph, struct graph_node *node)
{
	for (int i = 0; i < 2; i++) {
		const struct graph_node *gate =
			simplify_producer(graph, node->inputs[i]);

		if (!gate || gate->inputs[0] != node->inputs[1 - i] ||
		    product_of(gate) == GRAPH_OP_COUNT ||
		    !simplify_is_private(graph, node->inputs[i]))
			continue;
		node->op = product_of(gate);
		node->inputs[0] = node->inputs[1 - i];
		node->input_count = 1;
		node->unary = (struct graph_unary){ 0 };
		return 1;
	}
	return 0;
}

int simplify_activation(struct graph *graph)
{
	int changes = 0;

	for (int i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].op == GRAPH_MULTIPLY &&
		    graph->nodes[i].input_count == 2)
			changes += fold_gate(graph, &graph->nodes[i]);
	return changes;
}
