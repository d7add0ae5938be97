/* SPDX-License-Identifier: MIT */
/* Passes that give an imported graph its simplest form. */
#ifndef COMPRESS_SIMPLIFY_H
#define COMPRESS_SIMPLIFY_H

#include <compress/graph.h>

/*
 * Run all passes until none finds anything. The graph computes the same up to
 * rounding; it is compacted and validated. Return 0 or -errno.
 */
int graph_simplify(struct graph *graph);

/*
 * Each pass returns the number of its changes, or -errno. The order of nodes is
 * topological before and after, apart from nodes that were removed.
 */

/* Scale and shift of channels into the linear layer before or after. */
int simplify_affine(struct graph *graph);

/* Views and transpositions that cancel; blocks of pixels written as such. */
int simplify_layout(struct graph *graph);

/* Pixels gathered into channels by views become a convolution that moves. */
int simplify_unshuffle(struct graph *graph);

/* Zero padding into the window that follows. */
int simplify_pad(struct graph *graph);

/* x·sigmoid(x) and the like as one activation; activations before views. */
int simplify_activation(struct graph *graph);

/* The node that computes a tensor, NULL if none does. */
static inline struct graph_node *simplify_producer(struct graph *graph,
						   int tensor)
{
	int producer = tensor < 0 ? -1 : graph->tensors[tensor].producer;

	return producer < 0 ? NULL : &graph->nodes[producer];
}

/* Is a tensor read once, by a node, and free to change? */
bool simplify_is_private(const struct graph *graph, int tensor);

/*
 * Let a node's result be another tensor, an input of it, and remove the node.
 * Return 1, or 0 if the graph's inputs and outputs forbid it.
 */
int simplify_bypass(struct graph *graph, int node, int tensor);

#endif
