/* SPDX-License-Identifier: MIT */
/*
 * Which recurrent layers may lose hidden units, and why the others may not. A unit has a
 * row in each gate of both weights and biases, a column in the recurrent weights and an
 * entry in the states.
 */
#ifndef COMPRESS_HIDDEN_UNITS_H
#define COMPRESS_HIDDEN_UNITS_H

#include <compress/channel_group.h>
#include <compress/graph.h>

/*
 * What keeps all hidden units of a recurrent layer, as far as it shows at the layer itself:
 * the rest of a sentence about it, or NULL.
 */
const char *hidden_units_obstacle(const struct graph *graph,
				  const struct graph_node *node);

/* What keeps all hidden units of a node in these groups, or NULL: it may lose some. */
const char *hidden_units_reason(const struct channel_groups *groups,
				const struct graph *graph, int node);

#endif
