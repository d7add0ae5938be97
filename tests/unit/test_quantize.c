/* SPDX-License-Identifier: MIT */
/* Scales and zero points: what they can represent, and how far off it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/dynamic_range.h"
#include "compress/quantize.h"
#include "unit.h"

static float uniform(float low, float high)
{
	return low + (high - low) * (float)(rand() / (double)RAND_MAX);
}

static void test_zero_is_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct quantize_range range = { uniform(-9, 3), 0 };
		struct golden_quantization q;

		range.high = range.low + uniform(0, 12);
		q = quantize_activation(range);
		assert_true(q.scale > 0 && isfinite(q.scale));
		assert_in_range(q.zero + 128, 0, 255);
		assert_int_equal(golden_quantize(0, q), q.zero);
	}
}

static void test_error_is_half_a_step(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct quantize_range range = { uniform(-9, 0), uniform(0, 9) };
		struct golden_quantization q = quantize_activation(range);
		float x = uniform(range.low, range.high);
		float back = golden_dequantize(golden_quantize(x, q), q);

		/* At the ends the zero point's own rounding adds to it. */
		assert_true(fabsf(back - x) <= q.scale * 1.001f);
		if (x > range.low + q.scale && x < range.high - q.scale)
			assert_true(fabsf(back - x) <= q.scale * 0.5001f);
	}
}

static void test_positive_range_saturates_as_relu(void **state)
{
	struct golden_quantization q =
		quantize_activation((struct quantize_range){ 0, 6 });

	(void)state;
	assert_int_equal(q.zero, -128);
	assert_int_equal(golden_quantize(-3, q), -128);
	assert_int_equal(golden_quantize(6, q), 127);
}

static void test_degenerate_ranges_give_usable_scales(void **state)
{
	static const struct quantize_range ranges[] = {
		{ 0, 0 }, { 1e-40f, 2e-40f }, { -1e-30f, 0 },
		{ 3, 3 }, { -2, -2 },	      { -3e38f, 3e38f },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct golden_quantization q = quantize_activation(ranges[i]);

		assert_true(isnormal(q.scale) && q.scale > 0);
		assert_in_range(q.zero + 128, 0, 255);
	}
}

static void test_weights_use_all_codes(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		float weights[40];
		struct quantize_row row = { weights, 40, uniform(-1, 1),
					    0.02f };
		float scale, largest = 0;
		int reached = 0;

		for (int k = 0; k < 40; k++) {
			weights[k] = uniform(-1, 1);
			largest = fmaxf(largest, fabsf(weights[k]));
		}
		scale = quantize_row_scale(&row);
		assert_true(scale >= largest / 127);
		assert_true(scale <= largest / 127 * (1 + 1.0f / 2048));
		for (int k = 0; k < 40; k++) {
			int code = quantize_weight(weights[k], scale);

			assert_true(fabsf((float)code * scale - weights[k]) <=
				    scale * 0.5001f);
			reached |= abs(code) == 127;
		}
		assert_true(reached);
	}
}

/* Twelve bits, and a grid of them stays what it is. */
static void test_scales_are_short(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		float weights[3] = { uniform(-1, 1), uniform(-1, 1), 1e-3f };
		struct quantize_row row = { weights, 3, 0, 0.02f };
		float scale = quantize_row_scale(&row);
		uint32_t word;

		memcpy(&word, &scale, sizeof(word));
		assert_int_equal(word & 0xfff, 0);
		for (int k = 0; k < 3; k++)
			weights[k] = scale * quantize_weight(weights[k], scale);
		assert_true(quantize_row_scale(&row) == scale);
	}
}

static void test_row_of_zeros_keeps_its_bias(void **state)
{
	static const float zeros[4];
	struct quantize_row row = { zeros, 4, 0.7f, 0.5f };
	float scale = quantize_row_scale(&row);
	int32_t bias = golden_bias(row.bias, row.input_scale, scale);

	(void)state;
	assert_true(fabsf((float)bias * scale * row.input_scale - 0.7f) <
		    1e-6f);
	row.bias = 0;
	assert_true(quantize_row_scale(&row) == 1);
}

static void test_bias_beyond_int32_widens_the_scale(void **state)
{
	static const float weights[2] = { 1e-6f, -1e-6f };
	struct quantize_row row = { weights, 2, 100, 0.001f };
	float scale = quantize_row_scale(&row);
	int32_t bias = golden_bias(row.bias, row.input_scale, scale);

	(void)state;
	assert_true(fabs((double)bias * (double)scale * 0.001 - 100) < 1e-4);
}

/* Of a tensor's own extremes: no value is off by more than half a step, but at the ends. */
static void test_a_dynamic_range_is_that_of_the_values(void **state)
{
	float values[64], before[64];

	(void)state;
	for (int round = 0; round < 500; round++) {
		float size = ldexpf(1, rand() % 40 - 20), low = 0, high = 0;
		struct golden_quantization q;

		for (int i = 0; i < 64; i++) {
			values[i] = uniform(-size, round % 2 ? size : 0);
			before[i] = values[i];
			low = fminf(low, values[i]);
			high = fmaxf(high, values[i]);
		}
		q = dynamic_range_round(values, 64);
		assert_true(fabsf(q.scale * 255 - (high - low)) <=
			    (high - low) * 1e-5f);
		for (int i = 0; i < 64; i++) {
			assert_true(fabsf(values[i] - before[i]) <=
				    q.scale * 1.001f);
			if (before[i] > low + q.scale &&
			    before[i] < high - q.scale)
				assert_true(fabsf(values[i] - before[i]) <=
					    q.scale * 0.501f);
		}
	}
}

static void test_zeros_have_a_dynamic_range(void **state)
{
	float values[3] = { 0, 0, 0 };
	struct golden_quantization q = dynamic_range_round(values, 3);

	(void)state;
	assert_true(q.scale > 0 && isfinite(q.scale));
	for (int i = 0; i < 3; i++)
		assert_true(values[i] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_is_exact),
		cmocka_unit_test(test_error_is_half_a_step),
		cmocka_unit_test(test_positive_range_saturates_as_relu),
		cmocka_unit_test(test_degenerate_ranges_give_usable_scales),
		cmocka_unit_test(test_weights_use_all_codes),
		cmocka_unit_test(test_scales_are_short),
		cmocka_unit_test(test_row_of_zeros_keeps_its_bias),
		cmocka_unit_test(test_bias_beyond_int32_widens_the_scale),
		cmocka_unit_test(test_a_dynamic_range_is_that_of_the_values),
		cmocka_unit_test(test_zeros_have_a_dynamic_range),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
