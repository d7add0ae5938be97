/* SPDX-License-Identifier: MIT */
#include <golden/arithmetic.h>

#include <float.h>

#if FLT_EVAL_METHOD != 0
#error "binary32 operations must round to binary32: on x86-32 use -mfpmath=sse"
#endif

/* 1.5 · 2²³: a binary32 of this size has no bits below 1, so adding it rounds. */
#define ROUNDER 12582912.0f

/* rne() of a value of at most 2²² without a branch or a call. */
static inline float round_even(float value)
{
	return (value + ROUNDER) - ROUNDER;
}

/*
 * Saturation comes before rounding: the bounds are integers and rounding is
 * monotonic, so the result is the same, and any float can be converted. The
 * comparisons are written so that they become vector minimum and maximum.
 */
static inline int8_t saturate(float value, int32_t zero)
{
	float low = (float)(-128 - zero);
	float high = (float)(127 - zero);

	value = value < low ? low : value;
	value = value > high ? high : value;
	return (int8_t)((int32_t)round_even(value) + zero);
}

static inline float not_nan(float value)
{
	return value == value ? value : 0.0f;
}

int8_t golden_saturate(float value, int32_t zero)
{
	return saturate(not_nan(value), zero);
}

int8_t golden_requantize(int32_t accumulator, float scale, int32_t zero)
{
	return saturate((float)accumulator * scale, zero);
}

void golden_requantize_row(const int32_t *accumulator, size_t count,
			   float scale, int32_t zero, int8_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = saturate((float)accumulator[i] * scale, zero);
}

float golden_rescale(int32_t accumulator, float scale)
{
	return (float)accumulator * scale;
}

float golden_output_scale(float input_scale, float weight_scale,
			  float output_scale)
{
	float product = input_scale * weight_scale;

	return product / output_scale;
}

int32_t golden_bias(float bias, float input_scale, float weight_scale)
{
	float product = input_scale * weight_scale;
	float value = not_nan(bias / product);

	if (value >= 0x1p31f)
		return INT32_MAX;
	if (value <= -0x1p31f)
		return INT32_MIN;
	if (value >= 0x1p23f || value <= -0x1p23f)
		return (int32_t)value; /* an integer already */
	if (value < 0)
		return (int32_t)((value - 0x1p23f) + 0x1p23f);
	return (int32_t)((value + 0x1p23f) - 0x1p23f);
}

int8_t golden_quantize(float value, struct golden_quantization q)
{
	return golden_saturate(value / q.scale, q.zero);
}

static inline float dequantize(int8_t code, struct golden_quantization q)
{
	return (float)(code - q.zero) * q.scale;
}

float golden_dequantize(int8_t code, struct golden_quantization q)
{
	return dequantize(code, q);
}

/* Infinities of opposite sign (absurd scales) make a NaN here. */
static inline int8_t add(int8_t a, struct golden_quantization qa, int8_t b,
			 struct golden_quantization qb,
			 struct golden_quantization qy)
{
	float sum = dequantize(a, qa) + dequantize(b, qb);

	return saturate(not_nan(sum / qy.scale), qy.zero);
}

void golden_add_row(const int8_t *a, struct golden_quantization qa,
		    const int8_t *b, struct golden_quantization qb,
		    struct golden_quantization qy, size_t count, int8_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = add(a[i], qa, b[i], qb, qy);
}

/* 0 · inf makes a NaN here. */
static inline int8_t multiply(int8_t a, struct golden_quantization qa, int8_t b,
			      struct golden_quantization qb,
			      struct golden_quantization qy)
{
	float product = dequantize(a, qa) * dequantize(b, qb);

	return saturate(not_nan(product / qy.scale), qy.zero);
}

void golden_multiply_row(const int8_t *a, struct golden_quantization qa,
			 const int8_t *b, struct golden_quantization qb,
			 struct golden_quantization qy, size_t count,
			 int8_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = multiply(a[i], qa, b[i], qb, qy);
}

int8_t golden_average(int32_t sum, uint32_t count,
		      struct golden_quantization qx,
		      struct golden_quantization qy)
{
	float weight_scale = 1.0f / (float)count;

	return golden_requantize(
		sum, golden_output_scale(qx.scale, weight_scale, qy.scale),
		qy.zero);
}
