/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_GRAPH_JOIN_H
#define TRAIN_GRAPH_JOIN_H

struct graph;

/* Put a prefix before the names of a graph's constants. 0 or −ENOMEM. */
int graph_prefix_constants(struct graph *graph, const char *prefix);

/*
 * Append another graph of one input and one output behind a tensor; its other
 * tensors' names get the prefix. Constants keep theirs, which must be new. Returns the
 * tensor that its output has become, or −EEXIST, −ENOMEM.
 */
int graph_append(struct graph *graph, int tensor, const struct graph *other,
		 const char *prefix);

#endif
