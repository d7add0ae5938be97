/* SPDX-License-Identifier: MIT */
/* What all searches have in common, and what only the grid and chance do. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "compress/grid_search.h"
#include "compress/random_search.h"
#include "unit.h"

#define LOOKS 60

/* Its top is no point of a coarse grid. */
static double hill(const double *point)
{
	double x = point[0] - 0.4, y = point[1] + 0.65;

	return 3 - x * x - y * y;
}

/* @trace: where it looked; returns how far from the top the best look was */
static double search_for(const struct point_search_kind *kind, uint64_t seed,
			 double trace[LOOKS][2])
{
	struct point_search *search = point_search_create(kind, 2, seed);
	double best = -INFINITY;

	assert_non_null(search);
	for (int i = 0; i < LOOKS; i++) {
		double *point = trace[i];

		assert_int_equal(point_search_propose(search, point), 0);
		assert_true(fabs(point[0]) <= 1 && fabs(point[1]) <= 1);
		assert_int_equal(
			point_search_observe(search, point, hill(point)), 0);
		best = fmax(best, hill(point));
	}
	point_search_destroy(search);
	return sqrt(3 - best);
}

static void test_comes_near_the_top(void **state)
{
	const struct point_search_kind *kind;
	double trace[LOOKS][2];

	(void)state;
	for (size_t i = 0; (kind = point_search_get(i)); i++)
		for (uint64_t seed = 0; seed < 5; seed++)
			assert_true(search_for(kind, seed, trace) < 0.3);
}

static void test_same_seed_same_way(void **state)
{
	const struct point_search_kind *kind;
	double first[LOOKS][2], again[LOOKS][2], other[LOOKS][2];

	(void)state;
	for (size_t i = 0; (kind = point_search_get(i)); i++) {
		search_for(kind, 5, first);
		search_for(kind, 5, again);
		search_for(kind, 6, other);
		assert_memory_equal(first, again, sizeof(first));
		assert_memory_not_equal(first, other, sizeof(first));
	}
}

static void test_found_by_name(void **state)
{
	const struct point_search_kind *kind;

	(void)state;
	for (size_t i = 0; (kind = point_search_get(i)); i++) {
		assert_ptr_equal(point_search_find(kind->name), kind);
		assert_non_null(strstr(point_search_names(), kind->name));
	}
	assert_null(point_search_find("simplex"));
	assert_null(point_search_find(""));
}

static void test_bad_values(void **state)
{
	const struct point_search_kind *kind;
	const double point[2] = { 0.5, 0.5 };

	(void)state;
	for (size_t i = 0; (kind = point_search_get(i)); i++) {
		struct point_search *search = point_search_create(kind, 2, 0);

		assert_int_equal(point_search_observe(search, point, NAN),
				 -EINVAL);
		assert_int_equal(point_search_observe(search, point, 1), 0);
		point_search_destroy(search);
		assert_null(point_search_create(kind, 0, 0));
		assert_null(point_search_create(
			kind, POINT_SEARCH_DIMENSIONS_MAX + 1, 0));
	}
	point_search_destroy(NULL);
}

/* ---- the grid ---- */

static bool was_looked_at(double trace[][3], int count, const double *point)
{
	for (int i = 0; i < count; i++)
		if (!memcmp(trace[i], point, sizeof(trace[i])))
			return true;
	return false;
}

/* Corners first; with all of the next grid each of its points once, and none of the middle. */
static void test_grid_covers_the_corners(void **state)
{
	const double middle[3] = { 0 };
	struct point_search *search = point_search_create(&grid_search, 3, 1);
	double trace[26][3];

	(void)state;
	assert_int_equal(point_search_observe(search, middle, 1), 0);
	for (int i = 0; i < 26; i++) {
		bool corner = true;

		assert_int_equal(point_search_propose(search, trace[i]), 0);
		for (int d = 0; d < 3; d++) {
			double distance = fabs(trace[i][d]);

			assert_true(distance == 0 || distance == 1);
			corner = corner && distance == 1;
		}
		assert_true(corner == (i < 8));
		assert_false(was_looked_at(trace, i, trace[i]));
	}
	assert_false(was_looked_at(trace, 26, middle));
	point_search_destroy(search);
}

/* ---- chance ---- */

/* Within four deviations of what uniform numbers have: a mean of 0, and a square of 1/3. */
static void test_random_is_uniform(void **state)
{
	const int count = 10000;
	struct point_search *search = point_search_create(&random_search, 1, 1);
	double sum = 0, squares = 0;

	(void)state;
	for (int i = 0; i < count; i++) {
		double point;

		assert_int_equal(point_search_propose(search, &point), 0);
		sum += point;
		squares += point * point;
	}
	assert_float_equal(sum / count, 0, 4 * sqrt(1.0 / 3 / count));
	assert_float_equal(squares / count, 1.0 / 3,
			   4 * sqrt(4.0 / 45 / count));
	point_search_destroy(search);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_near_the_top),
		cmocka_unit_test(test_same_seed_same_way),
		cmocka_unit_test(test_found_by_name),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_grid_covers_the_corners),
		cmocka_unit_test(test_random_is_uniform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
