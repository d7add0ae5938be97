/* SPDX-License-Identifier: MIT */
/*
 * Functions of one element. Comparisons are written so that NaN passes through: a
 * network that diverged must not look healthy.
 */
#include <compress/operator.h>

#include <math.h>

/* The slow ones spend their time in libm; a call for each element does not show. */
typedef float (*scalar_function)(float x, const struct graph_unary *unary);

static int map(const struct operator_call *call, scalar_function function)
{
	const float *x = call->inputs[0].values;
	float *y = call->outputs[0].values;
	int64_t count = operator_count(call->outputs[0].shape);

	for (int64_t i = 0; i < count; i++)
		y[i] = function(x[i], &call->node->unary);
	return 0;
}

int operator_relu(const struct operator_call *call)
{
	const float *x = call->inputs[0].values;
	float *y = call->outputs[0].values;
	int64_t count = operator_count(call->outputs[0].shape);

	for (int64_t i = 0; i < count; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
	return 0;
}

/* A product either way: one that is only sometimes made would not be vectorized. */
static void leak(const float *x, float *y, int64_t count, float slope)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = (x[i] < 0 ? slope : 1) * x[i];
}

int operator_leaky_relu(const struct operator_call *call)
{
	leak(call->inputs[0].values, call->outputs[0].values,
	     operator_count(call->outputs[0].shape), call->node->unary.alpha);
	return 0;
}

int operator_prelu(const struct operator_call *call)
{
	const struct graph_shape *shape = call->outputs[0].shape;
	const struct operator_value *slope = &call->inputs[1];
	/* With one slope for all, the axis may be one that x lacks. */
	int64_t slopes = operator_count(slope->shape);
	int axis = slopes == 1 ? -1 : call->node->axis;
	int64_t inner = operator_extent(shape, axis + 1, shape->rank);
	int64_t planes = operator_extent(shape, 0, axis + 1);

	for (int64_t plane = 0; plane < planes; plane++)
		leak(call->inputs[0].values + plane * inner,
		     call->outputs[0].values + plane * inner, inner,
		     slope->values[plane % slopes]);
	return 0;
}

int operator_clip(const struct operator_call *call)
{
	const float *x = call->inputs[0].values;
	float *y = call->outputs[0].values;
	int64_t count = operator_count(call->outputs[0].shape);
	float low = call->node->unary.low;
	float high = call->node->unary.high;

	for (int64_t i = 0; i < count; i++) {
		float raised = x[i] < low ? low : x[i];

		y[i] = raised > high ? high : raised;
	}
	return 0;
}

static float sigmoid(float x, const struct graph_unary *unary)
{
	(void)unary;
	return 1 / (1 + expf(-x));
}

int operator_sigmoid(const struct operator_call *call)
{
	return map(call, sigmoid);
}

static float hyperbolic_tangent(float x, const struct graph_unary *unary)
{
	(void)unary;
	return tanhf(x);
}

int operator_tanh(const struct operator_call *call)
{
	return map(call, hyperbolic_tangent);
}

static float unit_clip(float x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

static float hard_sigmoid(float x, const struct graph_unary *unary)
{
	return unit_clip(unary->alpha * x + unary->beta);
}

int operator_hard_sigmoid(const struct operator_call *call)
{
	return map(call, hard_sigmoid);
}

static float hard_swish(float x, const struct graph_unary *unary)
{
	(void)unary;
	return x * unit_clip(x / 6 + 0.5f);
}

int operator_hard_swish(const struct operator_call *call)
{
	return map(call, hard_swish);
}

/* expm1f() keeps the digits that eˣ − 1 would lose near 0. */
static float elu(float x, const struct graph_unary *unary)
{
	return x < 0 ? unary->alpha * expm1f(x) : x;
}

int operator_elu(const struct operator_call *call)
{
	return map(call, elu);
}

/* ln(1 + eˣ) without overflow for large x. */
static float softplus(float x, const struct graph_unary *unary)
{
	(void)unary;
	return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

int operator_softplus(const struct operator_call *call)
{
	return map(call, softplus);
}

static float silu(float x, const struct graph_unary *unary)
{
	return x * sigmoid(x, unary);
}

int operator_silu(const struct operator_call *call)
{
	return map(call, silu);
}

static float gelu(float x, const struct graph_unary *unary)
{
	(void)unary;
	return 0.5f * x * (1 + erff(x * (float)M_SQRT1_2));
}

int operator_gelu(const struct operator_call *call)
{
	return map(call, gelu);
}

static float exponential(float x, const struct graph_unary *unary)
{
	(void)unary;
	return expf(x);
}

int operator_exp(const struct operator_call *call)
{
	return map(call, exponential);
}

static float absolute(float x, const struct graph_unary *unary)
{
	(void)unary;
	return fabsf(x);
}

int operator_abs(const struct operator_call *call)
{
	return map(call, absolute);
}
