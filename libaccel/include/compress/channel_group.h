/* SPDX-License-Identifier: MIT */
/*
 * Which channels of a network stay or go together. A sum ties channel i of one operand to
 * channel i of the other, a pixel shuffle ties those that become one, a flattened picture
 * ties the elements of a channel. What no operator ties is a group of its own: a neuron.
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
 * @tensor_count: of the graph
 * @count: of groups, which are numbered from 0 on, those nearer the input first
 */
struct channel_groups {
	int **of;
	int *axes;
	int64_t *widths;
	int tensor_count;
	int count;
};

/*
 * inputs: a shape for each input of the graph, all numbers. Layers that rearrange, share
 * their weights or were imported as integers keep all channels, and so do the hidden
 * units of recurrent ones. 0, −EINVAL for shapes that do not fit, −ENOMEM.
 */
int channel_groups_find(struct channel_groups *groups,
			const struct graph *graph,
			const struct graph_shape *inputs);

void channel_groups_release(struct channel_groups *groups);

/*
 * The groups that the two sides of a linear or recurrent layer's weights belong to, NULL
 * where they are fixed: @rows of what it computes, @columns of what it reads. A depthwise
 * convolution has rows only.
 */
struct channel_sides {
	const int *rows;
	const int *columns;
};

struct channel_sides channel_groups_sides(const struct channel_groups *groups,
					  const struct graph *graph, int node);

/* Has each channel its own kernel, and nothing to do with the others? */
bool channel_is_depthwise(const struct graph *graph,
			  const struct graph_node *node);

#endif
