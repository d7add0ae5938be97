/* SPDX-License-Identifier: MIT */
/* Distances of sets of pictures, where they are known. */
#include "unit.h"

#include "float_graph.h"

#include <compress/sample.h>
#include <metrics/frechet_distance.h>
#include <metrics/kernel_distance.h>
#include <metrics/neighbourhood.h>

#include <errno.h>
#include <math.h>

enum { SIZE = 6, PAIRS = 2 * SIZE, COUNT = 300 };

/* Means and covariances that are exact: a pair of points on each axis. */
static void on_axes(float *values, const double *mean, const double *deviation)
{
	double stretch = sqrt((PAIRS - 1) / 2.0);

	for (int i = 0; i < PAIRS; i++)
		for (int j = 0; j < SIZE; j++) {
			double side = i % 2 ? stretch : -stretch;

			values[i * SIZE + j] =
				(float)(mean[j] +
					(i / 2 == j ? side * deviation[j] : 0));
		}
}

static void normals(float *values, size_t count, uint64_t seed, float shift)
{
	struct sample_generator generator;

	sample_seed(&generator, seed);
	sample_normals(&generator, values, count);
	for (size_t i = 0; i < count; i++)
		values[i] += shift;
}

static void test_frechet_of_known_normals(void **state)
{
	static const double means[2][SIZE] = { { 0, 1, 2, 0, 0, 0 },
					       { 3, 1, -2, 0, 0, 0 } };
	/* the last feature never changes: a singular covariance */
	static const double deviations[2][SIZE] = { { 1, 2, 3, 1, 1, 0 },
						    { 2, 2, 1, 1, 4, 0 } };
	float values[2][PAIRS * SIZE];
	const struct feature_set a = { values[0], PAIRS, SIZE };
	const struct feature_set b = { values[1], PAIRS, SIZE };
	double distance, expected = 0;

	(void)state;
	for (int i = 0; i < 2; i++)
		on_axes(values[i], means[i], deviations[i]);
	for (int j = 0; j < SIZE; j++)
		expected += pow(means[0][j] - means[1][j], 2) +
			    pow(deviations[0][j] - deviations[1][j], 2);
	CHECK(frechet_distance(&a, &b, &distance));
	assert_true(fabs(distance - expected) < 1e-4);
	CHECK(frechet_distance(&a, &a, &distance));
	assert_true(fabs(distance) < 1e-4);
}

/* Covariances that do not commute, in two dimensions: tr √ = √(tr AB + 2·√|AB|). */
static void test_frechet_of_turned_normals(void **state)
{
	const float a[] = { 3, 0, -3, 0, 0, 1, 0, -1 };
	const float b[] = { 3, 3, -3, -3, 1, -1, -1, 1 };
	const struct feature_set first = { a, 4, 2 }, second = { b, 4, 2 };
	double aa = 6, ab = 2.0 / 3, bb = 20.0 / 3, bc = 16.0 / 3;
	double product = aa * bb + ab * bb;
	double determinant = aa * ab * (bb * bb - bc * bc);
	double expected =
		aa + ab + 2 * bb - 2 * sqrt(product + 2 * sqrt(determinant));
	double distance;

	(void)state;
	CHECK(frechet_distance(&first, &second, &distance));
	assert_true(fabs(distance - expected) < 1e-6);
}

static double naive_kernel(const float *x, const float *y)
{
	double sum = 0;

	for (int i = 0; i < SIZE; i++)
		sum += (double)x[i] * (double)y[i];
	return pow(sum / SIZE + 1, 3);
}

static double naive_mean(const float *a, const float *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (a != b || i != j)
				sum += naive_kernel(a + i * SIZE, b + j * SIZE);
	return sum / (double)(count * (a == b ? count - 1 : count));
}

/* As one part holds all, drawing changes nothing. */
static void test_kernel_distance_is_its_definition(void **state)
{
	static float values[2][COUNT * SIZE];
	const struct feature_set a = { values[0], COUNT, SIZE };
	const struct feature_set b = { values[1], COUNT, SIZE };
	struct kernel_distance near, far;

	(void)state;
	normals(values[0], COUNT * SIZE, 1, 0);
	normals(values[1], COUNT * SIZE, 2, 0);
	CHECK(kernel_distance(&a, &b, 5, &near));
	assert_true(fabs(near.mean -
			 (naive_mean(values[0], values[0], COUNT) +
			  naive_mean(values[1], values[1], COUNT) -
			  2 * naive_mean(values[0], values[1], COUNT))) < 1e-5);
	normals(values[1], COUNT * SIZE, 2, 1);
	CHECK(kernel_distance(&a, &b, 5, &far));
	assert_true(far.mean > 10 * fabs(near.mean));
}

static void test_same_source_is_at_zero(void **state)
{
	enum { MANY = 4000 };
	static float values[2][MANY * SIZE];
	const struct feature_set a = { values[0], MANY, SIZE };
	const struct feature_set b = { values[1], MANY, SIZE };
	struct kernel_distance distance, again;

	(void)state;
	normals(values[0], MANY * SIZE, 1, 0);
	normals(values[1], MANY * SIZE, 2, 0);
	CHECK(kernel_distance(&a, &b, 5, &distance));
	assert_true(fabs(distance.mean) < 2 * distance.deviation);
	assert_true(distance.deviation > 0);
	CHECK(kernel_distance(&a, &b, 5, &again));
	assert_true(distance.mean == again.mean);
}

static void test_a_lost_mode_shows_in_recall(void **state)
{
	static float values[2][COUNT * SIZE];
	const struct feature_set real = { values[0], COUNT, SIZE };
	const struct feature_set made = { values[1], COUNT, SIZE };
	struct neighbourhood_scores scores;

	(void)state;
	normals(values[0], COUNT / 2 * SIZE, 1, -20);
	normals(values[0] + COUNT / 2 * SIZE, COUNT / 2 * SIZE, 2, 20);
	normals(values[1], COUNT * SIZE, 3, 20);
	CHECK(neighbourhood_compare(&real, &made, NEIGHBOURHOOD_NEAREST,
				    &scores));
	assert_true(scores.precision > 0.7);
	assert_true(scores.density > 0.7);
	assert_true(scores.recall <= 0.5 && scores.recall > 0.35);
	assert_true(scores.coverage <= 0.5 && scores.coverage > 0.4);
}

static void test_neighbourhoods_of_extremes(void **state)
{
	static float values[2][COUNT * SIZE];
	const struct feature_set real = { values[0], COUNT, SIZE };
	const struct feature_set made = { values[1], COUNT, SIZE };
	struct neighbourhood_scores scores;

	(void)state;
	normals(values[0], COUNT * SIZE, 1, 0);
	normals(values[1], COUNT * SIZE, 1, 50);
	CHECK(neighbourhood_compare(&real, &made, 5, &scores));
	assert_true(scores.precision == 0 && scores.recall == 0);
	assert_true(scores.density == 0 && scores.coverage == 0);
	CHECK(neighbourhood_compare(&real, &real, 5, &scores));
	assert_true(scores.precision == 1 && scores.recall == 1);
	assert_true(scores.coverage == 1 && scores.density >= 1);
}

static void test_sets_that_cannot_be_compared(void **state)
{
	float values[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	const struct feature_set four = { values, 4, 2 };
	const struct feature_set wide = { values, 2, 4 };
	const struct feature_set one = { values, 1, 2 };
	struct neighbourhood_scores scores;
	struct kernel_distance kernel;
	double distance;

	(void)state;
	assert_int_equal(frechet_distance(&four, &wide, &distance), -EINVAL);
	assert_int_equal(frechet_distance(&four, &one, &distance), -EINVAL);
	assert_int_equal(kernel_distance(&four, &one, 0, &kernel), -EINVAL);
	assert_int_equal(neighbourhood_compare(&four, &four, 4, &scores),
			 -EINVAL);
	CHECK(neighbourhood_compare(&four, &four, 3, &scores));
	values[3] = NAN;
	assert_int_equal(frechet_distance(&four, &four, &distance), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frechet_of_known_normals),
		cmocka_unit_test(test_frechet_of_turned_normals),
		cmocka_unit_test(test_kernel_distance_is_its_definition),
		cmocka_unit_test(test_same_source_is_at_zero),
		cmocka_unit_test(test_a_lost_mode_shows_in_recall),
		cmocka_unit_test(test_neighbourhoods_of_extremes),
		cmocka_unit_test(test_sets_that_cannot_be_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
