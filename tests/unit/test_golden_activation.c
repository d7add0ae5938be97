/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <golden/activation.h>

#include <float.h>
#include <math.h>
#include <string.h>

static float float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double ulps(float got, double exact)
{
	double ulp = 0x1p-149;
	int exponent;

	if (exact == 0.0)
		return got == 0.0f ? 0.0 : INFINITY;
	frexp(exact, &exponent);
	if (ldexp(1.0, exponent - 24) > ulp)
		ulp = ldexp(1.0, exponent - 24);
	return fabs((double)got - exact) / ulp;
}

static double exact_sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

/* Every 997th binary32 number, a prime, so that all exponents and low bits come. */
static void check_all(float (*function)(float), double (*exact)(double),
		      float low, float high, double bound)
{
	for (uint64_t bits = 0; bits < 1ull << 32; bits += 997) {
		float x = float_of_bits((uint32_t)bits);

		if (x >= low && x <= high)
			assert_true(ulps(function(x), exact((double)x)) <=
				    bound);
	}
}

static void exp_is_within_1_ulp(void **state)
{
	(void)state;
	check_all(golden_exp, exp, -104.0f, 88.72f, 1.1);
}

static void sigmoid_is_within_3_ulp(void **state)
{
	(void)state;
	check_all(golden_sigmoid, exact_sigmoid, -104.0f, FLT_MAX, 3.0);
}

static void tanh_is_within_2_ulp(void **state)
{
	(void)state;
	check_all(golden_tanh, tanh, -FLT_MAX, FLT_MAX, 2.0);
}

static void edges(void **state)
{
	(void)state;
	assert_true(golden_exp(0.0f) == 1.0f);
	assert_true(golden_exp(-INFINITY) == 0.0f);
	assert_true(golden_exp(INFINITY) == INFINITY);
	assert_true(golden_exp(-103.9f) == 0x1p-149f);
	assert_true(isnan(golden_exp(NAN)));
	assert_true(golden_sigmoid(0.0f) == 0.5f);
	assert_true(golden_sigmoid(-0.0f) == 0.5f);
	assert_true(golden_sigmoid(INFINITY) == 1.0f);
	assert_true(golden_sigmoid(-INFINITY) == 0.0f);
	assert_true(isnan(golden_sigmoid(NAN)));
	assert_true(golden_tanh(INFINITY) == 1.0f);
	assert_true(golden_tanh(-INFINITY) == -1.0f);
	assert_true(golden_tanh(0x1p-149f) == 0x1p-149f);
	assert_true(signbit(golden_tanh(-0.0f)));
	assert_true(isnan(golden_tanh(NAN)));
}

/* The bits of the specification: a change of algorithm must not go unnoticed. */
static void known_bits(void **state)
{
	(void)state;
	assert_true(golden_exp(1.0f) == 0x1.5bf0a8p+1f);
	assert_true(golden_sigmoid(1.5f) == 0x1.a2991ep-1f);
	assert_true(golden_tanh(0.5f) == 0x1.d9353ep-2f);
	assert_true(golden_tanh(1.5f) == 0x1.cf6f98p-1f);
	assert_true(golden_sigmoid(-5.54276f) == 0x1.ff3cc8p-9f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exp_is_within_1_ulp),
		cmocka_unit_test(sigmoid_is_within_3_ulp),
		cmocka_unit_test(tanh_is_within_2_ulp),
		cmocka_unit_test(edges),
		cmocka_unit_test(known_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
