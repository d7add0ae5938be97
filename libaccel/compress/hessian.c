// SPDX-License-Identifier: MIT
#include <compress/blas.h>
#include <compress/hessian.h>
#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So much on the diagonal makes any Aᵀ·A regular. */
#define DAMPING_MAX 1e4

/* From LAPACK, which OpenBLAS holds: Cholesky, and the inverse of a triangle. */
void spotrf_(const char *uplo, const int *n, float *a, const int *lda,
	     int *info);
void strtri_(const char *uplo, const char *diag, const int *n, float *a,
	     const int *lda, int *info);

/** struct source - H, and what it is to be damped by */
struct source {
	const double *h;
	size_t columns;
	bool constant;
};

static double diagonal(const struct source *source, size_t i)
{
	return source->h[i * source->columns + i];
}

/* Of the weights that are alive. */
static double diagonal_mean(const struct source *source, const bool *dead)
{
	size_t weights = source->columns - source->constant, alive = 0;
	double sum = 0;

	for (size_t i = 0; i < weights; i++) {
		if (dead[i])
			continue;
		sum += diagonal(source, i);
		alive++;
	}
	return alive ? sum / (double)alive : 1;
}

/* Reversed: its lower triangle by rows, which is LAPACK's upper one by columns. */
static void write_reversed(const struct source *source,
			   const struct hessian *hessian)
{
	size_t last = source->columns - 1;

	for (size_t i = 0; i <= last; i++) {
		const double *h = source->h + i * source->columns;
		float *row = hessian->factor + (last - i) * source->columns;
		bool damped = !source->constant || i < last;

		for (size_t j = i; j <= last; j++)
			row[last - j] = hessian->dead[i] || hessian->dead[j] ?
						0 :
						(float)h[j];
		row[last - i] =
			hessian->dead[i] ?
				1 :
				(float)(h[i] + (damped ? hessian->damping : 0));
	}
}

static bool is_finite(const float *factor, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		if (!isfinite(factor[i * columns + i]))
			return false;
	return true;
}

/* From last to first. */
static void reverse(float *values, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		float value = values[i];

		values[i] = values[count - 1 - i];
		values[count - 1 - i] = value;
	}
}

static bool try_factor(const struct source *source, struct hessian *hessian)
{
	int n = (int)source->columns, info;

	write_reversed(source, hessian);
	spotrf_("U", &n, hessian->factor, &n, &info);
	if (!info)
		strtri_("U", "N", &n, hessian->factor, &n, &info);
	if (info || !is_finite(hessian->factor, source->columns))
		return false;
	reverse(hessian->factor, source->columns * source->columns);
	return true;
}

/* One that is not finite on the diagonal is found; others follow from it (Cauchy). */
static int find_dead(const struct source *source, bool *dead)
{
	for (size_t i = 0; i < source->columns; i++) {
		double value = diagonal(source, i);

		if (!isfinite(value) || value < 0)
			return accel_error(
				-EINVAL,
				"calibration values that are not finite, or too large");
		dead[i] = value == 0;
	}
	return 0;
}

int hessian_factor(struct hessian *out, const double *h, size_t columns,
		   bool constant, double damping)
{
	const struct source source = { h, columns, constant };
	double mean;
	int ret = blas_init();

	*out = (struct hessian){ .columns = columns };
	if (ret)
		return ret;
	if (columns >= INT_MAX || columns > SIZE_MAX / (columns + 1) / 8)
		return accel_error(-ENOMEM, "%zu weights in a row", columns);
	out->factor = calloc(columns * columns + 1, sizeof(*out->factor));
	out->dead = calloc(columns + 1, sizeof(*out->dead));
	if (!out->factor || !out->dead)
		return accel_error(-ENOMEM,
				   "no memory for a Hessian of %zu weights",
				   columns);
	ret = columns ? find_dead(&source, out->dead) : 0;
	if (ret || !columns)
		return ret;
	mean = diagonal_mean(&source, out->dead);
	for (; damping <= DAMPING_MAX; damping = 10 * damping + 1e-9) {
		out->damping = damping * mean;
		if (try_factor(&source, out))
			return 0;
	}
	return accel_error(-EINVAL, "a Hessian that is not of real numbers");
}

void hessian_release(struct hessian *hessian)
{
	free(hessian->factor);
	free(hessian->dead);
}
