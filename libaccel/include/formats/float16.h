/* SPDX-License-Identifier: MIT */
/* The two 16-bit floating-point formats, to float32; every value is exact. */
#ifndef FORMATS_FLOAT16_H
#define FORMATS_FLOAT16_H

#include <stdint.h>
#include <string.h>

static inline float float_from_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline float bfloat16_to_float(uint16_t half)
{
	return float_from_bits((uint32_t)half << 16);
}

/* IEEE 754 binary16. */
static inline float float16_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	uint32_t exponent = (half >> 10) & 0x1f;
	uint32_t fraction = half & 0x3ff;
	float magnitude;

	if (exponent == 31)
		return float_from_bits(sign | 0x7f800000u | fraction << 13);
	if (exponent)
		return float_from_bits(sign | (exponent + 112) << 23 |
				       fraction << 13);
	/* Zero and subnormals count in units of 2^-24. */
	magnitude = (float)fraction * 0x1p-24f;
	return sign ? -magnitude : magnitude;
}

#endif
