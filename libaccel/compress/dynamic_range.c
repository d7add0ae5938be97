/* SPDX-License-Identifier: MIT */
#include <compress/dynamic_range.h>

#include <math.h>

struct golden_quantization dynamic_range_round(float *values, int64_t count)
{
	struct quantize_range range = { 0, 0 };
	struct golden_quantization q;

	for (int64_t i = 0; i < count; i++) {
		range.low = fminf(range.low, values[i]);
		range.high = fmaxf(range.high, values[i]);
	}
	q = quantize_activation(range);
	for (int64_t i = 0; i < count; i++) {
		float code = rintf(values[i] / q.scale) + (float)q.zero;

		code = fminf(fmaxf(code, -128), 127);
		values[i] = (code - (float)q.zero) * q.scale;
	}
	return q;
}
