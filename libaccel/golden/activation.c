/* SPDX-License-Identifier: MIT */
#include <golden/activation.h>

#include <stdint.h>
#include <string.h>

/* 2^exponent for a normal result. */
static float power_of_two(int32_t exponent)
{
	uint32_t bits = (uint32_t)(exponent + 127) << 23;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * The coefficients, and those of the tangent, interpolate (eʳ − 1 − r) / r² and
 * (tanh(√u)/√u − 1) / u at the Chebyshev nodes of their interval; ln 2 is split so
 * that n times its first part is exact.
 */
float golden_exp(float x)
{
	float n, r, q, y;
	int32_t whole, half;

	if (x != x)
		return x;
	if (x < -104.0f)
		return 0.0f;
	if (x > 89.0f)
		return __builtin_inff();
	n = (x * 0x1.715476p+0f + 12582912.0f) - 12582912.0f;
	r = (x - n * 0x1.63p-1f) - n * -0x1.bd0106p-13f;
	q = 0x1.6d110ap-10f;
	q = q * r + 0x1.120b6ep-7f;
	q = q * r + 0x1.55551ap-5f;
	q = q * r + 0x1.5554dcp-3f;
	q = q * r + 0x1p-1f;
	y = 1.0f + (r + r * r * q);
	whole = (int32_t)n;
	half = (whole - (whole < 0)) / 2; /* ⌊n/2⌋ */
	return y * power_of_two(half) * power_of_two(whole - half);
}

float golden_sigmoid(float x)
{
	float e = golden_exp(x < 0 ? x : -x);

	if (x < 0)
		return e / (1.0f + e);
	return 1.0f / (1.0f + e);
}

float golden_tanh(float x)
{
	float a = x < 0 ? -x : x;
	float y = 1.0f;

	if (x != x)
		return x;
	if (a < 0.625f) {
		float u = a * a;
		float p = -0x1.8f8de4p-8f;

		p = p * u + 0x1.58048ep-6f;
		p = p * u + -0x1.b9258ap-5f;
		p = p * u + 0x1.110e1cp-3f;
		p = p * u + -0x1.555552p-2f;
		y = a + a * u * p;
	} else if (a < 10.0f) {
		y = 1.0f - 2.0f / (golden_exp(a + a) + 1.0f);
	}
	return __builtin_copysignf(y, x);
}
