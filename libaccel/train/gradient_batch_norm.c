/* SPDX-License-Identifier: MIT */
/* Ioffe and Szegedy, 2015, without their scale and shift. */
#include <compress/batch_statistics.h>
#include <train/gradient.h>

#include <math.h>

/** struct means - of the gradient, and of the gradient times the result */
struct means {
	double gradient;
	double product;
};

static struct means find_means(const struct gradient_call *call,
			       int64_t channel, int64_t inner)
{
	const struct graph_shape *shape = call->inputs[0].shape;
	const float *dy = call->output_gradients[0];
	const float *y = call->outputs[0].values;
	double count = (double)(shape->dims[0] * inner);
	struct means means = { 0, 0 };

	for (int64_t n = 0; n < shape->dims[0]; n++) {
		int64_t at = (n * shape->dims[1] + channel) * inner;

		for (int64_t i = at; i < at + inner; i++) {
			means.gradient += (double)dy[i];
			means.product += (double)dy[i] * (double)y[i];
		}
	}
	means.gradient /= count;
	means.product /= count;
	return means;
}

/* dx = (dy − mean(dy) − y·mean(dy·y)) / σ */
int gradient_batch_norm(const struct gradient_call *call)
{
	const struct operator_value *x = &call->inputs[0];
	int64_t inner = operator_extent(x->shape, 2, x->shape->rank);
	const float *dy = call->output_gradients[0];
	const float *y = call->outputs[0].values;
	float *dx = call->input_gradients[0];

	for (int64_t c = 0; dx && dy && c < x->shape->dims[1]; c++) {
		struct batch_statistics of =
			batch_statistics(x->values, x->shape, c);
		double scale =
			1 / sqrt(of.variance + (double)call->node->unary.alpha);
		struct means means = find_means(call, c, inner);

		for (int64_t n = 0; n < x->shape->dims[0]; n++) {
			int64_t at = (n * x->shape->dims[1] + c) * inner;

			for (int64_t i = at; i < at + inner; i++)
				dx[i] +=
					(float)(((double)dy[i] -
						 means.gradient -
						 (double)y[i] * means.product) *
						scale);
		}
	}
	return 0;
}
