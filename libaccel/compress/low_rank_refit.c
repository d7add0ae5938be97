// SPDX-License-Identifier: MIT
#include <compress/low_rank_refit.h>

#include <cblas.h>
#include <errno.h>
#include <stdlib.h>

#define STEPS 12

/**
 * struct gradients - of conjugate gradients, each as large as the matrix
 * @rest: what the results still lack, as seen from each position
 * @direction: of the step
 * @change: of @rest by it
 */
struct gradients {
	float *rest;
	float *direction;
	float *change;
};

/* values·moments, where there may be a value */
static void multiply(const struct low_rank_refit *refit, const float *values,
		     float *result)
{
	int columns = (int)refit->columns;

	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)refit->rows,
		    columns, columns, 1, values, columns, refit->moments,
		    columns, 0, result, columns);
	for (size_t i = 0; i < refit->rows * refit->columns; i++)
		result[i] *= (float)refit->keep[i];
}

/* Inputs differ in size: each position by its own. */
static float scaled(const struct low_rank_refit *refit, const float *rest,
		    size_t i)
{
	size_t column = i % refit->columns;

	return rest[i] / refit->moments[column * refit->columns + column];
}

static double scaled_square(const struct low_rank_refit *refit,
			    const float *rest)
{
	double sum = 0;

	for (size_t i = 0; i < refit->rows * refit->columns; i++)
		sum += (double)rest[i] * (double)scaled(refit, rest, i);
	return sum;
}

static double product(const float *a, const float *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

/* @before: scaled square of the rest; returns that of the new one */
static double step(const struct low_rank_refit *refit,
		   const struct gradients *gradients, double before)
{
	size_t count = refit->rows * refit->columns;
	double curve, after;
	float length, turn;

	multiply(refit, gradients->direction, gradients->change);
	curve = product(gradients->direction, gradients->change, count);
	if (!(curve > 0))
		return 0;
	length = (float)(before / curve);
	for (size_t i = 0; i < count; i++) {
		refit->values[i] += length * gradients->direction[i];
		gradients->rest[i] -= length * gradients->change[i];
	}
	after = scaled_square(refit, gradients->rest);
	turn = (float)(after / before);
	for (size_t i = 0; i < count; i++)
		gradients->direction[i] = scaled(refit, gradients->rest, i) +
					  turn * gradients->direction[i];
	return after;
}

static void solve(const struct low_rank_refit *refit,
		  const struct gradients *gradients)
{
	size_t count = refit->rows * refit->columns;
	double square, first;

	/* what the cut takes away is what is lacking at first */
	for (size_t i = 0; i < count; i++) {
		gradients->direction[i] = refit->keep[i] ? 0 : refit->values[i];
		refit->values[i] *= (float)refit->keep[i];
	}
	multiply(refit, gradients->direction, gradients->rest);
	for (size_t i = 0; i < count; i++)
		gradients->direction[i] = scaled(refit, gradients->rest, i);
	first = square = scaled_square(refit, gradients->rest);
	for (int i = 0; i < STEPS && square > 1e-10 * first; i++)
		square = step(refit, gradients, square);
}

int low_rank_refit_run(const struct low_rank_refit *refit)
{
	size_t count = refit->rows * refit->columns + 1;
	const struct gradients gradients = {
		.rest = calloc(count, sizeof(float)),
		.direction = calloc(count, sizeof(float)),
		.change = calloc(count, sizeof(float)),
	};
	int ret = -ENOMEM;

	if (gradients.rest && gradients.direction && gradients.change) {
		solve(refit, &gradients);
		ret = 0;
	}
	free(gradients.rest);
	free(gradients.direction);
	free(gradients.change);
	return ret;
}
