/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "compress/quantize.h"

#define WEIGHT_MAX 127
#define WEIGHT_BITS 7
/* Keeps products of three scales well inside binary32's normal numbers. */
#define SCALE_MIN 1e-12f
/* Significant bits of a row's scale. */
#define SCALE_BITS 12
/* Codes of activations less their zero point, at most. */
#define ACTIVATION_MAX 255

struct golden_quantization quantize_activation(struct quantize_range range)
{
	double low = fmin(range.low, 0);
	double high = fmax(range.high, 0);
	struct golden_quantization q = { .scale = 1, .zero = 0 };

	if (high - low > 255.0 * (double)SCALE_MIN)
		q.scale = (float)((high - low) / 255.0);
	else if (high > low)
		q.scale = SCALE_MIN;
	if (high > low)
		q.zero = (int32_t)fmax(
			-128, fmin(127, rint(-128 - low / (double)q.scale)));
	return q;
}

/* The largest sum that a row of this scale can have, in units of the scale. */
static double row_reach(const struct quantize_row *row, double scale)
{
	double sum = 0;

	for (size_t i = 0; i < row->count; i++)
		sum += fabs((double)row->weights[i]) / scale + 0.5;
	return sum * ACTIVATION_MAX +
	       fabs((double)row->bias) / ((double)row->input_scale * scale);
}

double quantize_short_scale(double scale)
{
	int exponent;
	double fraction = frexp(scale, &exponent);

	return ldexp(ceil(ldexp(fraction, SCALE_BITS)), exponent - SCALE_BITS);
}

float quantize_row_scale(const struct quantize_row *row)
{
	double bias = fabs((double)row->bias) / (double)row->input_scale;
	double scale = 0;

	for (size_t i = 0; i < row->count; i++)
		scale = fmax(scale, fabs((double)row->weights[i]) / WEIGHT_MAX);
	/* 2^24: the finest bias that binary32 tells apart. */
	if (scale == 0)
		scale = bias > 0 ? ldexp(bias, -24) : 1;
	scale = fmax(scale, fmax(ldexp(bias, -30), (double)SCALE_MIN));
	/* Halving the codes' range is better than a sum that wraps. */
	for (int i = 0; i < WEIGHT_BITS && row_reach(row, scale) > INT32_MAX;
	     i++)
		scale *= 2;
	return (float)quantize_short_scale(scale);
}

int8_t quantize_weight(float weight, float scale)
{
	float code = rintf(weight / scale);

	/* −128 occurs where a file came with its own scales. */
	return (int8_t)fmaxf(INT8_MIN, fminf(INT8_MAX, code));
}
