/* SPDX-License-Identifier: MIT */
/* The sweep against the same one in binary64 that inverts a matrix for every column. */
#include "unit.h"

#include "float_graph.h"

#include <compress/sample.h>
#include <compress/sparsegpt.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 37, COLUMNS = 150, OBSERVATIONS = 400, BLOCK = 128 };

/** struct layer - inputs of different strength that have something in common */
struct layer {
	double h[COLUMNS * COLUMNS];
	float weights[ROWS * COLUMNS];
	float scales[ROWS];
	uint8_t keep[ROWS * COLUMNS];
};

static struct layer *make_layer(int observations)
{
	struct layer *layer = calloc(1, sizeof(*layer));
	struct sample_generator generator;

	sample_seed(&generator, 3);
	for (int n = 0; n < observations; n++) {
		double x[COLUMNS], common = sample_normal(&generator);

		for (int i = 0; i < COLUMNS; i++)
			x[i] = (sample_normal(&generator) + common) *
			       (1 + i % 7);
		x[COLUMNS - 1] = 1;
		for (int i = 0; i < COLUMNS; i++)
			for (int j = i; j < COLUMNS; j++)
				layer->h[i * COLUMNS + j] += x[i] * x[j];
	}
	sample_normals(&generator, layer->weights, ROWS * COLUMNS);
	for (int r = 0; r < ROWS; r++)
		layer->scales[r] = 3.5F / 127;
	return layer;
}

static int64_t count_kept(const struct layer *layer)
{
	int64_t count = 0;

	for (int i = 0; i < ROWS * COLUMNS; i++)
		count += i % COLUMNS != COLUMNS - 1 && layer->keep[i];
	return count;
}

static struct sparsegpt sweep_of(struct layer *layer,
				 const struct hessian *hessian)
{
	return (struct sparsegpt){
		.hessian = hessian,
		.rows = ROWS,
		.constant = true,
		.weights = layer->weights,
		.keep = layer->keep,
		.select = true,
		.keep_count = 1999,
		.workers = 1,
	};
}

static void set_grid(struct sparsegpt *sweep, const struct layer *layer,
		     int code_max)
{
	sweep->grid_count = 1;
	sweep->grids[0] = (struct column_grid){
		.end = COLUMNS - 1,
		.row_scales = layer->scales,
		.code_max = code_max,
	};
}

/* ---- the same, slowly ---- */

/* First row of the inverse of H[first …, first …]. */
static void invert(const double *h, int first, double damping, double *result)
{
	int n = COLUMNS - first;
	double *a = calloc((size_t)(n * (n + 1)), sizeof(*a));

	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++)
			a[i * (n + 1) + j] =
				h[(first + (i < j ? i : j)) * COLUMNS + first +
				  (i < j ? j : i)];
		if (first + i < COLUMNS - 1)
			a[i * (n + 1) + i] += damping;
	}
	a[n] = 1;
	for (int k = 0; k < n; k++)
		for (int i = 0; i < n; i++) {
			double factor = a[i * (n + 1) + k] / a[k * (n + 1) + k];

			for (int j = k; i != k && j <= n; j++)
				a[i * (n + 1) + j] -=
					factor * a[k * (n + 1) + j];
		}
	for (int i = 0; i < n; i++)
		result[i] = a[i * (n + 1) + n] / a[i * (n + 1) + i];
	free(a);
}

/* One weight less for as long as more are kept than may be. */
static void choose(const double *w, const double *inverse, int first, int end,
		   int count, uint8_t *keep)
{
	for (int kept = ROWS * (end - first); kept > count; kept--) {
		double least = INFINITY;
		int worst = -1;

		for (int i = 0; i < ROWS * COLUMNS; i++) {
			int j = i % COLUMNS;
			double score = w[i] * w[i] / inverse[j * COLUMNS];

			if (j < first || j >= end || !keep[i] || score >= least)
				continue;
			least = score;
			worst = i;
		}
		keep[worst] = 0;
	}
}

static double settle(double weight, bool keep, const float *scale)
{
	if (!keep)
		return 0;
	return scale ? (double)*scale *
			       fmax(-127,
				    fmin(127, rint(weight / (double)*scale))) :
		       weight;
}

static void sweep_slowly(const struct layer *layer, double damping, int keep,
			 bool rounds, double *w, uint8_t *kept)
{
	double *inverse = calloc(COLUMNS * COLUMNS, sizeof(*inverse));

	for (int j = 0; j < COLUMNS; j++)
		invert(layer->h, j, damping, inverse + j * COLUMNS);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		w[i] = (double)layer->weights[i];
	memset(kept, 1, ROWS * COLUMNS);
	for (int j = 0; j < COLUMNS - 1; j++) {
		int end = j + BLOCK < COLUMNS - 1 ? j + BLOCK : COLUMNS - 1;

		if (j % BLOCK == 0)
			choose(w, inverse, j, end,
			       keep * end / (COLUMNS - 1) -
				       keep * j / (COLUMNS - 1),
			       kept);
		for (int r = 0; r < ROWS; r++) {
			double *row = w + r * COLUMNS, old = row[j];
			const double *own = inverse + j * COLUMNS;

			row[j] = settle(old, kept[r * COLUMNS + j],
					rounds ? &layer->scales[r] : NULL);
			for (int k = j + 1; k < COLUMNS; k++)
				row[k] -= (old - row[j]) * own[k - j] / own[0];
		}
	}
	free(inverse);
}

static void check_against_slow(bool rounds)
{
	struct layer *layer = make_layer(OBSERVATIONS);
	double *w = calloc(ROWS * COLUMNS, sizeof(*w));
	uint8_t *kept = calloc(ROWS * COLUMNS, 1);
	struct hessian hessian;
	struct sparsegpt sweep = sweep_of(layer, &hessian);
	int differ = 0;

	CHECK(hessian_factor(&hessian, layer->h, COLUMNS, true,
			     HESSIAN_DAMPING));
	sweep_slowly(layer, hessian.damping, 1999, rounds, w, kept);
	if (rounds)
		set_grid(&sweep, layer, 127);
	CHECK(sparsegpt_sweep(&sweep));
	assert_int_equal(count_kept(layer), 1999);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		differ += fabs((double)layer->weights[i] - w[i]) > 2e-3;
	/* a code on the verge falls to the other side, and shifts what follows */
	assert_true(differ <= (rounds ? ROWS * COLUMNS / 50 : 0));
	hessian_release(&hessian);
	free(layer);
	free(w);
	free(kept);
}

static void test_prunes_as_the_definition_says(void **state)
{
	(void)state;
	check_against_slow(false);
}

static void test_prunes_and_rounds_in_one_sweep(void **state)
{
	(void)state;
	check_against_slow(true);
}

/* ---- what it is good for ---- */

static double loss(const struct layer *layer, const float *old,
		   const float *weights)
{
	double sum = 0;

	for (int r = 0; r < ROWS; r++)
		for (int i = 0; i < COLUMNS; i++)
			for (int j = 0; j < COLUMNS; j++) {
				int a = r * COLUMNS + i, b = r * COLUMNS + j;

				sum += (double)(weights[a] - old[a]) *
				       (double)(weights[b] - old[b]) *
				       layer->h[i < j ? i * COLUMNS + j :
							j * COLUMNS + i];
			}
	return sum;
}

static void test_rounds_better_than_the_nearest(void **state)
{
	struct layer *layer = make_layer(OBSERVATIONS);
	static float old[ROWS * COLUMNS], nearest[ROWS * COLUMNS];
	struct hessian hessian;
	struct sparsegpt sweep = sweep_of(layer, &hessian);

	(void)state;
	for (int i = 0; i < ROWS * COLUMNS; i++) {
		float scale = 3.5F / 7;
		bool bias = i % COLUMNS == COLUMNS - 1;

		old[i] = layer->weights[i];
		nearest[i] = bias ? old[i] : scale * rintf(old[i] / scale);
		layer->scales[i / COLUMNS] = scale;
		layer->keep[i] = 1;
	}
	sweep.select = false;
	set_grid(&sweep, layer, 7);
	CHECK(hessian_factor(&hessian, layer->h, COLUMNS, true,
			     HESSIAN_DAMPING));
	CHECK(sparsegpt_sweep(&sweep));
	assert_true(loss(layer, old, layer->weights) <
		    loss(layer, old, nearest) / 2);
	for (int i = 0; i < ROWS * COLUMNS; i++) {
		float code = layer->weights[i] / layer->scales[0];

		if (i % COLUMNS == COLUMNS - 1)
			continue;
		assert_true(fabsf(code - rintf(code)) < 1e-4F);
		assert_true(fabsf(code) < 7.5F);
	}
	hessian_release(&hessian);
	free(layer);
}

static void test_threads_do_not_matter(void **state)
{
	struct layer *one = make_layer(OBSERVATIONS);
	struct layer *three = make_layer(OBSERVATIONS);
	struct hessian hessian;
	struct sparsegpt sweep = sweep_of(one, &hessian);

	(void)state;
	CHECK(hessian_factor(&hessian, one->h, COLUMNS, true, HESSIAN_DAMPING));
	CHECK(sparsegpt_sweep(&sweep));
	sweep = sweep_of(three, &hessian);
	sweep.workers = 3;
	CHECK(sparsegpt_sweep(&sweep));
	assert_memory_equal(one, three, sizeof(*one));
	hessian_release(&hessian);
	free(one);
	free(three);
}

/* ---- what calibration may come up with ---- */

static void test_a_singular_hessian_is_damped(void **state)
{
	struct layer *layer = make_layer(3);
	struct hessian hessian;
	struct sparsegpt sweep = sweep_of(layer, &hessian);

	(void)state;
	CHECK(hessian_factor(&hessian, layer->h, COLUMNS, true, 0));
	assert_true(hessian.damping > 0);
	CHECK(sparsegpt_sweep(&sweep));
	assert_int_equal(count_kept(layer), 1999);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		assert_true(isfinite(layer->weights[i]));
	hessian_release(&hessian);
	free(layer);
}

static void kill_columns(struct layer *layer, int every)
{
	for (int i = 0; i < COLUMNS - 1; i++)
		for (int j = i; j < COLUMNS; j++)
			if (i % every == 0 ||
			    (j % every == 0 && j < COLUMNS - 1))
				layer->h[i * COLUMNS + j] = 0;
}

static void test_weights_of_dead_inputs_go_first(void **state)
{
	struct layer *layer = make_layer(OBSERVATIONS);
	struct hessian hessian;
	struct sparsegpt sweep = sweep_of(layer, &hessian);

	(void)state;
	kill_columns(layer, 3);
	CHECK(hessian_factor(&hessian, layer->h, COLUMNS, true,
			     HESSIAN_DAMPING));
	CHECK(sparsegpt_sweep(&sweep));
	assert_int_equal(count_kept(layer), 1999);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		if (i % COLUMNS % 3 == 0 && i % COLUMNS < COLUMNS - 1)
			assert_true(!layer->keep[i] && layer->weights[i] == 0);
	hessian_release(&hessian);
	free(layer);
}

static void test_an_input_without_a_signal_keeps_the_bias(void **state)
{
	struct layer *layer = make_layer(OBSERVATIONS);
	struct hessian hessian;
	struct sparsegpt sweep = sweep_of(layer, &hessian);
	float bias = layer->weights[COLUMNS - 1];

	(void)state;
	kill_columns(layer, 1);
	CHECK(hessian_factor(&hessian, layer->h, COLUMNS, true,
			     HESSIAN_DAMPING));
	CHECK(sparsegpt_sweep(&sweep));
	assert_int_equal(count_kept(layer), 0);
	assert_true(layer->weights[COLUMNS - 1] == bias);
	hessian_release(&hessian);
	free(layer);
}

static void test_a_hessian_that_is_not_finite_is_refused(void **state)
{
	struct layer *layer = make_layer(OBSERVATIONS);
	struct hessian hessian;

	(void)state;
	layer->h[COLUMNS + 1] = NAN;
	assert_int_equal(hessian_factor(&hessian, layer->h, COLUMNS, true,
					HESSIAN_DAMPING),
			 -EINVAL);
	hessian_release(&hessian);
	free(layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prunes_as_the_definition_says),
		cmocka_unit_test(test_prunes_and_rounds_in_one_sweep),
		cmocka_unit_test(test_rounds_better_than_the_nearest),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_a_singular_hessian_is_damped),
		cmocka_unit_test(test_weights_of_dead_inputs_go_first),
		cmocka_unit_test(test_an_input_without_a_signal_keeps_the_bias),
		cmocka_unit_test(test_a_hessian_that_is_not_finite_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
