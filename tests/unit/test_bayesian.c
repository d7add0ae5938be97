/* SPDX-License-Identifier: MIT */
/* The search finds a maximum in few looks, and the same way each time. */
#include <errno.h>
#include <math.h>

#include "compress/bayesian.h"
#include "random.h"
#include "unit.h"

#define LOOKS 30

/* A hill in a corner, and a lower one elsewhere. */
static double hills(const double *point)
{
	double x = point[0] - 0.6, y = point[1] + 0.5;
	double u = point[0] + 0.7, v = point[1] - 0.6;

	return 3 * exp(-4 * (x * x + y * y)) + 2 * exp(-6 * (u * u + v * v));
}

static double search_for(uint64_t seed, double *trace)
{
	struct bayesian *search = bayesian_create(2, seed);
	double best = -INFINITY;

	assert_non_null(search);
	for (int i = 0; i < LOOKS; i++) {
		double point[2];

		assert_int_equal(bayesian_propose(search, point), 0);
		assert_true(fabs(point[0]) <= 1 && fabs(point[1]) <= 1);
		assert_int_equal(bayesian_observe(search, point, hills(point)),
				 0);
		best = fmax(best, hills(point));
		trace[i] = point[0];
	}
	bayesian_destroy(search);
	return best;
}

/* So many random looks come within 5 % of the top one time in three. */
static void test_finds_the_higher_hill(void **state)
{
	double trace[LOOKS];

	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++)
		assert_true(search_for(seed, trace) > 2.85);
}

static void test_same_seed_same_way(void **state)
{
	double first[LOOKS], again[LOOKS], other[LOOKS];

	(void)state;
	search_for(5, first);
	search_for(5, again);
	search_for(6, other);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
}

static void test_knows_what_it_saw(void **state)
{
	struct bayesian *search = bayesian_create(1, 0);
	double mean, deviation, far;

	(void)state;
	for (int i = -2; i <= 2; i++) {
		double point = i / 4.0;

		assert_int_equal(bayesian_observe(search, &point, i * i), 0);
	}
	assert_int_equal(bayesian_predict(search, &(double){ 0.25 }, &mean,
					  &deviation),
			 0);
	assert_float_equal(mean, 1, 0.1);
	assert_int_equal(bayesian_predict(search, &(double){ 1 }, &mean, &far),
			 0);
	assert_true(far > 2 * deviation);
	bayesian_destroy(search);
}

/* Equal points do not make it fail, and what is no number is not learned from. */
static void test_bad_values(void **state)
{
	struct bayesian *search = bayesian_create(2, 0);
	const double point[2] = { 0.5, 0.5 };
	double next[2];

	(void)state;
	assert_int_equal(bayesian_observe(search, point, NAN), -EINVAL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(bayesian_observe(search, point, 1), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(bayesian_propose(search, next), 0);
	assert_true(isfinite(next[0]) && isfinite(next[1]));
	bayesian_destroy(search);
	assert_null(bayesian_create(9, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_higher_hill),
		cmocka_unit_test(test_same_seed_same_way),
		cmocka_unit_test(test_knows_what_it_saw),
		cmocka_unit_test(test_bad_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
