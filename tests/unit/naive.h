/* SPDX-License-Identifier: MIT */
/* The epilogue written a second time, in binary64, for tests that compare bits. */
#ifndef NAIVE_H
#define NAIVE_H

#include <golden/arithmetic.h>

#include <math.h>

static inline int naive_clamp(double rounded, int zero)
{
	double code = rounded + zero;

	return code < -128 ? -128 : code > 127 ? 127 : (int)code;
}

/* rint() rounds half to even; binary64 products of binary32 are exact. */
static inline int naive_requantize(long long sum, float scale, int zero)
{
	float product = (float)((double)(float)sum * (double)scale);

	return naive_clamp(rint((double)product), zero);
}

static inline float naive_real(int code, struct golden_quantization q)
{
	return (float)((double)(code - q.zero) * (double)q.scale);
}

static inline int naive_code(float value, struct golden_quantization q)
{
	float quotient = (float)((double)value / (double)q.scale);

	return naive_clamp(rint((double)quotient), q.zero);
}

#endif
