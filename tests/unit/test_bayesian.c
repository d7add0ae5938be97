/* SPDX-License-Identifier: MIT */
/* The process finds a maximum in few looks, and knows how sure it is. */
#include <math.h>

#include "compress/bayesian.h"
#include "unit.h"

#define LOOKS 30

/* A hill in a corner, and a lower one elsewhere. */
static double hills(const double *point)
{
	double x = point[0] - 0.6, y = point[1] + 0.5;
	double u = point[0] + 0.7, v = point[1] - 0.6;

	return 3 * exp(-4 * (x * x + y * y)) + 2 * exp(-6 * (u * u + v * v));
}

static double search_for(uint64_t seed)
{
	struct point_search *search =
		point_search_create(&bayesian_search, 2, seed);
	double best = -INFINITY;

	assert_non_null(search);
	for (int i = 0; i < LOOKS; i++) {
		double point[2];

		assert_int_equal(point_search_propose(search, point), 0);
		assert_int_equal(
			point_search_observe(search, point, hills(point)), 0);
		best = fmax(best, hills(point));
	}
	point_search_destroy(search);
	return best;
}

/* So many random looks come within 5 % of the top one time in three. */
static void test_finds_the_higher_hill(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++)
		assert_true(search_for(seed) > 2.85);
}

static void test_knows_what_it_saw(void **state)
{
	struct point_search *search =
		point_search_create(&bayesian_search, 1, 0);
	double mean, deviation, far;

	(void)state;
	for (int i = -2; i <= 2; i++) {
		double point = i / 4.0;

		assert_int_equal(point_search_observe(search, &point, i * i),
				 0);
	}
	assert_int_equal(bayesian_predict(search, &(double){ 0.25 }, &mean,
					  &deviation),
			 0);
	assert_float_equal(mean, 1, 0.1);
	assert_int_equal(bayesian_predict(search, &(double){ 1 }, &mean, &far),
			 0);
	assert_true(far > 2 * deviation);
	point_search_destroy(search);
}

/* They do not make it fail. */
static void test_equal_points(void **state)
{
	struct point_search *search =
		point_search_create(&bayesian_search, 2, 0);
	const double point[2] = { 0.5, 0.5 };
	double next[2];

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(point_search_observe(search, point, 1), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(point_search_propose(search, next), 0);
	assert_true(isfinite(next[0]) && isfinite(next[1]));
	point_search_destroy(search);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_the_higher_hill),
		cmocka_unit_test(test_knows_what_it_saw),
		cmocka_unit_test(test_equal_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
