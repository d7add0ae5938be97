/* SPDX-License-Identifier: MIT */
/* Elements that were moved: their gradients go back to where they came from. */
#include <compress/element_source.h>
#include <train/gradient.h>

static void add(float *to, const float *from, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		to[i] += from[i];
}

/* Is there anything to do for an operator of one input? */
static bool is_idle(const struct gradient_call *call)
{
	return !call->output_gradients[0] || !call->input_gradients[0];
}

int gradient_concat(const struct gradient_call *call)
{
	const struct graph_shape *y = call->outputs[0].shape;
	const float *dy = call->output_gradients[0];
	int axis = call->node->axis;
	int64_t outer = operator_extent(y, 0, axis);
	int64_t stride = operator_extent(y, axis, y->rank);
	int64_t offset = 0;

	for (int i = 0; dy && i < call->node->input_count; i++) {
		const struct graph_shape *x = call->inputs[i].shape;
		int64_t part = operator_extent(x, axis, x->rank);
		float *dx = call->input_gradients[i];

		for (int64_t o = 0; dx && o < outer; o++)
			add(dx + o * part, dy + o * stride + offset, part);
		offset += part;
	}
	return 0;
}

int gradient_slice(const struct gradient_call *call)
{
	const struct graph_slice *slice = &call->node->slice;
	const struct graph_shape *x = call->inputs[0].shape;
	int64_t length = x->dims[slice->axis];
	int64_t taken = call->outputs[0].shape->dims[slice->axis];
	int64_t outer = operator_extent(x, 0, slice->axis);
	int64_t inner = operator_extent(x, slice->axis + 1, x->rank);
	int64_t start = element_slice_start(slice, length);

	if (is_idle(call))
		return 0;
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < taken; i++) {
			int64_t source = start + i * slice->step;

			add(call->input_gradients[0] +
				    (o * length + source) * inner,
			    call->output_gradients[0] + (o * taken + i) * inner,
			    inner);
		}
	return 0;
}

/* An element that was repeated gets a sum, in the order of the result. */
int gradient_pad(const struct gradient_call *call)
{
	const struct graph_shape *x = call->inputs[0].shape;
	const struct graph_shape *y = call->outputs[0].shape;
	int64_t count = operator_count(y);

	if (is_idle(call))
		return 0;
	for (int64_t i = 0; i < count; i++) {
		int64_t source = element_padded(&call->node->pad, x, y, i);

		if (source >= 0)
			call->input_gradients[0][source] +=
				call->output_gradients[0][i];
	}
	return 0;
}

int gradient_reshape(const struct gradient_call *call)
{
	if (!is_idle(call))
		add(call->input_gradients[0], call->output_gradients[0],
		    operator_count(call->inputs[0].shape));
	return 0;
}

int gradient_transpose(const struct gradient_call *call)
{
	const struct graph_shape *y = call->outputs[0].shape;
	struct element_walk walk = element_transposed(&call->node->transpose,
						      call->inputs[0].shape, y);
	int64_t count = operator_count(y);

	if (is_idle(call))
		return 0;
	for (int64_t i = 0; i < count; i++) {
		call->input_gradients[0][walk.source] +=
			call->output_gradients[0][i];
		element_next(&walk);
	}
	return 0;
}
