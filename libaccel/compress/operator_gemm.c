/* SPDX-License-Identifier: MIT */
#include <compress/blas.h>
#include <compress/operator.h>

#include <string.h>

enum { X, WEIGHT, BIAS };

/* sgemm adds its product to what is there. */
static void fill_bias(const struct operator_call *call, int64_t rows,
		      int64_t columns)
{
	float *y = call->outputs[0].values;
	const float *bias = call->node->input_count > BIAS ?
				    call->inputs[BIAS].values :
				    NULL;

	for (int64_t row = 0; row < rows; row++)
		if (bias)
			memcpy(y + row * columns, bias,
			       (size_t)columns * sizeof(*y));
		else
			memset(y + row * columns, 0,
			       (size_t)columns * sizeof(*y));
}

int operator_gemm(const struct operator_call *call)
{
	const struct operator_value *x = &call->inputs[X];
	int64_t columns = call->inputs[WEIGHT].shape->dims[0];
	int64_t depth = call->inputs[WEIGHT].shape->dims[1];
	int64_t rows = operator_extent(x->shape, 0, x->shape->rank - 1);

	fill_bias(call, rows, columns);
	return blas_multiply(
		rows, columns, depth,
		(struct blas_matrix){ .values = x->values, .stride = depth },
		(struct blas_matrix){ .values = call->inputs[WEIGHT].values,
				      .stride = depth,
				      .transposed = true },
		1, call->outputs[0].values, columns);
}
