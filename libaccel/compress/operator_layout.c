/* SPDX-License-Identifier: MIT */
/* Operators that move elements along axes. */
#include <compress/operator.h>

#include <string.h>

static void copy(float *to, const float *from, int64_t count)
{
	memcpy(to, from, (size_t)count * sizeof(*to));
}

/* Every input gives one run of neighbours for each index of the axes before. */
int operator_concat(const struct operator_call *call)
{
	const struct operator_value *y = &call->outputs[0];
	int axis = call->node->axis;
	int64_t outer = operator_extent(y->shape, 0, axis);
	int64_t stride = operator_extent(y->shape, axis, y->shape->rank);
	int64_t offset = 0;

	for (int i = 0; i < call->node->input_count; i++) {
		const struct operator_value *x = &call->inputs[i];
		int64_t part = operator_extent(x->shape, axis, x->shape->rank);

		for (int64_t o = 0; o < outer; o++)
			copy(y->values + o * stride + offset,
			     x->values + o * part, part);
		offset += part;
	}
	return 0;
}

/* The first element, counted from the front and within the axis. */
static int64_t slice_start(const struct graph_slice *slice, int64_t length)
{
	int64_t start = slice->start < 0 ? slice->start + length : slice->start;

	return start < 0 ? 0 : start < length ? start : length;
}

int operator_slice(const struct operator_call *call)
{
	const struct graph_slice *slice = &call->node->slice;
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t length = x->shape->dims[slice->axis];
	int64_t taken = y->shape->dims[slice->axis];
	int64_t outer = operator_extent(x->shape, 0, slice->axis);
	int64_t inner =
		operator_extent(x->shape, slice->axis + 1, x->shape->rank);
	int64_t start = slice_start(slice, length);

	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < taken; i++)
			copy(y->values + (o * taken + i) * inner,
			     x->values +
				     (o * length + start + i * slice->step) *
					     inner,
			     inner);
	return 0;
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

/* The input element for an output element, or −1. */
static int64_t pad_element(const struct graph_pad *pad,
			   const struct graph_shape *x,
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

int operator_pad(const struct operator_call *call)
{
	const struct graph_pad *pad = &call->node->pad;
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t count = operator_count(y->shape);

	for (int64_t i = 0; i < count; i++) {
		int64_t source = pad_element(pad, x->shape, y->shape, i);

		y->values[i] = source < 0 ? pad->value : x->values[source];
	}
	return 0;
}

int operator_reshape(const struct operator_call *call)
{
	copy(call->outputs[0].values, call->inputs[0].values,
	     operator_count(call->outputs[0].shape));
	return 0;
}

int operator_transpose(const struct operator_call *call)
{
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t stride[GRAPH_MAX_RANK];
	int64_t index[GRAPH_MAX_RANK] = { 0 };
	int64_t count = operator_count(y->shape);
	int64_t source = 0;

	/* Walk the result in order, and the input by the strides of its axes. */
	for (int axis = 0; axis < y->shape->rank; axis++)
		stride[axis] = operator_extent(
			x->shape, call->node->transpose.perm[axis] + 1,
			x->shape->rank);
	for (int64_t i = 0; i < count; i++) {
		y->values[i] = x->values[source];
		for (int axis = y->shape->rank - 1; axis >= 0; axis--) {
			source += stride[axis];
			if (++index[axis] < y->shape->dims[axis])
				break;
			source -= index[axis] * stride[axis];
			index[axis] = 0;
		}
	}
	return 0;
}
