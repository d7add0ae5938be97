/* SPDX-License-Identifier: MIT */
#include <compress/batch_statistics.h>
#include <compress/operator.h>

#include <math.h>

struct batch_statistics batch_statistics(const float *values,
					 const struct graph_shape *shape,
					 int64_t channel)
{
	int64_t inner = operator_extent(shape, 2, shape->rank);
	int64_t stride = shape->dims[1] * inner;
	double count = (double)(shape->dims[0] * inner);
	struct batch_statistics statistics = { 0, 0 };

	values += channel * inner;
	for (int64_t n = 0; n < shape->dims[0]; n++)
		for (int64_t i = 0; i < inner; i++)
			statistics.mean += (double)values[n * stride + i];
	statistics.mean /= count;
	for (int64_t n = 0; n < shape->dims[0]; n++)
		for (int64_t i = 0; i < inner; i++) {
			double d = (double)values[n * stride + i] -
				   statistics.mean;

			statistics.variance += d * d;
		}
	statistics.variance /= count;
	return statistics;
}

int operator_batch_norm(const struct operator_call *call)
{
	const struct operator_value *x = &call->inputs[0];
	int64_t inner = operator_extent(x->shape, 2, x->shape->rank);
	int64_t channels = x->shape->dims[1];

	for (int64_t c = 0; c < channels; c++) {
		struct batch_statistics of =
			batch_statistics(x->values, x->shape, c);
		float scale =
			(float)(1 / sqrt(of.variance +
					 (double)call->node->unary.alpha));
		float mean = (float)of.mean;

		for (int64_t n = 0; n < x->shape->dims[0]; n++) {
			int64_t at = (n * channels + c) * inner;

			for (int64_t i = at; i < at + inner; i++)
				call->outputs[0].values[i] =
					(x->values[i] - mean) * scale;
		}
	}
	return 0;
}
