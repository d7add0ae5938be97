// SPDX-License-Identifier: MIT
#include <compress/blas.h>
#include <compress/low_rank_factor.h>
#include <compress/low_rank_refit.h>
#include <compress/prune.h>
#include <core/error.h>

#include <cblas.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Part of the mean of the diagonal that is added to it at first, and at most. */
#define DAMPING 1e-3
#define DAMPING_MAX 1e4
/* Times that U·V and S take over from each other. */
#define TURNS 4

void dgesvd_(const char *left_job, const char *right_job, const int *rows,
	     const int *columns, double *a, const int *stride, double *values,
	     double *left, const int *left_stride, double *right,
	     const int *right_stride, double *work, const int *work_size,
	     int *info);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda,
	     int *info);

/**
 * struct decomposition - of one matrix, and room for it
 * @rows: of W
 * @columns: of W
 * @least: the smaller of both
 * @whitener: L, [@columns][@columns], lower; NULL: there is none
 * @w: [@rows][@columns]
 * @values: [@least], descending
 * @row_vectors: [@least][@columns]
 * @column_vectors: [@rows][@least]
 */
struct decomposition {
	int rows;
	int columns;
	int least;
	double *whitener;
	double *w;
	double *values;
	double *row_vectors;
	double *column_vectors;
};

/* ---- whitening ---- */

static double diagonal_mean(const struct low_rank_matrix *matrix)
{
	size_t columns = (size_t)matrix->columns;
	double sum = 0;

	for (size_t i = 0; i < columns; i++)
		sum += matrix->moments[i * columns + i];
	return sum / (double)columns;
}

/* LAPACK's upper triangle by columns is our lower one by rows. */
static bool try_whitener(const struct low_rank_matrix *matrix, double damping,
			 double *whitener)
{
	size_t columns = (size_t)matrix->columns;
	int info;

	memcpy(whitener, matrix->moments, columns * columns * sizeof(double));
	for (size_t i = 0; i < columns; i++)
		whitener[i * columns + i] += damping;
	dpotrf_("U", &matrix->columns, whitener, &matrix->columns, &info);
	for (size_t i = 0; i < columns; i++)
		memset(whitener + i * columns + i + 1, 0,
		       (columns - i - 1) * sizeof(double));
	return !info;
}

/* Inputs that are always zero, or follow from others, are what the damping is for. */
static int find_whitener(const struct low_rank_matrix *matrix,
			 struct decomposition *parts)
{
	size_t columns = (size_t)matrix->columns;
	double mean = matrix->moments ? diagonal_mean(matrix) : 0;

	if (!isfinite(mean) || mean < 0)
		return accel_error(
			-EINVAL,
			"calibration values that are not finite, or too large");
	if (mean == 0)
		return 0;
	parts->whitener = malloc(columns * columns * sizeof(double));
	if (!parts->whitener)
		return -ENOMEM;
	for (double part = DAMPING; part <= DAMPING_MAX; part *= 10)
		if (try_whitener(matrix, part * mean, parts->whitener))
			return 0;
	return accel_error(-EINVAL, "moments that are not of real numbers");
}

/* ---- singular values ---- */

static void release(struct decomposition *parts)
{
	free(parts->whitener);
	free(parts->w);
	free(parts->values);
	free(parts->row_vectors);
	free(parts->column_vectors);
}

static int prepare(const struct low_rank_matrix *matrix,
		   struct decomposition *parts)
{
	size_t rows = (size_t)matrix->rows, columns = (size_t)matrix->columns;
	size_t least = rows < columns ? rows : columns;
	int ret = blas_init();

	*parts = (struct decomposition){
		.rows = matrix->rows,
		.columns = matrix->columns,
		.least = (int)least,
	};
	if (ret)
		return ret;
	parts->w = calloc(rows * columns, sizeof(double));
	parts->values = calloc(least, sizeof(double));
	parts->row_vectors = calloc(least * columns, sizeof(double));
	parts->column_vectors = calloc(least * rows, sizeof(double));
	if (!parts->w || !parts->values || !parts->row_vectors ||
	    !parts->column_vectors)
		return -ENOMEM;
	return find_whitener(matrix, parts);
}

/*
 * LAPACK counts by columns: our W is its Wᵀ, so that its left vectors are rows of ours
 * and its right ones columns. Both come out in the order of our rows.
 */
static int run_svd(struct decomposition *parts, double *work, int size)
{
	int info;

	dgesvd_("S", "S", &parts->columns, &parts->rows, parts->w,
		&parts->columns, parts->values, parts->row_vectors,
		&parts->columns, parts->column_vectors, &parts->least, work,
		&size, &info);
	return info;
}

/* Of what lies in w, which is lost. */
static int decompose(struct decomposition *parts)
{
	double best, *work;
	int info;

	if (parts->whitener)
		cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans,
			    CblasNonUnit, parts->rows, parts->columns, 1,
			    parts->whitener, parts->columns, parts->w,
			    parts->columns);
	if (run_svd(parts, &best, -1) || best >= INT_MAX)
		return accel_error(-EOVERFLOW,
				   "%d x %d is too large for LAPACK",
				   parts->rows, parts->columns);
	work = malloc((size_t)best * sizeof(*work));
	if (!work)
		return -ENOMEM;
	info = run_svd(parts, work, (int)best);
	free(work);
	return info ? accel_error(-EINVAL,
				  "singular values of %d x %d do not converge",
				  parts->rows, parts->columns) :
		      0;
}

int low_rank_spectrum(const struct low_rank_matrix *matrix, double *values)
{
	struct decomposition parts;
	int ret = prepare(matrix, &parts);

	if (!ret) {
		memcpy(parts.w, matrix->weights,
		       (size_t)parts.rows * (size_t)parts.columns *
			       sizeof(double));
		ret = decompose(&parts);
	}
	if (!ret)
		memcpy(values, parts.values,
		       (size_t)parts.least * sizeof(*values));
	release(&parts);
	return ret;
}

/* ---- factors ---- */

/* Each gets the root of the singular values; of V the whitening is taken back. */
static void truncate_factors(const struct low_rank_factors *factors,
			     struct decomposition *parts)
{
	size_t rank = (size_t)factors->rank, least = (size_t)parts->least;
	size_t columns = (size_t)factors->columns;

	for (size_t i = 0; i < rank; i++) {
		double root = sqrt(parts->values[i]);

		for (size_t r = 0; r < (size_t)factors->rows; r++)
			factors->left[r * rank + i] =
				(float)(root *
					parts->column_vectors[r * least + i]);
		for (size_t c = 0; c < columns; c++)
			parts->row_vectors[i * columns + c] *= root;
	}
	if (parts->whitener)
		cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans,
			    CblasNonUnit, factors->rank, factors->columns, 1,
			    parts->whitener, factors->columns,
			    parts->row_vectors, factors->columns);
	for (size_t i = 0; i < rank * columns; i++)
		factors->right[i] = (float)parts->row_vectors[i];
}

/* U·V of what S leaves. */
static int update_factors(const struct low_rank_matrix *matrix,
			  struct low_rank_factors *factors,
			  struct decomposition *parts)
{
	size_t count = (size_t)matrix->rows * (size_t)matrix->columns;
	int ret;

	for (size_t i = 0; i < count; i++)
		parts->w[i] = matrix->weights[i] -
			      (factors->rest ? (double)factors->rest[i] : 0);
	ret = decompose(parts);
	if (!ret)
		truncate_factors(factors, parts);
	return ret;
}

/* ---- the rest ---- */

/* W − U·V, as S, and what each weight of it matters to the results. */
static void find_rest(const struct low_rank_matrix *matrix,
		      const struct low_rank_factors *factors, float *scores)
{
	size_t columns = (size_t)matrix->columns;

	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, factors->rows,
		    factors->columns, factors->rank, 1, factors->left,
		    factors->rank, factors->right, factors->columns, 0,
		    factors->rest, factors->columns);
	for (size_t i = 0; i < (size_t)matrix->rows * columns; i++) {
		size_t c = i % columns;
		double size = matrix->moments ?
				      sqrt(matrix->moments[c * columns + c]) :
				      1;

		factors->rest[i] =
			(float)(matrix->weights[i] - (double)factors->rest[i]);
		scores[i] = (float)(fabs((double)factors->rest[i]) * size);
	}
}

/* What is kept takes over for what is not, as far as the results go. */
static int refit_rest(const struct low_rank_matrix *matrix,
		      const struct low_rank_factors *factors,
		      const uint8_t *keep)
{
	size_t columns = (size_t)matrix->columns;
	double damping = DAMPING * diagonal_mean(matrix);
	float *moments = malloc(columns * columns * sizeof(*moments));
	struct low_rank_refit refit = {
		.rows = (size_t)matrix->rows,
		.columns = columns,
		.moments = moments,
		.keep = keep,
		.values = factors->rest,
	};
	int ret;

	if (!moments)
		return -ENOMEM;
	if (!(damping > 0))
		damping = 1;
	for (size_t i = 0; i < columns * columns; i++)
		moments[i] = (float)(matrix->moments[i] +
				     (i % (columns + 1) ? 0 : damping));
	ret = low_rank_refit_run(&refit);
	free(moments);
	return ret;
}

static int update_rest(const struct low_rank_matrix *matrix,
		       const struct low_rank_factors *factors)
{
	size_t count = (size_t)matrix->rows * (size_t)matrix->columns;
	float *scores = malloc(count * sizeof(*scores));
	uint8_t *keep = malloc(count);
	int ret = -ENOMEM;

	if (scores && keep) {
		find_rest(matrix, factors, scores);
		ret = prune_select(scores, count, factors->rest_count, keep);
	}
	if (!ret && matrix->moments)
		ret = refit_rest(matrix, factors, keep);
	for (size_t i = 0; i < count && !ret; i++)
		factors->rest[i] *= (float)keep[i];
	free(scores);
	free(keep);
	return ret;
}

static int allocate(struct low_rank_factors *factors)
{
	size_t rows = (size_t)factors->rows, columns = (size_t)factors->columns;
	size_t rank = (size_t)factors->rank;

	factors->left = calloc(rows * rank, sizeof(float));
	factors->right = calloc(columns * rank, sizeof(float));
	factors->rest = factors->rest_count ?
				calloc(rows * columns, sizeof(float)) :
				NULL;
	return factors->left && factors->right &&
			       (factors->rest || !factors->rest_count) ?
		       0 :
		       -ENOMEM;
}

int low_rank_factor(struct low_rank_factors *factors,
		    const struct low_rank_matrix *matrix)
{
	struct decomposition parts;
	int ret = prepare(matrix, &parts);

	factors->rows = matrix->rows;
	factors->columns = matrix->columns;
	if (!ret)
		ret = allocate(factors);
	if (!ret)
		ret = update_factors(matrix, factors, &parts);
	for (int i = 0; i < TURNS && factors->rest_count && !ret; i++) {
		ret = update_rest(matrix, factors);
		if (!ret)
			ret = update_factors(matrix, factors, &parts);
	}
	release(&parts);
	return ret;
}

void low_rank_factors_release(struct low_rank_factors *factors)
{
	free(factors->left);
	free(factors->right);
	free(factors->rest);
	factors->left = NULL;
	factors->right = NULL;
	factors->rest = NULL;
}
