/* SPDX-License-Identifier: MIT */
/*
 * How a prunable weight lies in memory, whatever operator reads it: [outer][length]
 * [inner], where the middle axis is that of the input's channels.
 */
#ifndef COMPRESS_WEIGHT_LAYOUT_H
#define COMPRESS_WEIGHT_LAYOUT_H

#include <stdint.h>

#include <compress/graph.h>

/**
 * struct weight_layout - of one tensor
 * @node: the first one that reads it
 * @slot: as which of its inputs
 * @outer: lines of channels do not go across it
 * @length: channels in a line
 * @inner: elements from one channel to the next
 */
struct weight_layout {
	const struct graph_node *node;
	int slot;
	int64_t outer;
	int64_t length;
	int64_t inner;
};

/* tensor: one that prune_applies() to. */
struct weight_layout weight_layout_find(const struct graph *graph, int tensor);

/*
 * The channel that an element is multiplied with: of the node's input, or of the hidden
 * state (of both directions, one after the other) for a recurrence.
 */
int64_t weight_layout_channel(const struct weight_layout *layout,
			      int64_t element);

/*
 * The neuron that it works for: an output channel; in recurrent layers a hidden unit, of
 * both directions one after the other, to which a row of each gate belongs.
 */
int64_t weight_layout_neuron(const struct weight_layout *layout,
			     int64_t element);

#endif
