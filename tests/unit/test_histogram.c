/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "random.h"

#include <histogram.h>

static void every_value_has_a_bucket_within_3_percent(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t value = random_next(&seed) >> (i % 64);
		uint32_t bucket = histogram_bucket(value);

		assert_true(bucket < HISTOGRAM_BUCKETS);
		assert_true(histogram_low(bucket) <= value);
		assert_true(histogram_high(bucket) >= value);
		assert_true(histogram_high(bucket) - histogram_low(bucket) <=
			    histogram_low(bucket) / 32);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void buckets_follow_one_another_without_a_gap(void **state)
{
	(void)state;
	assert_int_equal(histogram_low(0), 0);
	for (uint32_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		assert_true(histogram_low(i) <= histogram_high(i));
		assert_true(histogram_high(i) + 1 == histogram_low(i + 1));
		assert_int_equal(histogram_bucket(histogram_low(i)), i);
		assert_int_equal(histogram_bucket(histogram_high(i)), i);
	}
}

static void percentiles_are_those_of_the_values(void **state)
{
	static struct histogram histogram;

	(void)state;
	for (uint64_t value = 1; value <= 1000; value++)
		histogram_record(&histogram, value, 1);
	histogram_record(&histogram, 1000000, 1);
	assert_int_equal(histogram.count, 1001);
	assert_int_equal(histogram.least, 1);
	assert_int_equal(histogram.most, 1000000);
	assert_in_range(histogram_percentile(&histogram, 0.5), 501, 516);
	assert_in_range(histogram_percentile(&histogram, 0.99), 990, 1023);
	assert_int_equal(histogram_percentile(&histogram, 1), 1000000);
	assert_int_equal(histogram_percentile(&histogram, 0), 1);
}

static void an_empty_one_has_no_percentiles(void **state)
{
	static struct histogram histogram;

	(void)state;
	assert_int_equal(histogram_percentile(&histogram, 0.5), 0);
	assert_true(histogram_mean(&histogram) == 0);
}

static void its_json_holds_every_value(void **state)
{
	static struct histogram histogram;
	json_t *json, *buckets;
	json_int_t count = 0;

	(void)state;
	histogram_record(&histogram, 7, 5);
	histogram_record(&histogram, 100000, 2);
	json = histogram_json(&histogram);
	assert_non_null(json);
	buckets = json_object_get(json, "buckets");
	assert_int_equal(json_array_size(buckets), 2);
	for (size_t i = 0; i < json_array_size(buckets); i++)
		count += json_integer_value(
			json_array_get(json_array_get(buckets, i), 2));
	assert_int_equal(count, 7);
	assert_int_equal(json_integer_value(json_object_get(json, "p99.9")),
			 100000);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_bucket_within_3_percent),
		cmocka_unit_test(buckets_follow_one_another_without_a_gap),
		cmocka_unit_test(percentiles_are_those_of_the_values),
		cmocka_unit_test(an_empty_one_has_no_percentiles),
		cmocka_unit_test(its_json_holds_every_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
