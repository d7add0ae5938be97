// SPDX-License-Identifier: MIT
#include <compress/blas.h>
#include <compress/obs.h>
#include <compress/parallel.h>
#include <compress/prune.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Toward the old weights, as part of the mean of H's diagonal. */
#define RIDGE 5e-4
/* Any Aᵀ·A is regular with it. */
#define RIDGE_MAX 1e3

/* From LAPACK, which OpenBLAS holds: Cholesky, and the inverse from it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda,
	     int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda,
	     int *info);

/**
 * struct surgery - of all rows, for its threads
 * @problem: whose weights go
 * @inverse: of H, [columns][columns]
 * @order: [rows][weights], in which they go
 * @losses: [rows][weights], of each step, none below the one before it
 */
struct surgery {
	const struct layer_problem *problem;
	double *inverse;
	int *order;
	float *losses;
};

static size_t weights_of(const struct layer_problem *problem)
{
	return problem->columns - problem->constant;
}

/* ---- the inverse ---- */

static double diagonal_mean(const struct layer_problem *problem)
{
	const double *h = layer_problem_hessian(problem);
	size_t weights = weights_of(problem);
	double sum = 0;

	for (size_t i = 0; i < weights; i++)
		sum += h[i * problem->columns + i];
	return sum > 0 ? sum / (double)weights : 1;
}

/* Symmetric; dead inputs have 1 on the diagonal and touch nothing. */
static void write_damped(const struct surgery *surgery, double ridge)
{
	size_t columns = surgery->problem->columns;
	const double *h = layer_problem_hessian(surgery->problem);

	for (size_t i = 0; i < columns; i++)
		for (size_t j = i; j < columns; j++) {
			surgery->inverse[i * columns + j] = h[i * columns + j];
			surgery->inverse[j * columns + i] = h[i * columns + j];
		}
	for (size_t i = 0; i < columns; i++)
		surgery->inverse[i * columns + i] +=
			h[i * columns + i] <= 0		 ? 1 :
			i < weights_of(surgery->problem) ? ridge :
							   0;
}

static bool invert(const struct surgery *surgery)
{
	size_t columns = surgery->problem->columns;
	double *a = surgery->inverse;
	int n = (int)columns, info;

	dpotrf_("L", &n, a, &n, &info);
	if (!info)
		dpotri_("L", &n, a, &n, &info);
	for (size_t i = 0; i < columns && !info; i++) {
		info = !isfinite(a[i * columns + i]);
		for (size_t j = i + 1; j < columns; j++)
			a[j * columns + i] = a[i * columns + j];
	}
	return !info;
}

static int find_inverse(const struct surgery *surgery, double *ridge)
{
	double mean = diagonal_mean(surgery->problem);

	for (*ridge = RIDGE; *ridge < RIDGE_MAX; *ridge *= 10) {
		write_damped(surgery, *ridge * mean);
		if (invert(surgery))
			return 0;
	}
	return accel_error(-EINVAL, "%s: inputs that are not finite",
			   surgery->problem->name);
}

/* ---- a row ---- */

/** struct row - while it is taken apart: what is left of weights and inverse */
struct row {
	double *weights;
	double *inverse;
	bool *gone;
	size_t columns;
};

static size_t find_cheapest(const struct row *row, size_t weights, double *loss)
{
	size_t best = 0;

	*loss = INFINITY;
	for (size_t i = 0; i < weights; i++) {
		double own = row->weights[i] * row->weights[i] /
			     row->inverse[i * row->columns + i];

		if (row->gone[i] || !(own < *loss))
			continue;
		*loss = own;
		best = i;
	}
	return best;
}

static void take_out(const struct row *row, size_t out)
{
	const double *own = row->inverse + out * row->columns;
	double pivot = own[out], step = row->weights[out] / pivot;

	for (size_t i = 0; i < row->columns; i++) {
		double *other = row->inverse + i * row->columns;
		double factor = other[out] / pivot;

		row->weights[i] -= step * own[i];
		for (size_t j = 0;
		     !row->gone[i] && i != out && j < row->columns; j++)
			other[j] -= factor * own[j];
	}
	row->gone[out] = true;
	row->weights[out] = 0;
}

static void take_apart(const struct surgery *surgery, const struct row *row,
		       size_t index)
{
	size_t weights = weights_of(surgery->problem);
	double most = 0, loss;

	for (size_t step = 0; step < weights; step++) {
		size_t out = find_cheapest(row, weights, &loss);

		/* rounding may leave nothing sensible at the very end */
		for (size_t i = 0; row->gone[out] && i < weights; i++)
			if (!row->gone[i])
				out = i;
		if (isfinite(loss))
			most = fmax(most, loss);
		surgery->order[index * weights + step] = (int)out;
		surgery->losses[index * weights + step] = (float)most;
		take_out(row, out);
	}
}

static int run_row(void *context, int index)
{
	const struct surgery *surgery = context;
	size_t columns = surgery->problem->columns;
	const float *values =
		surgery->problem->values + (size_t)index * columns;
	struct row row = {
		.weights = malloc((columns + 1) * sizeof(double)),
		.inverse = malloc((columns * columns + 1) * sizeof(double)),
		.gone = calloc(columns + 1, sizeof(bool)),
		.columns = columns,
	};
	int ret = row.weights && row.inverse && row.gone ? 0 : -ENOMEM;

	if (!ret) {
		for (size_t i = 0; i < columns; i++)
			row.weights[i] = (double)values[i];
		memcpy(row.inverse, surgery->inverse,
		       columns * columns * sizeof(double));
		take_apart(surgery, &row, (size_t)index);
	}
	free(row.weights);
	free(row.inverse);
	free(row.gone);
	return ret;
}

/* ---- the layer ---- */

/* Of each row the first steps, as many as are among the cheapest of all. */
static void write_mask(const struct surgery *surgery, const uint8_t *stays)
{
	const struct layer_problem *problem = surgery->problem;
	size_t weights = weights_of(problem);

	for (size_t row = 0; row < problem->rows; row++) {
		const int *order = surgery->order + row * weights;
		uint8_t *keep = problem->keep + row * problem->columns;
		size_t steps = weights;

		for (size_t i = 0; i < weights; i++)
			steps -= stays[row * weights + i];
		memset(keep, 1, problem->columns);
		for (size_t i = 0; i < steps; i++) {
			keep[order[i]] = 0;
			problem->values[row * problem->columns +
					(size_t)order[i]] = 0;
		}
	}
}

static int operate(const struct surgery *surgery, uint8_t *stays)
{
	const struct layer_problem *problem = surgery->problem;
	size_t size = problem->rows * problem->columns, kept;
	float *old = malloc((size + 1) * sizeof(*old));
	double ridge;
	int ret = old ? find_inverse(surgery, &ridge) : -ENOMEM;

	if (ret)
		goto out;
	kept = layer_problem_kept(problem);
	memcpy(old, problem->values, size * sizeof(*old));
	memset(problem->keep, 1, size);
	ret = least_squares_solve(problem->system, ridge, problem->keep,
				  problem->values);
	if (!ret)
		ret = parallel_run(problem->workers, (int)problem->rows,
				   run_row, (void *)surgery);
	if (!ret)
		ret = prune_select(surgery->losses,
				   problem->rows * weights_of(problem), kept,
				   stays);
	if (ret)
		goto out;
	memcpy(problem->values, old, size * sizeof(*old));
	write_mask(surgery, stays);
	ret = least_squares_solve(problem->system, ridge, problem->keep,
				  problem->values);
out:
	free(old);
	return ret;
}

int obs_solve(void *context, struct layer_problem *problem)
{
	size_t size = problem->rows * problem->columns;
	struct surgery surgery = {
		.problem = problem,
		.inverse = malloc((problem->columns * problem->columns + 1) *
				  sizeof(double)),
		.order = malloc((size + 1) * sizeof(int)),
		.losses = malloc((size + 1) * sizeof(float)),
	};
	uint8_t *stays = malloc(size + 1);
	int ret = -ENOMEM;

	(void)context;
	if (surgery.inverse && surgery.order && surgery.losses && stays)
		ret = operate(&surgery, stays);
	if (ret == -ENOMEM)
		accel_error(ret, "%s: no memory for its Hessian",
			    problem->name);
	free(surgery.inverse);
	free(surgery.order);
	free(surgery.losses);
	free(stays);
	return ret;
}
