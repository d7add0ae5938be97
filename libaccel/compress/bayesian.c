// SPDX-License-Identifier: MIT
#include <compress/bayesian.h>
#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Points before the process is trusted to say where to look. */
#define FIRST_POINTS 4
#define PROPOSALS 1024
/* The cube's side is 2: points this far apart tell little about each other. */
#define LENGTH 0.7
/* Part of the variance that is no function of the point. */
#define NOISE 1e-3

/** struct bayesian_point - that has been evaluated */
struct bayesian_point {
	double at[BAYESIAN_DIMENSIONS_MAX];
	double value;
};

/**
 * struct bayesian - the search
 * @dimensions: of the cube
 * @generator: of proposals
 * @points: seen so far
 * @count: of @points
 * @proposed: so many of the first ones were handed out
 * @mean: of the values
 * @scale: their standard deviation
 * @factor: lower Cholesky factor of the points' covariances, row by row
 * @weights: covariances⁻¹·values
 * @fitted: @mean … @weights are of all points
 */
struct bayesian {
	int dimensions;
	struct sample_generator generator;
	struct bayesian_point *points;
	int count;
	int proposed;
	double mean;
	double scale;
	double *factor;
	double *weights;
	bool fitted;
};

struct bayesian *bayesian_create(int dimensions, uint64_t seed)
{
	struct bayesian *search;

	if (dimensions < 1 || dimensions > BAYESIAN_DIMENSIONS_MAX)
		return NULL;
	search = calloc(1, sizeof(*search));
	if (!search)
		return NULL;
	search->dimensions = dimensions;
	sample_seed(&search->generator, seed);
	return search;
}

void bayesian_destroy(struct bayesian *search)
{
	if (!search)
		return;
	free(search->points);
	free(search->factor);
	free(search->weights);
	free(search);
}

int bayesian_observe(struct bayesian *search, const double *point, double value)
{
	struct bayesian_point *points;

	if (!isfinite(value))
		return accel_error(-EINVAL, "a search cannot learn from %g",
				   value);
	points = realloc(search->points,
			 ((size_t)search->count + 1) * sizeof(*points));
	if (!points)
		return accel_error(-ENOMEM, "no memory for a search");
	search->points = points;
	points += search->count++;
	memcpy(points->at, point, (size_t)search->dimensions * sizeof(*point));
	points->value = value;
	search->fitted = false;
	return 0;
}

/* ---- the process ---- */

static double covariance(const struct bayesian *search, const double *a,
			 const double *b)
{
	double distance = 0;

	for (int d = 0; d < search->dimensions; d++)
		distance += (a[d] - b[d]) * (a[d] - b[d]);
	return exp(-distance / (2 * LENGTH * LENGTH));
}

/* factor·x = right, in place. */
static void solve_lower(const double *factor, int count, double *x)
{
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < i; j++)
			x[i] -= factor[i * count + j] * x[j];
		x[i] /= factor[i * count + i];
	}
}

/* factorᵀ·x = right, in place. */
static void solve_upper(const double *factor, int count, double *x)
{
	for (int i = count - 1; i >= 0; i--) {
		for (int j = i + 1; j < count; j++)
			x[i] -= factor[j * count + i] * x[j];
		x[i] /= factor[i * count + i];
	}
}

/* The noise keeps it positive definite, equal points or not. */
static void factorize(struct bayesian *search)
{
	int count = search->count;

	for (int i = 0; i < count; i++)
		for (int j = 0; j <= i; j++) {
			double *row = search->factor + i * count;
			const double *other = search->factor + j * count;
			double sum = covariance(search, search->points[i].at,
						search->points[j].at);

			for (int k = 0; k < j; k++)
				sum -= row[k] * other[k];
			row[j] = i == j ? sqrt(sum + NOISE) : sum / other[j];
		}
}

static void standardize(struct bayesian *search)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < search->count; i++)
		sum += search->points[i].value;
	search->mean = sum / search->count;
	for (int i = 0; i < search->count; i++)
		squares += (search->points[i].value - search->mean) *
			   (search->points[i].value - search->mean);
	search->scale = sqrt(squares / search->count);
	if (!(search->scale > 0))
		search->scale = 1;
}

static int fit(struct bayesian *search)
{
	size_t count = (size_t)search->count;

	if (search->fitted || !count)
		return 0;
	free(search->factor);
	free(search->weights);
	search->factor = calloc(count * count, sizeof(double));
	search->weights = calloc(count, sizeof(double));
	if (!search->factor || !search->weights)
		return accel_error(-ENOMEM, "no memory for a search");
	standardize(search);
	factorize(search);
	for (size_t i = 0; i < count; i++)
		search->weights[i] = (search->points[i].value - search->mean) /
				     search->scale;
	solve_lower(search->factor, search->count, search->weights);
	solve_upper(search->factor, search->count, search->weights);
	search->fitted = true;
	return 0;
}

/* @scratch: room for as many numbers as there are points */
static void predict(const struct bayesian *search, const double *point,
		    double *scratch, double *mean, double *deviation)
{
	double sum = 0, variance = 1;

	for (int i = 0; i < search->count; i++) {
		scratch[i] = covariance(search, point, search->points[i].at);
		sum += scratch[i] * search->weights[i];
	}
	solve_lower(search->factor, search->count, scratch);
	for (int i = 0; i < search->count; i++)
		variance -= scratch[i] * scratch[i];
	*mean = search->mean + search->scale * sum;
	*deviation = search->scale * sqrt(fmax(variance, 0));
}

int bayesian_predict(struct bayesian *search, const double *point, double *mean,
		     double *deviation)
{
	double *scratch = calloc((size_t)search->count + 1, sizeof(*scratch));
	int ret = scratch ? fit(search) :
			    accel_error(-ENOMEM, "no memory for a search");

	*mean = 0;
	*deviation = 1;
	if (!ret && search->count)
		predict(search, point, scratch, mean, deviation);
	free(scratch);
	return ret;
}

/* ---- where to look ---- */

/* E[max(f − best, 0)] of a normal f. */
static double improvement(double mean, double deviation, double best)
{
	double z;

	if (!(deviation > 0))
		return fmax(mean - best, 0);
	z = (mean - best) / deviation;
	return deviation *
	       (z * erfc(-z / sqrt(2)) / 2 + exp(-z * z / 2) / sqrt(2 * M_PI));
}

static double best_value(const struct bayesian *search)
{
	double best = search->points[0].value;

	for (int i = 1; i < search->count; i++)
		best = fmax(best, search->points[i].value);
	return best;
}

/* Van der Corput's sequence: digits of a number, mirrored at the point. */
static double radical_inverse(int number, int base)
{
	double result = 0, digit = 1.0 / base;

	for (; number; number /= base, digit /= base)
		result += digit * (number % base);
	return result;
}

static void propose_first(struct bayesian *search, double *point)
{
	static const int bases[BAYESIAN_DIMENSIONS_MAX] = { 2, 3, 5, 7 };

	search->proposed++;
	for (int d = 0; d < search->dimensions; d++)
		point[d] = 2 * radical_inverse(search->proposed, bases[d]) - 1;
}

static void propose_best(struct bayesian *search, double *scratch,
			 double *point)
{
	double best = best_value(search), most = -1;
	double at[BAYESIAN_DIMENSIONS_MAX];

	for (int i = 0; i < PROPOSALS; i++) {
		double mean, deviation, gain;

		for (int d = 0; d < search->dimensions; d++)
			at[d] = 2 * sample_uniform(&search->generator) - 1;
		predict(search, at, scratch, &mean, &deviation);
		gain = improvement(mean, deviation, best);
		if (gain <= most)
			continue;
		most = gain;
		memcpy(point, at, (size_t)search->dimensions * sizeof(*at));
	}
}

int bayesian_propose(struct bayesian *search, double *point)
{
	double *scratch;
	int ret;

	if (search->proposed < FIRST_POINTS || !search->count) {
		propose_first(search, point);
		return 0;
	}
	ret = fit(search);
	if (ret)
		return ret;
	scratch = calloc((size_t)search->count, sizeof(*scratch));
	if (!scratch)
		return accel_error(-ENOMEM, "no memory for a search");
	propose_best(search, scratch, point);
	free(scratch);
	return 0;
}
