/* SPDX-License-Identifier: MIT */
/* Operators that move elements along axes. */
#include <compress/element_source.h>
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
	int64_t start = element_slice_start(slice, length);

	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < taken; i++)
			copy(y->values + (o * taken + i) * inner,
			     x->values +
				     (o * length + start + i * slice->step) *
					     inner,
			     inner);
	return 0;
}

int operator_pad(const struct operator_call *call)
{
	const struct graph_pad *pad = &call->node->pad;
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t count = operator_count(y->shape);

	for (int64_t i = 0; i < count; i++) {
		int64_t source = element_padded(pad, x->shape, y->shape, i);

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
	struct element_walk walk =
		element_transposed(&call->node->transpose, x->shape, y->shape);
	int64_t count = operator_count(y->shape);

	for (int64_t i = 0; i < count; i++) {
		y->values[i] = x->values[walk.source];
		element_next(&walk);
	}
	return 0;
}
