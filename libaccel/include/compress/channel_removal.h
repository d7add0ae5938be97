/* SPDX-License-Identifier: MIT */
/*
 * Channels that nobody reads any more leave the graph, with the rows, biases and constants
 * that make them and the columns that would have read them. What is left computes the same.
 */
#ifndef COMPRESS_CHANNEL_REMOVAL_H
#define COMPRESS_CHANNEL_REMOVAL_H

#include <stdbool.h>

#include <compress/channel_group.h>
#include <compress/graph.h>
#include <compress/prune.h>

/* Groups whose weights in all layers that read them are zero; dead: [groups->count] */
void channels_find_dead(const struct channel_groups *groups,
			const struct graph *graph, bool *dead);

/**
 * channels_remove() - take groups out of a graph
 * @groups: of @graph as it is
 * @dead: [@groups->count]; every layer keeps a row and a column
 * @graph: changed; indices of nodes and tensors stay
 * @mask: of @graph, cut like it; or NULL
 */
void channels_remove(const struct channel_groups *groups, const bool *dead,
		     struct graph *graph, struct prune_mask *mask);

#endif
