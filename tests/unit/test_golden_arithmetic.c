/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <golden/arithmetic.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The reference. One binary32 operation is the same in binary64, rounded to
 * binary32: the sum, product and quotient of 24-bit numbers survive the double
 * rounding since 53 ≥ 2·24 + 2 (Figueroa, 1995). No compiler contracts it.
 */
static float op_multiply(float a, float b)
{
	volatile double product = (double)a * (double)b;

	return (float)product;
}

static float op_add(float a, float b)
{
	volatile double sum = (double)a + (double)b;

	return (float)sum;
}

static float op_divide(float a, float b)
{
	volatile double quotient = (double)a / (double)b;

	return (float)quotient;
}

static int round_and_saturate(double value, int zero)
{
	double below, result;

	if (isnan(value))
		return zero;
	if (value > 1000)
		return 127;
	if (value < -1000)
		return -128;
	below = floor(value);
	result = below;
	if (value - below > 0.5 || (value - below == 0.5 && fmod(below, 2.0)))
		result = below + 1;
	result += zero;
	return result > 127 ? 127 : result < -128 ? -128 : (int)result;
}

static int reference_requantize(int32_t accumulator, float scale, int zero)
{
	float rounded = (float)(double)accumulator;

	return round_and_saturate(op_multiply(rounded, scale), zero);
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t random_word(void)
{
	random_state =
		random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 32);
}

static float float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Log-uniform between 2^low and 2^high. */
static float random_scale(int low, int high)
{
	double fraction = random_word() / 4294967296.0;

	return (float)exp2(low + (high - low) * fraction);
}

static int random_zero(void)
{
	static const int corners[] = { -128, -1, 0, 1, 127 };

	if (random_word() & 1)
		return corners[random_word() % 5];
	return (int)(random_word() % 256) - 128;
}

static void rounding_is_to_even(void **state)
{
	(void)state;
	for (int twice = -500; twice <= 500; twice++) {
		float value = (float)twice / 2;

		for (int zero = -128; zero <= 127; zero++)
			assert_int_equal(golden_saturate(value, zero),
					 round_and_saturate(value, zero));
	}
	assert_int_equal(golden_saturate(0.5f, 0), 0);
	assert_int_equal(golden_saturate(1.5f, 0), 2);
	assert_int_equal(golden_saturate(-2.5f, 0), -2);
	assert_int_equal(golden_saturate(nextafterf(0.5f, 1), 0), 1);
	assert_int_equal(golden_saturate(nextafterf(0.5f, 0), 0), 0);
}

static void what_is_no_number_has_a_code(void **state)
{
	(void)state;
	assert_int_equal(golden_saturate(INFINITY, 5), 127);
	assert_int_equal(golden_saturate(-INFINITY, 5), -128);
	assert_int_equal(golden_saturate(NAN, 5), 5);
	assert_int_equal(golden_saturate(FLT_MAX, -128), 127);
	assert_int_equal(golden_saturate(0x1p-149f, -128), -128);
	assert_int_equal(golden_requantize(INT32_MAX, FLT_MAX, 0), 127);
	assert_int_equal(golden_requantize(INT32_MIN, FLT_MAX, 0), -128);
	assert_int_equal(golden_requantize(0, FLT_MAX, 7), 7);
}

/* Half of the accumulators lie within one of a tie. */
static int32_t random_accumulator(float scale)
{
	double middle;

	if (random_word() & 1)
		return (int32_t)random_word();
	middle = ((int)(random_word() % 512) - 256 + 0.5) / (double)scale;
	if (fabs(middle) > 2e9)
		return (int32_t)random_word();
	return (int32_t)middle + (int32_t)(random_word() % 3) - 1;
}

static void requantize_is_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 400000; i++) {
		float scale = random_scale(-40, 8);
		int zero = random_zero();
		int32_t accumulator;

		if (i % 4 == 0) /* scales that make exact ties */
			scale = exp2f(-(float)(random_word() % 24));
		accumulator = random_accumulator(scale);
		assert_int_equal(golden_requantize(accumulator, scale, zero),
				 reference_requantize(accumulator, scale,
						      zero));
	}
}

static void a_row_equals_its_elements(void **state)
{
	int32_t accumulator[77] = { 0 };
	int8_t out[78];

	(void)state;
	for (size_t count = 0; count <= 77; count++) {
		float scale = random_scale(-30, 0);
		int zero = random_zero();

		for (size_t i = 0; i < count; i++)
			accumulator[i] = random_accumulator(scale);
		out[count] = 99;
		golden_requantize_row(accumulator, count, scale, zero, out);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(out[i],
					 golden_requantize(accumulator[i],
							   scale, zero));
		assert_int_equal(out[count], 99);
	}
}

static struct golden_quantization random_quantization(void)
{
	struct golden_quantization q = { random_scale(-12, 4), random_zero() };

	return q;
}

static float reference_dequantize(int code, struct golden_quantization q)
{
	return op_multiply((float)(code - q.zero), q.scale);
}

/* All 65536 pairs of one trio of quantizations; rows of 256 at once. */
static void check_pairs(struct golden_quantization qa,
			struct golden_quantization qb,
			struct golden_quantization qy)
{
	int8_t as[256], bs[256], sums[256], products[256];

	for (int b = 0; b < 256; b++)
		bs[b] = (int8_t)(b - 128);
	for (int a = -128; a < 128; a++) {
		float x = reference_dequantize(a, qa);

		memset(as, a, sizeof(as));
		golden_add_row(as, qa, bs, qb, qy, 256, sums);
		golden_multiply_row(as, qa, bs, qb, qy, 256, products);
		for (int b = 0; b < 256; b++) {
			float y = reference_dequantize(bs[b], qb);
			float sum = op_divide(op_add(x, y), qy.scale);
			float product = op_divide(op_multiply(x, y), qy.scale);

			assert_int_equal(sums[b],
					 round_and_saturate(sum, qy.zero));
			assert_int_equal(products[b],
					 round_and_saturate(product, qy.zero));
		}
	}
}

static void add_and_multiply_are_exact_on_all_pairs(void **state)
{
	const struct golden_quantization one = { 1.0f, 0 };
	const struct golden_quantization half = { 0.5f, -128 };
	const struct golden_quantization two = { 2.0f, 3 };
	const struct golden_quantization tiny = { 0x1p-149f, 1 };
	const struct golden_quantization huge = { FLT_MAX, -1 };

	(void)state;
	check_pairs(one, one, one);
	check_pairs(half, half, two); /* ties everywhere */
	check_pairs(half, one, half);
	check_pairs(tiny, tiny, tiny);
	check_pairs(huge, huge, one); /* infinities, and their differences */
	check_pairs(huge, one, tiny);
	for (int i = 0; i < 12; i++)
		check_pairs(random_quantization(), random_quantization(),
			    random_quantization());
}

static void quantize_rounds_the_quotient(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		struct golden_quantization q = random_quantization();
		float value = float_of_bits(random_word());
		float quotient;

		if (i & 1) /* near a tie */
			value = ((float)(random_word() % 300) - 150.5f) *
				q.scale;
		quotient = op_divide(value, q.scale);
		assert_int_equal(golden_quantize(value, q),
				 round_and_saturate(quotient, q.zero));
	}
}

static void codes_survive_dequantizing(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct golden_quantization q = random_quantization();

		for (int code = -128; code < 128; code++) {
			float value = golden_dequantize((int8_t)code, q);

			assert_true(value == reference_dequantize(code, q));
			assert_int_equal(golden_quantize(value, q), code);
		}
	}
}

static void bias_rounds_and_saturates(void **state)
{
	(void)state;
	assert_int_equal(golden_bias(2.5f, 1, 1), 2);
	assert_int_equal(golden_bias(-3.5f, 1, 1), -4);
	assert_int_equal(golden_bias(-0.5f, 1, 1), 0);
	assert_int_equal(golden_bias(8388607.5f, 1, 1), 8388608);
	assert_int_equal(golden_bias(-8388609.0f, 1, 1), -8388609);
	assert_int_equal(golden_bias(0x1.fffffep30f, 1, 1), 0x7fffff80);
	assert_int_equal(golden_bias(0x1p31f, 1, 1), INT32_MAX);
	assert_int_equal(golden_bias(-0x1p31f, 1, 1), INT32_MIN);
	assert_int_equal(golden_bias(-INFINITY, 1, 1), INT32_MIN);
	assert_int_equal(golden_bias(NAN, 1, 1), 0);
	assert_int_equal(golden_bias(1, 0x1p-100f, 0x1p-100f), INT32_MAX);
	for (int i = 0; i < 100000; i++) {
		float sx = random_scale(-20, 2), sw = random_scale(-20, 2);
		float bias = ((float)random_word() - 0x1p31f) * 0x1p-30f;
		float value = op_divide(bias, op_multiply(sx, sw));
		double below = floor((double)value);
		double fraction = (double)value - below;
		double expected = below;

		if (fraction > 0.5 || (fraction == 0.5 && fmod(below, 2.0)))
			expected = below + 1;
		expected = fmin(fmax(expected, INT32_MIN), INT32_MAX);
		assert_true(golden_bias(bias, sx, sw) == (int32_t)expected);
	}
}

static void output_scale_and_rescale_are_single_operations(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		float sx = random_scale(-60, 60), sw = random_scale(-60, 60);
		float sy = random_scale(-60, 60);
		int32_t accumulator = (int32_t)random_word();

		assert_true(golden_output_scale(sx, sw, sy) ==
			    op_divide(op_multiply(sx, sw), sy));
		assert_true(golden_rescale(accumulator, sx) ==
			    op_multiply((float)(double)accumulator, sx));
	}
}

static void average_is_a_convolution(void **state)
{
	const struct golden_quantization q = { 0.037f, 5 };

	(void)state;
	/* With one quantization, ties of a power of two stay ties. */
	assert_int_equal(golden_average(2, 4, q, q), 5);
	assert_int_equal(golden_average(6, 4, q, q), 7);
	assert_int_equal(golden_average(-255 * 49, 49, q, q), -128);
	for (int i = 0; i < 100000; i++) {
		struct golden_quantization qx = random_quantization();
		struct golden_quantization qy = random_quantization();
		uint32_t count = 1 + random_word() % 400;
		int32_t sum = (int32_t)(random_word() % (510 * count + 1)) -
			      (int32_t)(255 * count);
		float scale = op_divide(op_multiply(qx.scale,
						    op_divide(1, (float)count)),
					qy.scale);

		assert_int_equal(golden_average(sum, count, qx, qy),
				 reference_requantize(sum, scale, qy.zero));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding_is_to_even),
		cmocka_unit_test(what_is_no_number_has_a_code),
		cmocka_unit_test(requantize_is_exact),
		cmocka_unit_test(a_row_equals_its_elements),
		cmocka_unit_test(add_and_multiply_are_exact_on_all_pairs),
		cmocka_unit_test(quantize_rounds_the_quotient),
		cmocka_unit_test(codes_survive_dequantizing),
		cmocka_unit_test(bias_rounds_and_saturates),
		cmocka_unit_test(
			output_scale_and_rescale_are_single_operations),
		cmocka_unit_test(average_is_a_convolution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
