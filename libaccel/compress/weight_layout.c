// SPDX-License-Identifier: MIT
#include <compress/prune.h>
#include <compress/weight_layout.h>

enum { RECURRENCE = 2 };
enum { OUTER, LENGTH, INNER };

static void set_convolution(const struct graph_shape *shape,
			    struct weight_layout *layout)
{
	int64_t taps = shape->dims[2] * shape->dims[3];

	layout->outer = shape->dims[0];
	layout->length = shape->dims[1];
	layout->inner = taps;
	if (layout->node->op != GRAPH_CONV_TRANSPOSE)
		return;
	layout->outer = layout->node->conv.group;
	layout->length = shape->dims[0] / layout->outer;
	layout->inner = shape->dims[1] * taps;
}

struct weight_layout weight_layout_find(const struct graph *graph, int tensor)
{
	const struct graph_shape *shape = &graph->tensors[tensor].shape;
	struct weight_layout layout = { .inner = 1 };

	layout.node = prune_weight_reader(graph, tensor, &layout.slot);
	if (layout.node->op == GRAPH_CONV ||
	    layout.node->op == GRAPH_CONV_TRANSPOSE) {
		set_convolution(shape, &layout);
		return layout;
	}
	layout.length = shape->dims[shape->rank - 1];
	layout.outer = graph_shape_count(shape) / layout.length;
	return layout;
}

/* Gate rows of one direction. */
static int64_t gate_rows(const struct weight_layout *layout)
{
	int64_t directions =
		layout->node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 :
									   1;

	return layout->outer / directions;
}

int64_t weight_layout_channel(const struct weight_layout *layout,
			      int64_t element)
{
	int64_t outer = element / (layout->length * layout->inner);
	int64_t channel = element / layout->inner % layout->length;

	if (layout->node->op == GRAPH_CONV_TRANSPOSE)
		return outer * layout->length + channel;
	if (layout->node->op == GRAPH_CONV)
		return outer / (layout->outer / layout->node->conv.group) *
			       layout->length +
		       channel;
	if (layout->slot == RECURRENCE)
		return outer / gate_rows(layout) * layout->length + channel;
	return channel;
}

int64_t weight_layout_neuron(const struct weight_layout *layout,
			     int64_t element)
{
	const struct graph_node *node = layout->node;
	int64_t outer = element / (layout->length * layout->inner);
	int64_t taps = node->conv.kernel[0] * node->conv.kernel[1];

	if (node->op == GRAPH_CONV_TRANSPOSE)
		return outer * (layout->inner / taps) +
		       element % layout->inner / taps;
	if (!graph_op_is_recurrent(node->op))
		return outer;
	return outer / gate_rows(layout) * node->recurrent.hidden +
	       outer % node->recurrent.hidden;
}
