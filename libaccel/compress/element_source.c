/* SPDX-License-Identifier: MIT */
#include <compress/element_source.h>
#include <compress/operator.h>

int64_t element_slice_start(const struct graph_slice *slice, int64_t length)
{
	int64_t start = slice->start < 0 ? slice->start + length : slice->start;

	return start < 0 ? 0 : start < length ? start : length;
}

/* Where an element of a padded axis comes from; −1 for the constant. */
static int64_t pad_source(enum graph_pad_mode mode, int64_t index,
			  int64_t length)
{
	if (index >= 0 && index < length)
		return index;
	switch (mode) {
	case GRAPH_PAD_EDGE:
		return index < 0 ? 0 : length - 1;
	case GRAPH_PAD_REFLECT:
		if (length == 1)
			return 0;
		/* Padding may be longer than the axis: bounce until inside. */
		index %= 2 * (length - 1);
		if (index < 0)
			index += 2 * (length - 1);
		return index < length ? index : 2 * (length - 1) - index;
	default:
		return -1;
	}
}

int64_t element_padded(const struct graph_pad *pad, const struct graph_shape *x,
		       const struct graph_shape *y, int64_t element)
{
	int64_t source = 0;
	int64_t stride = 1;

	/* Padding of one axis is enough to be outside. */
	for (int axis = y->rank - 1; axis >= 0; axis--) {
		int64_t index = pad_source(
			pad->mode, element % y->dims[axis] - pad->before[axis],
			x->dims[axis]);

		if (index < 0)
			return -1;
		source += index * stride;
		stride *= x->dims[axis];
		element /= y->dims[axis];
	}
	return source;
}

struct element_walk element_transposed(const struct graph_transpose *transpose,
				       const struct graph_shape *x,
				       const struct graph_shape *y)
{
	struct element_walk walk = { .shape = y };

	for (int axis = 0; axis < y->rank; axis++)
		walk.stride[axis] =
			operator_extent(x, transpose->perm[axis] + 1, x->rank);
	return walk;
}
