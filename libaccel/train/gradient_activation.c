/* SPDX-License-Identifier: MIT */
/*
 * Slopes of functions of one element, from the input alone: the output may have been
 * quantized since. At a kink they are PyTorch's, so that the two can be compared.
 */
#include <train/gradient.h>

#include <math.h>

/* The slow ones spend their time in libm; a call for each element does not show. */
typedef float (*scalar_slope)(float x, const struct graph_unary *unary);

static void chain(const struct gradient_call *call, scalar_slope slope)
{
	const float *x = call->inputs[0].values;
	const float *dy = call->output_gradients[0];
	float *dx = call->input_gradients[0];
	int64_t count = operator_count(call->inputs[0].shape);

	for (int64_t i = 0; i < count; i++)
		dx[i] += dy[i] * slope(x[i], &call->node->unary);
}

/*
 * A slope below zero and at it, 1 above; ReLU is the one of 0. A product either way:
 * one that is only sometimes made would not be vectorized.
 */
static void leak(const float *x, const float *dy, float *dx, int64_t count,
		 float slope)
{
	for (int64_t i = 0; i < count; i++)
		dx[i] += (x[i] <= 0 ? slope : 1) * dy[i];
}

static void leak_all(const struct gradient_call *call, float slope)
{
	leak(call->inputs[0].values, call->output_gradients[0],
	     call->input_gradients[0], operator_count(call->inputs[0].shape),
	     slope);
}

/* In binary64, in order: a plane may have many pixels. */
static float slope_gradient(const float *x, const float *dy, int64_t count)
{
	double sum = 0;

	for (int64_t i = 0; i < count; i++)
		sum += x[i] <= 0 ? (double)x[i] * (double)dy[i] : 0;
	return (float)sum;
}

static void prelu(const struct gradient_call *call)
{
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *slope = &call->inputs[1];
	const float *dy = call->output_gradients[0];
	float *dx = call->input_gradients[0];
	float *dslope = call->input_gradients[1];
	/* With one slope for all, the axis may be one that x lacks. */
	int64_t slopes = operator_count(slope->shape);
	int axis = slopes == 1 ? -1 : call->node->axis;
	int64_t inner = operator_extent(x->shape, axis + 1, x->shape->rank);
	int64_t planes = operator_extent(x->shape, 0, axis + 1);

	for (int64_t plane = 0; plane < planes; plane++) {
		int64_t at = plane * inner;

		if (dx)
			leak(x->values + at, dy + at, dx + at, inner,
			     slope->values[plane % slopes]);
		if (dslope)
			dslope[plane % slopes] +=
				slope_gradient(x->values + at, dy + at, inner);
	}
}

static void clip(const struct gradient_call *call)
{
	const float *x = call->inputs[0].values;
	const float *dy = call->output_gradients[0];
	float *dx = call->input_gradients[0];
	int64_t count = operator_count(call->inputs[0].shape);
	float low = call->node->unary.low;
	float high = call->node->unary.high;

	for (int64_t i = 0; i < count; i++)
		dx[i] += x[i] < low || x[i] > high ? 0 : dy[i];
}

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

/* σ(x)·σ(−x): 1 − σ(x) would lose all digits for large x. */
static float sigmoid_slope(float x, const struct graph_unary *unary)
{
	(void)unary;
	return sigmoid(x) * sigmoid(-x);
}

static float tanh_slope(float x, const struct graph_unary *unary)
{
	float y = tanhf(x);

	(void)unary;
	return (1 - y) * (1 + y);
}

static float hard_sigmoid_slope(float x, const struct graph_unary *unary)
{
	float y = unary->alpha * x + unary->beta;

	return y <= 0 || y >= 1 ? 0 : unary->alpha;
}

static float hard_swish_slope(float x, const struct graph_unary *unary)
{
	(void)unary;
	return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
}

static float elu_slope(float x, const struct graph_unary *unary)
{
	return x <= 0 ? unary->alpha * expf(x) : 1;
}

static float softplus_slope(float x, const struct graph_unary *unary)
{
	(void)unary;
	return sigmoid(x);
}

static float silu_slope(float x, const struct graph_unary *unary)
{
	(void)unary;
	return sigmoid(x) * (1 + x * sigmoid(-x));
}

/* Φ(x) + x·φ(x) */
static float gelu_slope(float x, const struct graph_unary *unary)
{
	const float density = (float)(M_2_SQRTPI * M_SQRT1_2 / 2);

	(void)unary;
	return 0.5f * (1 + erff(x * (float)M_SQRT1_2)) +
	       x * density * expf(-0.5f * x * x);
}

static float exp_slope(float x, const struct graph_unary *unary)
{
	(void)unary;
	return expf(x);
}

static float abs_slope(float x, const struct graph_unary *unary)
{
	(void)unary;
	return x < 0 ? -1 : x > 0 ? 1 : x;
}

static const scalar_slope slopes[GRAPH_OP_COUNT] = {
	[GRAPH_SIGMOID] = sigmoid_slope,
	[GRAPH_TANH] = tanh_slope,
	[GRAPH_HARD_SIGMOID] = hard_sigmoid_slope,
	[GRAPH_HARD_SWISH] = hard_swish_slope,
	[GRAPH_ELU] = elu_slope,
	[GRAPH_SOFTPLUS] = softplus_slope,
	[GRAPH_SILU] = silu_slope,
	[GRAPH_GELU] = gelu_slope,
	[GRAPH_EXP] = exp_slope,
	[GRAPH_ABS] = abs_slope,
};

int gradient_activation(const struct gradient_call *call)
{
	enum graph_op op = call->node->op;

	if (!call->output_gradients[0])
		return 0;
	if (op == GRAPH_PRELU)
		prelu(call);
	else if (!call->input_gradients[0])
		return 0;
	else if (op == GRAPH_RELU)
		leak_all(call, 0);
	else if (op == GRAPH_LEAKY_RELU)
		leak_all(call, call->node->unary.alpha);
	else if (op == GRAPH_CLIP)
		clip(call);
	else
		chain(call, slopes[op]);
	return 0;
}
