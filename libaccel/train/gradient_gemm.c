/* SPDX-License-Identifier: MIT */
#include <compress/blas.h>
#include <train/gradient.h>

enum { X, WEIGHT, BIAS };

/**
 * struct product - y = x·Wᵀ + b, seen from behind
 * @rows: of x and y
 * @columns: of y
 * @depth: columns of x
 * @dy: gradient by y
 */
struct product {
	int64_t rows, columns, depth;
	const float *dy;
};

/* dx += dy·W */
static int by_input(const struct product *p, const float *weight, float *dx)
{
	return blas_multiply(
		p->rows, p->depth, p->columns,
		(struct blas_matrix){ .values = p->dy, .stride = p->columns },
		(struct blas_matrix){ .values = weight, .stride = p->depth }, 1,
		dx, p->depth);
}

/* dW += dyᵀ·x */
static int by_weight(const struct product *p, const float *x, float *dw)
{
	return blas_multiply(p->columns, p->depth, p->rows,
			     (struct blas_matrix){ .values = p->dy,
						   .stride = p->columns,
						   .transposed = true },
			     (struct blas_matrix){ .values = x,
						   .stride = p->depth },
			     1, dw, p->depth);
}

static void by_bias(const struct product *p, float *db)
{
	for (int64_t row = 0; row < p->rows; row++)
		for (int64_t i = 0; i < p->columns; i++)
			db[i] += p->dy[row * p->columns + i];
}

int gradient_gemm(const struct gradient_call *call)
{
	const struct operator_value *x = &call->inputs[X];
	const struct operator_value *weight = &call->inputs[WEIGHT];
	const struct product product = {
		.rows = operator_extent(x->shape, 0, x->shape->rank - 1),
		.columns = weight->shape->dims[0],
		.depth = weight->shape->dims[1],
		.dy = call->output_gradients[0],
	};
	int ret = 0;

	if (!product.dy)
		return 0;
	if (call->input_gradients[X])
		ret = by_input(&product, weight->values,
			       call->input_gradients[X]);
	if (!ret && call->input_gradients[WEIGHT])
		ret = by_weight(&product, x->values,
				call->input_gradients[WEIGHT]);
	if (!ret && call->node->input_count > BIAS &&
	    call->input_gradients[BIAS])
		by_bias(&product, call->input_gradients[BIAS]);
	return ret;
}
