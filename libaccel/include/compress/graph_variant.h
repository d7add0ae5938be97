/* SPDX-License-Identifier: MIT */
/*
 * A graph that has all in common with another but the constants that one node reads: many
 * ways to treat a layer take the memory of the layer each, not of the network.
 */
#ifndef COMPRESS_GRAPH_VARIANT_H
#define COMPRESS_GRAPH_VARIANT_H

#include <compress/graph.h>

/*
 * A copy of @node's constants, which may be changed, and given a quantization if they have
 * none; all else is @graph's, which has to outlive it. NULL without memory.
 */
struct graph *graph_variant_create(const struct graph *graph, int node);

/* @graph: that it was made of. NULL is allowed. */
void graph_variant_destroy(struct graph *variant, const struct graph *graph);

#endif
