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
	double at[POINT_SEARCH_DIMENSIONS_MAX];
	double value;
};

/**
 * struct bayesian - the search
 * @search: what all kinds begin with
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
	struct point_search search;
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

static struct point_search *create(int dimensions, uint64_t seed)
{
	struct bayesian *bayesian = calloc(1, sizeof(*bayesian));

	(void)dimensions;
	if (!bayesian)
		return NULL;
	sample_seed(&bayesian->generator, seed);
	return &bayesian->search;
}

static void destroy(struct point_search *search)
{
	struct bayesian *bayesian = (struct bayesian *)search;

	free(bayesian->points);
	free(bayesian->factor);
	free(bayesian->weights);
	free(bayesian);
}

static int observe(struct point_search *search, const double *point,
		   double value)
{
	struct bayesian *bayesian = (struct bayesian *)search;
	struct bayesian_point *points =
		realloc(bayesian->points,
			((size_t)bayesian->count + 1) * sizeof(*points));

	if (!points)
		return accel_error(-ENOMEM, "no memory for a search");
	bayesian->points = points;
	points += bayesian->count++;
	memcpy(points->at, point, (size_t)search->dimensions * sizeof(*point));
	points->value = value;
	bayesian->fitted = false;
	return 0;
}

/* ---- the process ---- */

static double covariance(const struct bayesian *bayesian, const double *a,
			 const double *b)
{
	double distance = 0;

	for (int d = 0; d < bayesian->search.dimensions; d++)
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
static void factorize(struct bayesian *bayesian)
{
	int count = bayesian->count;

	for (int i = 0; i < count; i++)
		for (int j = 0; j <= i; j++) {
			double *row = bayesian->factor + i * count;
			const double *other = bayesian->factor + j * count;
			double sum = covariance(bayesian,
						bayesian->points[i].at,
						bayesian->points[j].at);

			for (int k = 0; k < j; k++)
				sum -= row[k] * other[k];
			row[j] = i == j ? sqrt(sum + NOISE) : sum / other[j];
		}
}

static void standardize(struct bayesian *bayesian)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < bayesian->count; i++)
		sum += bayesian->points[i].value;
	bayesian->mean = sum / bayesian->count;
	for (int i = 0; i < bayesian->count; i++)
		squares += (bayesian->points[i].value - bayesian->mean) *
			   (bayesian->points[i].value - bayesian->mean);
	bayesian->scale = sqrt(squares / bayesian->count);
	if (!(bayesian->scale > 0))
		bayesian->scale = 1;
}

static int fit(struct bayesian *bayesian)
{
	size_t count = (size_t)bayesian->count;

	if (bayesian->fitted || !count)
		return 0;
	free(bayesian->factor);
	free(bayesian->weights);
	bayesian->factor = calloc(count * count, sizeof(double));
	bayesian->weights = calloc(count, sizeof(double));
	if (!bayesian->factor || !bayesian->weights)
		return accel_error(-ENOMEM, "no memory for a search");
	standardize(bayesian);
	factorize(bayesian);
	for (size_t i = 0; i < count; i++)
		bayesian->weights[i] =
			(bayesian->points[i].value - bayesian->mean) /
			bayesian->scale;
	solve_lower(bayesian->factor, bayesian->count, bayesian->weights);
	solve_upper(bayesian->factor, bayesian->count, bayesian->weights);
	bayesian->fitted = true;
	return 0;
}

/* @scratch: room for as many numbers as there are points */
static void predict(const struct bayesian *bayesian, const double *point,
		    double *scratch, double *mean, double *deviation)
{
	double sum = 0, variance = 1;

	for (int i = 0; i < bayesian->count; i++) {
		scratch[i] =
			covariance(bayesian, point, bayesian->points[i].at);
		sum += scratch[i] * bayesian->weights[i];
	}
	solve_lower(bayesian->factor, bayesian->count, scratch);
	for (int i = 0; i < bayesian->count; i++)
		variance -= scratch[i] * scratch[i];
	*mean = bayesian->mean + bayesian->scale * sum;
	*deviation = bayesian->scale * sqrt(fmax(variance, 0));
}

int bayesian_predict(struct point_search *search, const double *point,
		     double *mean, double *deviation)
{
	struct bayesian *bayesian = (struct bayesian *)search;
	double *scratch = calloc((size_t)bayesian->count + 1, sizeof(*scratch));
	int ret = scratch ? fit(bayesian) :
			    accel_error(-ENOMEM, "no memory for a search");

	*mean = 0;
	*deviation = 1;
	if (!ret && bayesian->count)
		predict(bayesian, point, scratch, mean, deviation);
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

static double best_value(const struct bayesian *bayesian)
{
	double best = bayesian->points[0].value;

	for (int i = 1; i < bayesian->count; i++)
		best = fmax(best, bayesian->points[i].value);
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

static void propose_first(struct bayesian *bayesian, double *point)
{
	static const int bases[POINT_SEARCH_DIMENSIONS_MAX] = { 2, 3, 5, 7 };

	bayesian->proposed++;
	for (int d = 0; d < bayesian->search.dimensions; d++)
		point[d] =
			2 * radical_inverse(bayesian->proposed, bases[d]) - 1;
}

static void propose_best(struct bayesian *bayesian, double *scratch,
			 double *point)
{
	double best = best_value(bayesian), most = -1;
	double at[POINT_SEARCH_DIMENSIONS_MAX];

	for (int i = 0; i < PROPOSALS; i++) {
		double mean, deviation, gain;

		for (int d = 0; d < bayesian->search.dimensions; d++)
			at[d] = 2 * sample_uniform(&bayesian->generator) - 1;
		predict(bayesian, at, scratch, &mean, &deviation);
		gain = improvement(mean, deviation, best);
		if (gain <= most)
			continue;
		most = gain;
		memcpy(point, at,
		       (size_t)bayesian->search.dimensions * sizeof(*at));
	}
}

static int propose(struct point_search *search, double *point)
{
	struct bayesian *bayesian = (struct bayesian *)search;
	double *scratch;
	int ret;

	if (bayesian->proposed < FIRST_POINTS || !bayesian->count) {
		propose_first(bayesian, point);
		return 0;
	}
	ret = fit(bayesian);
	if (ret)
		return ret;
	scratch = calloc((size_t)bayesian->count, sizeof(*scratch));
	if (!scratch)
		return accel_error(-ENOMEM, "no memory for a search");
	propose_best(bayesian, scratch, point);
	free(scratch);
	return 0;
}

const struct point_search_kind bayesian_search = {
	.name = "bayesian",
	.create = create,
	.propose = propose,
	.observe = observe,
	.destroy = destroy,
};
