/* SPDX-License-Identifier: MIT */
/*
 * Padding with zeros before a convolution is the convolution's own: the address
 * generator of the device makes it for free, a Pad moves the whole image.
 */
#include <compress/simplify.h>

#include <string.h>

/* Zeros around height and width only? */
static bool is_plain(const struct graph *graph, const struct graph_node *pad)
{
	if (pad->pad.mode != GRAPH_PAD_CONSTANT || pad->pad.value != 0 ||
	    graph->tensors[pad->inputs[0]].shape.rank != 4)
		return false;
	return !pad->pad.before[0] && !pad->pad.before[1] &&
	       !pad->pad.after[0] && !pad->pad.after[1];
}

/* The window's padding, if zeros around the input are the same as it. */
static int64_t *window_pads(struct graph_node *node)
{
	if (node->op == GRAPH_CONV && node->conv.auto_pad == GRAPH_PAD_EXPLICIT)
		return node->conv.pads;
	if (node->op == GRAPH_AVERAGE_POOL &&
	    node->pool.auto_pad == GRAPH_PAD_EXPLICIT && !node->pool.ceil_mode)
		return node->pool.pads;
	return NULL;
}

/* An average counts either all of its padding or none. */
static bool counts_alike(struct graph_node *node, const int64_t *pads,
			 const struct graph_pad *pad)
{
	if (node->op != GRAPH_AVERAGE_POOL)
		return true;
	if (!node->pool.count_include_pad &&
	    (pads[0] || pads[1] || pads[2] || pads[3]))
		return false;
	for (int i = 0; i < 2; i++)
		if (pads[i] + pad->before[2 + i] >= node->pool.kernel[i] ||
		    pads[2 + i] + pad->after[2 + i] >= node->pool.kernel[i])
			return false;
	node->pool.count_include_pad = true;
	return true;
}

static int fold_pad(struct graph *graph, struct graph_node *node)
{
	const struct graph_node *pad =
		simplify_producer(graph, node->inputs[0]);
	int64_t *pads = window_pads(node);

	if (!pads || !pad || pad->op != GRAPH_PAD || !is_plain(graph, pad) ||
	    graph->tensors[node->inputs[0]].quantization ||
	    !counts_alike(node, pads, &pad->pad))
		return 0;
	for (int i = 0; i < 2; i++) {
		pads[i] += pad->pad.before[2 + i];
		pads[2 + i] += pad->pad.after[2 + i];
	}
	node->inputs[0] = pad->inputs[0];
	return 1;
}

int simplify_pad(struct graph *graph)
{
	int changes = 0;

	for (int i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].input_count)
			changes += fold_pad(graph, &graph->nodes[i]);
	return changes;
}
