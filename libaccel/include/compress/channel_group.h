/* SPDX-License-Identifier: MIT */
/*
 * Which channels of a network stay or go together. A sum ties channel i of one operand to
 * channel i of the other, a pixel shuffle ties those that become one, a flattened picture
 * ties the elements of a channel. What no operator ties is a group of its own: a neuron, or
 * a hidden unit with all its gates; of a layer of two directions, one of each.
 */
#ifndef COMPRESS_CHANNEL_GROUP_H
#define COMPRESS_CHANNEL_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include <compress/graph.h>

/* Of a channel that cannot go: somebody outside sees it, or an operator needs it. */
#define CHANNEL_FIXED (-1)

/**
 * struct channel_groups - of one graph
 * @of: for each tensor, the group of each index of its axis, or CHANNEL_FIXED; NULL:
 *	all of it is fixed
 * @axes: for each tensor: the axis that its channels lie along
 * @widths: for each tensor: length of that axis
 * @units: for each node: of a recurrent layer, the group of each hidden unit, those of the
 *	forward direction first, or CHANNEL_FIXED; NULL: all of them are fixed, and of other
 *	nodes
 * @tensor_count: of the graph
 * @node_count: of the graph
 * @count: of groups, which are numbered from 0 on, those nearer the input first
 */
struct channel_groups {
	int **of;
	int *axes;
	int64_t *widths;
	int **units;
	int tensor_count;
	int node_count;
	int count;
};

/*
 * inputs: a shape for each input of the graph, all numbers. Layers that rearrange, share
 * their weights or were imported as integers keep all channels, and recurrent ones keep
 * their hidden units where hidden_units_obstacle() says so. 0, −EINVAL for shapes that do
 * not fit, −ENOMEM.
 */
int channel_groups_find(struct channel_groups *groups,
			const struct graph *graph,
			const struct graph_shape *inputs);

void channel_groups_release(struct channel_groups *groups);

/**
 * struct channel_sides - the groups that the two sides of a layer's weights belong to
 * @rows: of what it computes, as weight_layout_neuron() counts; NULL: they are fixed. A
 *	recurrent layer's are its hidden units
 * @columns: of what it reads, as weight_layout_channel() counts; NULL: they are fixed, or
 *	there are none, as a depthwise convolution has rows only
 * @row_count: of @rows
 * @column_count: of those @columns that are beside each other; the second direction of a
 *	recurrence has the same ones again behind them
 * @gates: rows of weights that each of @rows has; 1 but for recurrent layers
 */
struct channel_sides {
	const int *rows;
	const int *columns;
	int64_t row_count;
	int64_t column_count;
	int gates;
};

/* Of the weights that are input @slot of a linear or recurrent layer. */
struct channel_sides channel_groups_sides(const struct channel_groups *groups,
					  const struct graph *graph, int node,
					  int slot);

/* Constants that are cut with a channel must be this node's alone, and no integers. */
bool channel_owns(const struct graph *graph, const struct graph_node *node,
		  int slot);

/* Has each channel its own kernel, and nothing to do with the others? */
bool channel_is_depthwise(const struct graph *graph,
			  const struct graph_node *node);

#endif
