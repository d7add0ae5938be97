/* SPDX-License-Identifier: MIT */
/* An operand that was broadcast gets the sum over all places where it was used. */
#include <compress/broadcast.h>
#include <train/gradient.h>

/* One row: of a sum where factor is NULL, else of a product. The stride is 0 or 1. */
struct row {
	const float *dy;
	const float *factor;
	int64_t factor_stride;
	int64_t count;
};

static void spread(const struct row *row, float *dx)
{
	float factor = row->factor ? *row->factor : 1;

	if (row->factor && row->factor_stride)
		for (int64_t i = 0; i < row->count; i++)
			dx[i] += row->dy[i] * row->factor[i];
	else
		for (int64_t i = 0; i < row->count; i++)
			dx[i] += row->dy[i] * factor;
}

/* In binary64: a long row's sum would lose digits. */
static float sum(const struct row *row)
{
	double total = 0;

	for (int64_t i = 0; i < row->count; i++) {
		double factor =
			row->factor ?
				(double)row->factor[i * row->factor_stride] :
				1;

		total += (double)row->dy[i] * factor;
	}
	return (float)total;
}

/* The way back to one operand, row after row of the result. */
static void by_operand(const struct gradient_call *call, int operand)
{
	const struct operator_value *y = &call->outputs[0];
	const float *other = call->node->op == GRAPH_MULTIPLY ?
				     call->inputs[!operand].values :
				     NULL;
	float *dx = call->input_gradients[operand];
	struct broadcast at = broadcast_begin(y->shape, call->inputs[0].shape,
					      call->inputs[1].shape);

	for (int64_t i = 0; i < at.rows; i++) {
		const struct row row = {
			.dy = call->output_gradients[0] + i * at.width,
			.factor = other ? other + at.offset[!operand] : NULL,
			.factor_stride = broadcast_row_stride(&at, !operand),
			.count = at.width,
		};

		if (broadcast_row_stride(&at, operand))
			spread(&row, dx + at.offset[operand]);
		else
			dx[at.offset[operand]] += sum(&row);
		broadcast_next_row(&at);
	}
}

static int by_both(const struct gradient_call *call)
{
	if (!call->output_gradients[0])
		return 0;
	for (int operand = 0; operand < 2; operand++)
		if (call->input_gradients[operand])
			by_operand(call, operand);
	return 0;
}

int gradient_add(const struct gradient_call *call)
{
	return by_both(call);
}

int gradient_multiply(const struct gradient_call *call)
{
	return by_both(call);
}

/* A plane has one scale and one shift, and is a row whose factor is either. */
static void affine_plane(const struct gradient_call *call, int64_t plane,
			 int64_t inner)
{
	const struct operator_value *scale = &call->inputs[1];
	int64_t s = plane % operator_count(scale->shape);
	int64_t t = plane % operator_count(call->inputs[2].shape);
	struct row row = { .dy = call->output_gradients[0] + plane * inner,
			   .factor = scale->values + s,
			   .count = inner };

	if (call->input_gradients[0])
		spread(&row, call->input_gradients[0] + plane * inner);
	row.factor = call->inputs[0].values + plane * inner;
	row.factor_stride = 1;
	if (call->input_gradients[1])
		call->input_gradients[1][s] += sum(&row);
	row.factor = NULL;
	if (call->input_gradients[2])
		call->input_gradients[2][t] += sum(&row);
}

int gradient_affine(const struct gradient_call *call)
{
	const struct graph_shape *x = call->inputs[0].shape;
	/* With one of each for all, the axis may be one that x lacks. */
	bool single = operator_count(call->inputs[1].shape) == 1 &&
		      operator_count(call->inputs[2].shape) == 1;
	int axis = single ? -1 : call->node->axis;
	int64_t planes = operator_extent(x, 0, axis + 1);
	int64_t inner = operator_extent(x, axis + 1, x->rank);

	if (!call->output_gradients[0])
		return 0;
	for (int64_t plane = 0; plane < planes; plane++)
		affine_plane(call, plane, inner);
	return 0;
}
