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

/* Exchange what two neighbours do; who reads and makes what stays. */
static void swap_nodes(struct graph_node *a, struct graph_node *b)
{
	struct graph_node old = *a;

	*a = *b;
	a->inputs = old.inputs;
	a->outputs = old.outputs;
	a->input_count = old.input_count;
	a->output_count = old.output_count;
	old.inputs = b->inputs;
	old.outputs = b->outputs;
	old.input_count = b->input_count;
	old.output_count = b->output_count;
	*b = old;
}

/* Next to the linear layer whose result a view reshapes, where it costs nothing. */
static int move_before_view(struct graph *graph, struct graph_node *node)
{
	int between = node->inputs[0];
	struct graph_node *view = simplify_producer(graph, between);

	if (node->input_count != 1 || !view || view->op != GRAPH_RESHAPE ||
	    !simplify_is_private(graph, between) ||
	    graph->tensors[node->outputs[0]].quantization)
		return 0;
	graph->tensors[between].shape = graph->tensors[view->inputs[0]].shape;
	swap_nodes(view, node);
	return 1;
}

int simplify_activation(struct graph *graph)
{
	int changes = 0;

	for (int i = 0; i < graph->node_count; i++) {
		struct graph_node *node = &graph->nodes[i];

		if (node->op == GRAPH_MULTIPLY && node->input_count == 2)
			changes += fold_gate(graph, node);
		else if (graph_op_is_activation(node->op))
			changes += move_before_view(graph, node);
	}
	return changes;
}
