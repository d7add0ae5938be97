/* SPDX-License-Identifier: MIT */
#include <golden/table.h>

#include <math.h>

static double clamp(double x, double low, double high)
{
	x = x < low ? low : x;
	return x > high ? high : x;
}

/* e⁻ˣ may overflow to infinity: the quotient is then 0, as it should be. */
static double sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

/* ln(1 + eˣ) that neither overflows nor cancels. */
static double softplus(double x)
{
	return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* Products of two binary32 are exact in binary64. */
static double evaluate(const struct golden_function *function, double x)
{
	double alpha = function->alpha;
	double beta = function->beta;

	switch (function->kind) {
	case GOLDEN_IDENTITY:
		return x;
	case GOLDEN_RELU:
		return x > 0 ? x : 0;
	case GOLDEN_LEAKY_RELU:
		return x > 0 ? x : alpha * x;
	case GOLDEN_CLIP:
		return clamp(x, alpha, beta);
	case GOLDEN_AFFINE:
		return (double)(float)(alpha * x) + beta;
	case GOLDEN_SIGMOID:
		return sigmoid(x);
	case GOLDEN_TANH:
		return tanh(x);
	case GOLDEN_SILU:
		return x * sigmoid(x);
	case GOLDEN_GELU:
		/* Φ(x) by erfc(): 1 + erf() would cancel far below zero. */
		return x * 0.5 * erfc(x * -M_SQRT1_2);
	case GOLDEN_ELU:
		return x > 0 ? x : alpha * expm1(x);
	case GOLDEN_HARD_SIGMOID:
		return clamp(alpha * x + beta, 0.0, 1.0);
	case GOLDEN_HARD_SWISH:
		return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);
	case GOLDEN_SOFTPLUS:
		return softplus(x);
	case GOLDEN_EXP:
		return exp(x);
	case GOLDEN_ABS:
		return fabs(x);
	}
	return x;
}

float golden_function_apply(const struct golden_function *function, float x)
{
	return (float)evaluate(function, x);
}

void golden_table_build(const struct golden_function *functions, size_t count,
			struct golden_quantization input,
			struct golden_quantization output,
			int8_t table[GOLDEN_TABLE_SIZE])
{
	for (int code = -128; code < 128; code++) {
		float value = golden_dequantize((int8_t)code, input);

		for (size_t i = 0; i < count; i++)
			value = golden_function_apply(&functions[i], value);
		table[code + 128] = golden_quantize(value, output);
	}
}

void golden_table_apply_row(const int8_t table[GOLDEN_TABLE_SIZE],
			    const int8_t *in, size_t count, int8_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = table[in[i] + 128];
}
