/* SPDX-License-Identifier: MIT */
#include <metrics/frechet_distance.h>

#include <compress/blas.h>
#include <core/error.h>

#include <cblas.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From LAPACK, which OpenBLAS holds: eigenvalues, ascending, and vectors if job is V. */
void dsyev_(const char *job, const char *triangle, const int *size,
	    double *matrix, const int *stride, double *values, double *work,
	    const int *work_size, int *info);

/** struct normal - a distribution; @covariance: [size][size], symmetric */
struct normal {
	int size;
	double *mean;
	double *covariance;
};

static void normal_release(struct normal *normal)
{
	free(normal->mean);
	free(normal->covariance);
}

static double *square(int size)
{
	return calloc((size_t)size * (size_t)size, sizeof(double));
}

static void find_mean(struct normal *normal, const struct feature_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->size; j++)
			normal->mean[j] +=
				(double)set->values[i * set->size + j];
	for (size_t j = 0; j < set->size; j++)
		normal->mean[j] /= (double)set->count;
}

/* syrk writes one triangle. */
static void mirror(double *matrix, int size)
{
	for (int i = 0; i < size; i++)
		for (int j = 0; j < i; j++)
			matrix[i * size + j] = matrix[j * size + i];
}

static int normal_create(struct normal *normal, const struct feature_set *set)
{
	double *centred = malloc(set->count * set->size * sizeof(*centred));

	normal->size = (int)set->size;
	normal->mean = calloc(set->size, sizeof(double));
	normal->covariance = square(normal->size);
	if (!centred || !normal->mean || !normal->covariance) {
		free(centred);
		return accel_error(-ENOMEM, "no memory for %zu features",
				   set->size);
	}
	find_mean(normal, set);
	for (size_t i = 0; i < set->count * set->size; i++)
		centred[i] =
			(double)set->values[i] - normal->mean[i % set->size];
	cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, normal->size,
		    (int)set->count, 1.0 / (double)(set->count - 1), centred,
		    normal->size, 0, normal->covariance, normal->size);
	mirror(normal->covariance, normal->size);
	free(centred);
	return 0;
}

/* matrix becomes its eigenvectors, one for each row, if job is V. */
static int decompose(char job, double *matrix, int size, double *values)
{
	double best;
	int info, work_size = -1;
	double *work;

	dsyev_(&job, "L", &size, matrix, &size, values, &best, &work_size,
	       &info);
	work_size = (int)best;
	work = malloc((size_t)work_size * sizeof(*work));
	if (!work)
		return accel_error(-ENOMEM, "no memory for eigenvalues");
	dsyev_(&job, "L", &size, matrix, &size, values, work, &work_size,
	       &info);
	free(work);
	return info ? accel_error(-EDOM, "eigenvalues did not converge") : 0;
}

/* root·root = matrix, whose rounding may have made small eigenvalues negative. */
static int square_root(const double *matrix, int size, double *root)
{
	size_t count = (size_t)size * (size_t)size;
	double *vectors = square(size), *scaled = square(size);
	double *values = calloc((size_t)size, sizeof(*values));
	int ret = -ENOMEM;

	if (!vectors || !scaled || !values) {
		accel_error(ret, "no memory for %d features", size);
		goto out;
	}
	memcpy(vectors, matrix, count * sizeof(*vectors));
	ret = decompose('V', vectors, size, values);
	if (ret)
		goto out;
	for (size_t i = 0; i < count; i++)
		scaled[i] =
			vectors[i] * sqrt(fmax(values[i / (size_t)size], 0));
	cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, size, size, size,
		    1, scaled, size, vectors, size, 0, root, size);
out:
	free(vectors);
	free(scaled);
	free(values);
	return ret;
}

static double trace(const double *matrix, int size)
{
	double sum = 0;

	for (int i = 0; i < size; i++)
		sum += matrix[i * size + i];
	return sum;
}

/* tr((Ca·Cb)^½) = tr((Ca^½·Cb·Ca^½)^½), which is symmetric. */
static int cross_trace(const struct normal *a, const struct normal *b,
		       double *result)
{
	int size = a->size, ret = -ENOMEM;
	double *root = square(size), *half = square(size),
	       *whole = square(size);
	double *values = calloc((size_t)size, sizeof(*values));

	if (!root || !half || !whole || !values) {
		accel_error(ret, "no memory for %d features", size);
		goto out;
	}
	ret = square_root(a->covariance, size, root);
	if (ret)
		goto out;
	cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size,
		    1, root, size, b->covariance, size, 0, half, size);
	cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size,
		    1, half, size, root, size, 0, whole, size);
	ret = decompose('N', whole, size, values);
	*result = 0;
	for (int i = 0; i < size && !ret; i++)
		*result += sqrt(fmax(values[i], 0));
out:
	free(root);
	free(half);
	free(whole);
	free(values);
	return ret;
}

static int distance_of(const struct normal *a, const struct normal *b,
		       double *distance)
{
	double cross = 0, sum = 0;
	int ret = cross_trace(a, b, &cross);

	for (int i = 0; i < a->size; i++)
		sum += (a->mean[i] - b->mean[i]) * (a->mean[i] - b->mean[i]);
	/* a rounded zero may be below it */
	if (!ret)
		*distance = fmax(0, sum + trace(a->covariance, a->size) +
					    trace(b->covariance, b->size) -
					    2 * cross);
	return ret;
}

int frechet_distance(const struct feature_set *a, const struct feature_set *b,
		     double *distance)
{
	struct normal first = { 0 }, second = { 0 };
	int ret = feature_set_check(a, b, 2);

	if (!ret &&
	    (a->size > INT_MAX / 2 || a->count > INT_MAX || b->count > INT_MAX))
		ret = accel_error(-EOVERFLOW, "too many features");
	if (!ret)
		ret = blas_init();
	if (!ret)
		ret = normal_create(&first, a);
	if (!ret)
		ret = normal_create(&second, b);
	if (!ret)
		ret = distance_of(&first, &second, distance);
	normal_release(&first);
	normal_release(&second);
	return ret;
}
