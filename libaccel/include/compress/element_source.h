/* SPDX-License-Identifier: MIT */
/*
 * Where the elements of a result come from, in operators that only move them: for
 * the operators, and for their way back.
 */
#ifndef COMPRESS_ELEMENT_SOURCE_H
#define COMPRESS_ELEMENT_SOURCE_H

#include <compress/graph.h>

/* The first element, counted from the front and within the axis. */
int64_t element_slice_start(const struct graph_slice *slice, int64_t length);

/* The input element for an output element, or −1 for the constant. */
int64_t element_padded(const struct graph_pad *pad, const struct graph_shape *x,
		       const struct graph_shape *y, int64_t element);

/**
 * struct element_walk - through a result in order, and its input by strides
 * @shape: of the result
 * @stride: of the input, for each axis of the result
 * @index: of the current element in the result
 * @source: the element of the input that it comes from
 */
struct element_walk {
	const struct graph_shape *shape;
	int64_t stride[GRAPH_MAX_RANK];
	int64_t index[GRAPH_MAX_RANK];
	int64_t source;
};

/* At the first element of a transposition from x to y. */
struct element_walk element_transposed(const struct graph_transpose *transpose,
				       const struct graph_shape *x,
				       const struct graph_shape *y);

static inline void element_next(struct element_walk *walk)
{
	for (int axis = walk->shape->rank - 1; axis >= 0; axis--) {
		walk->source += walk->stride[axis];
		if (++walk->index[axis] < walk->shape->dims[axis])
			return;
		walk->source -= walk->index[axis] * walk->stride[axis];
		walk->index[axis] = 0;
	}
}

/* The input channel of output channel c of all channels at (dy, dx) in its block. */
static inline int64_t
element_shuffled_channel(const struct graph_depth_to_space *shuffle,
			 int64_t channels, int64_t c, int64_t dy, int64_t dx)
{
	if (shuffle->crd)
		return (c * shuffle->block + dy) * shuffle->block + dx;
	return (dy * shuffle->block + dx) * channels + c;
}

#endif
