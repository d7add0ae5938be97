/* SPDX-License-Identifier: MIT */
/* Shape inference on numbers (at run time) and on expressions (during import). */
#ifndef COMPRESS_GRAPH_SHAPE_H
#define COMPRESS_GRAPH_SHAPE_H

#include <compress/dimension.h>
#include <compress/graph.h>

#define GRAPH_SHAPE_TEXT_SIZE 192

/* Longer axes, and larger windows, strides and pads, are damage: with these
 * limits no product of two overflows. */
#define GRAPH_MAX_LENGTH (INT64_C(1) << 40)
#define GRAPH_MAX_EXTENT (INT64_C(1) << 20)

/* "[1, 3, ?, ?]" */
const char *graph_shape_text(const struct graph_shape *shape,
			     char text[GRAPH_SHAPE_TEXT_SIZE]);

/*
 * Fill in the shapes of a node's outputs from those of its inputs. shapes[] has
 * an entry for every tensor; its dimensions are numbers, or handles of table.
 * Return 0, -EINVAL or -EOVERFLOW with a message that names the node.
 */
int graph_infer_node(const struct graph *graph, const struct graph_node *node,
		     struct dimension_table *table, struct graph_shape *shapes);

/*
 * The shape that a and b broadcast to. Return false if they cannot. Of two
 * dimensions that are not both numbers they are taken to fit.
 */
bool graph_shape_broadcast(const struct graph_shape *a,
			   const struct graph_shape *b,
			   struct graph_shape *result);

#endif
