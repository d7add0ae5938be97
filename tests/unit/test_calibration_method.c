/* SPDX-License-Identifier: MIT */
/* Which part of a tensor's values gets codes. */
#include "unit.h"

#include "float_graph.h"

#include <compress/calibration_method.h>
#include <compress/sample.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum { COUNT = 100000 };

static float values[COUNT];

static struct calibration_method method_of(const char *text)
{
	struct calibration_method method;

	CHECK(calibration_method_parse(text, &method));
	return method;
}

/* Normal values to an odd power: the higher, the longer the tails. */
static void fill(struct calibration_histogram *histogram, int power)
{
	struct sample_generator generator;

	sample_seed(&generator, 3);
	sample_normals(&generator, values, COUNT);
	for (int i = 0; i < COUNT; i++)
		values[i] = powf(values[i], (float)power);
	memset(histogram, 0, sizeof(*histogram));
	for (int i = 0; i < COUNT; i++) {
		histogram->range.low = fminf(histogram->range.low, values[i]);
		histogram->range.high = fmaxf(histogram->range.high, values[i]);
	}
	calibration_histogram_add(histogram, values, COUNT);
}

static double coded_error(struct quantize_range range)
{
	struct golden_quantization q = quantize_activation(range);
	double sum = 0;

	for (int i = 0; i < COUNT; i++) {
		double code =
			rint((double)values[i] / (double)q.scale) + q.zero;
		double back = (fmax(-128, fmin(127, code)) - q.zero) *
			      (double)q.scale;

		sum += (back - (double)values[i]) * (back - (double)values[i]);
	}
	return sum;
}

static void test_names(void **state)
{
	static const char *const wrong[] = { "",
					     "max",
					     "percentile:",
					     "percentile:101",
					     "percentile:49",
					     "percentile99",
					     "percentile:99x",
					     "kl:3" };
	struct calibration_method method;

	(void)state;
	assert_int_equal(method_of("minmax").kind, CALIBRATION_EXTREMES);
	assert_true(method_of("percentile").percentile == 99.99);
	assert_true(method_of("percentile:99.5").percentile == 99.5);
	assert_int_equal(method_of("kl").kind, CALIBRATION_ENTROPY);
	assert_int_equal(method_of("mse").kind, CALIBRATION_ERROR);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(calibration_method_parse(wrong[i], &method),
				 -EINVAL);
}

static void test_percentile_leaves_a_part_out(void **state)
{
	const struct calibration_method method = method_of("percentile:90");
	struct calibration_histogram histogram;
	struct quantize_range range;

	(void)state;
	fill(&histogram, 1);
	range = calibration_histogram_range(&histogram, &method);
	/* 5 % of a normal distribution lie beyond 1.645 on each side */
	assert_true(fabsf(range.low + 1.645f) < 0.03f);
	assert_true(fabsf(range.high - 1.645f) < 0.03f);
}

static void test_least_error_is_least(void **state)
{
	static const char *const others[] = { "minmax", "percentile:99.9",
					      "percentile:99.99", "kl" };
	const struct calibration_method method = method_of("mse");
	struct calibration_histogram histogram;

	(void)state;
	for (int power = 1; power <= 5; power += 2) {
		double least;

		fill(&histogram, power);
		least = coded_error(
			calibration_histogram_range(&histogram, &method));
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]);
		     i++) {
			const struct calibration_method other =
				method_of(others[i]);

			assert_true(
				least <=
				1.05 * coded_error(calibration_histogram_range(
					       &histogram, &other)));
		}
	}
}

static void test_entropy_leaves_what_is_far_out(void **state)
{
	const struct calibration_method method = method_of("kl");
	struct calibration_histogram histogram;
	struct quantize_range range;

	(void)state;
	fill(&histogram, 5);
	range = calibration_histogram_range(&histogram, &method);
	assert_true(range.high < 0.5f * histogram.range.high);
	assert_true(range.low > 0.5f * histogram.range.low);
	fill(&histogram, 1);
	range = calibration_histogram_range(&histogram, &method);
	assert_true(range.high > 0.7f * histogram.range.high);
}

/* The zero point has to be a code, and what is never negative stays so. */
static void test_zero_stays_in(void **state)
{
	static const char *const names[] = { "percentile:60", "kl", "mse" };
	struct calibration_histogram histogram;

	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	histogram.range = (struct quantize_range){ 0, 10 };
	for (int i = 0; i < COUNT; i++)
		values[i] = 5 + (float)i / COUNT;
	calibration_histogram_add(&histogram, values, COUNT);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct calibration_method method = method_of(names[i]);
		struct quantize_range range =
			calibration_histogram_range(&histogram, &method);

		assert_true(range.low == 0);
		assert_true(range.high > 5 && range.high <= 10);
	}
}

static void test_nothing_was_seen(void **state)
{
	static struct calibration_histogram empty;
	const struct calibration_method method = method_of("mse");
	struct quantize_range range;

	(void)state;
	calibration_histogram_add(&empty, values, COUNT);
	range = calibration_histogram_range(&empty, &method);
	assert_true(range.low == 0 && range.high == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_percentile_leaves_a_part_out),
		cmocka_unit_test(test_least_error_is_least),
		cmocka_unit_test(test_entropy_leaves_what_is_far_out),
		cmocka_unit_test(test_zero_stays_in),
		cmocka_unit_test(test_nothing_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
