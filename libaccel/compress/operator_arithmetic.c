/* SPDX-License-Identifier: MIT */
/* Sums and products of two tensors, broadcast as in ONNX (numpy's rules). */
#include <compress/operator.h>

/**
 * struct broadcast - two operands on the way through the result, row by row
 * @shape: of the result
 * @stride: elements of each operand from one index to the next, 0 where it repeats
 * @index: of the current row; its last axis stays 0
 * @offset: of the current row in each operand
 */
struct broadcast {
	const struct graph_shape *shape;
	int64_t stride[2][GRAPH_MAX_RANK];
	int64_t index[GRAPH_MAX_RANK];
	int64_t offset[2];
};

static void broadcast_operand(struct broadcast *b, int operand,
			      const struct graph_shape *shape)
{
	int missing = b->shape->rank - shape->rank;
	int64_t stride = 1;

	for (int axis = shape->rank - 1; axis >= 0; axis--) {
		bool repeats = shape->dims[axis] == 1;

		b->stride[operand][missing + axis] = repeats ? 0 : stride;
		stride *= shape->dims[axis];
	}
}

static void broadcast_next_row(struct broadcast *b)
{
	for (int axis = b->shape->rank - 2; axis >= 0; axis--) {
		int64_t back;

		b->index[axis]++;
		b->offset[0] += b->stride[0][axis];
		b->offset[1] += b->stride[1][axis];
		if (b->index[axis] < b->shape->dims[axis])
			return;
		back = b->index[axis];
		b->index[axis] = 0;
		b->offset[0] -= back * b->stride[0][axis];
		b->offset[1] -= back * b->stride[1][axis];
	}
}

/* One row: the strides are 0 or 1, so that each case is a plain loop. */
typedef void (*row_function)(const float *a, int64_t a_stride, const float *b,
			     int64_t b_stride, float *y, int64_t count);

static void for_each_row(const struct operator_call *call, row_function row)
{
	const struct operator_value *y = &call->outputs[0];
	struct broadcast b = { .shape = y->shape };
	int last = y->shape->rank - 1;
	int64_t width = last < 0 ? 1 : y->shape->dims[last];
	int64_t count = operator_count(y->shape);

	broadcast_operand(&b, 0, call->inputs[0].shape);
	broadcast_operand(&b, 1, call->inputs[1].shape);
	for (int64_t i = 0; i < count; i += width) {
		row(call->inputs[0].values + b.offset[0],
		    last < 0 ? 0 : b.stride[0][last],
		    call->inputs[1].values + b.offset[1],
		    last < 0 ? 0 : b.stride[1][last], y->values + i, width);
		broadcast_next_row(&b);
	}
}

static void add_row(const float *a, int64_t a_stride, const float *b,
		    int64_t b_stride, float *y, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = a[i * a_stride] + b[i * b_stride];
}

int operator_add(const struct operator_call *call)
{
	for_each_row(call, add_row);
	return 0;
}

static void multiply_row(const float *a, int64_t a_stride, const float *b,
			 int64_t b_stride, float *y, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = a[i * a_stride] * b[i * b_stride];
}

int operator_multiply(const struct operator_call *call)
{
	for_each_row(call, multiply_row);
	return 0;
}

int operator_affine(const struct operator_call *call)
{
	const struct operator_value *y = &call->outputs[0];
	const struct operator_value *scale = &call->inputs[1];
	const struct operator_value *shift = &call->inputs[2];
	int64_t scales = operator_count(scale->shape);
	int64_t shifts = operator_count(shift->shape);
	/* With one of each for all, the axis may be one that x lacks. */
	int axis = scales == 1 && shifts == 1 ? -1 : call->node->axis;
	int64_t planes = operator_extent(y->shape, 0, axis + 1);
	int64_t inner = operator_extent(y->shape, axis + 1, y->shape->rank);

	for (int64_t plane = 0; plane < planes; plane++) {
		float factor = scale->values[plane % scales];
		float term = shift->values[plane % shifts];

		for (int64_t i = plane * inner; i < (plane + 1) * inner; i++)
			y->values[i] =
				call->inputs[0].values[i] * factor + term;
	}
	return 0;
}
