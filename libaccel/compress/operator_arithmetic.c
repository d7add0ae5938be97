/* SPDX-License-Identifier: MIT */
/* Sums and products of two tensors, broadcast as in ONNX (numpy's rules). */
#include <compress/broadcast.h>
#include <compress/operator.h>

/* One row: the strides are 0 or 1, so that each case is a plain loop. */
typedef void (*row_function)(const float *a, int64_t a_stride, const float *b,
			     int64_t b_stride, float *y, int64_t count);

static void for_each_row(const struct operator_call *call, row_function row)
{
	const struct operator_value *a = &call->inputs[0];
	const struct operator_value *b = &call->inputs[1];
	const struct operator_value *y = &call->outputs[0];
	struct broadcast at = broadcast_begin(y->shape, a->shape, b->shape);

	for (int64_t i = 0; i < at.rows; i++) {
		row(a->values + at.offset[0], broadcast_row_stride(&at, 0),
		    b->values + at.offset[1], broadcast_row_stride(&at, 1),
		    y->values + i * at.width, at.width);
		broadcast_next_row(&at);
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
