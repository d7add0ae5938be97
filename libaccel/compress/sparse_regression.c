// SPDX-License-Identifier: MIT
#include <compress/blas.h>
#include <compress/parallel.h>
#include <compress/prune.h>
#include <compress/sparse_regression.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 40

/* Steps in which the support of l0 shrinks from everything to its size. */
#define SHRINKING 20

/* Of the pull to the support, where H has ones on its diagonal. */
#define PENALTY 1.0

#define POWER_STEPS 30

/* Rows that one thread takes at a time, however many threads there are. */
#define BLOCK 64

/* From LAPACK, which OpenBLAS holds: Cholesky, and the inverse by it. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda,
	     int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda,
	     int *info);

/**
 * struct search - for a support; matrices are [rows][columns] unless said otherwise
 * @problem: of the layer
 * @kept: weights that are to stay, the biases among them
 * @h: [columns][columns], H in the units of the search, with the ridge
 * @b: in the units of the search
 * @unit: [columns], of each unknown
 * @matrix: [columns][columns], what a step multiplies with
 * @offset: what it adds
 * @in: what it starts from
 * @out: where it leads
 * @z: the best rows so far, zero where @keep is
 * @memory: l0: what the projections took away so far; l1: the rows before
 * @scores: of each weight
 * @keep: the support
 */
struct search {
	struct layer_problem *problem;
	size_t kept;
	double *h;
	double *b;
	double *unit;
	float *matrix;
	float *offset;
	float *in;
	float *out;
	float *z;
	float *memory;
	float *scores;
	uint8_t *keep;
};

static size_t size_of(const struct search *search)
{
	return search->problem->rows * search->problem->columns;
}

static bool is_bias(const struct search *search, size_t i)
{
	return search->problem->constant &&
	       (i + 1) % search->problem->columns == 0;
}

/* ---- memory ---- */

static void search_release(struct search *search)
{
	free(search->h);
	free(search->b);
	free(search->unit);
	free(search->matrix);
	free(search->offset);
	free(search->in);
	free(search->out);
	free(search->z);
	free(search->memory);
	free(search->scores);
	free(search->keep);
}

static int search_create(struct search *search, struct layer_problem *problem)
{
	size_t columns = problem->columns, square = columns * columns;
	size_t size = problem->rows * columns;

	*search = (struct search){
		.problem = problem,
		.h = malloc((square + 1) * sizeof(double)),
		.b = malloc((size + 1) * sizeof(double)),
		.unit = malloc((columns + 1) * sizeof(double)),
		.matrix = malloc((square + 1) * sizeof(float)),
		.offset = calloc(size + 1, sizeof(float)),
		.in = malloc((size + 1) * sizeof(float)),
		.out = malloc((size + 1) * sizeof(float)),
		.z = malloc((size + 1) * sizeof(float)),
		.memory = calloc(size + 1, sizeof(float)),
		.scores = malloc((size + 1) * sizeof(float)),
		.keep = malloc(size + 1),
	};
	if (!search->h || !search->b || !search->unit || !search->matrix ||
	    !search->offset || !search->in || !search->out || !search->z ||
	    !search->memory || !search->scores || !search->keep)
		return accel_error(-ENOMEM, "%s: no memory for its weights",
				   problem->name);
	for (size_t i = 0; i < size; i++)
		search->kept += problem->keep[i] || is_bias(search, i);
	return 0;
}

/* ---- units ---- */

static double diagonal_mean(const struct layer_problem *problem,
			    const double *h)
{
	size_t count = problem->columns - problem->constant;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += h[i * problem->columns + i];
	return count ? sum / (double)count : 0;
}

/* Inputs that are always zero, if the others are too, have a unit all the same. */
static void set_units(struct search *search, const double *h, double ridge)
{
	size_t columns = search->problem->columns;

	for (size_t i = 0; i < columns; i++) {
		double own = h[i * columns + i] + ridge;

		search->unit[i] = own > 0 ? sqrt(own) : 1;
	}
}

/* The triangle that is there, to both, in units that make the diagonal one. */
static void set_h(struct search *search, const double *h)
{
	size_t columns = search->problem->columns;
	const double *unit = search->unit;

	for (size_t i = 0; i < columns; i++) {
		for (size_t j = i + 1; j < columns; j++) {
			double value = h[i * columns + j] / (unit[i] * unit[j]);

			search->h[i * columns + j] = value;
			search->h[j * columns + i] = value;
		}
		search->h[i * columns + i] = 1;
	}
}

static void set_units_and_sums(struct search *search, double ridge)
{
	const struct layer_problem *problem = search->problem;
	size_t columns = problem->columns;
	const double *h, *b;

	least_squares_totals(problem->system, &h, &b);
	ridge *= diagonal_mean(problem, h);
	set_units(search, h, ridge);
	set_h(search, h);
	for (size_t i = 0; i < size_of(search); i++) {
		double old = (double)problem->values[i];
		double unit = search->unit[i % columns];

		search->b[i] = (b[i] + ridge * old) / unit;
		search->z[i] = (float)(old * unit);
	}
}

/* ---- steps ---- */

/* out = in · matrix + offset, a block of rows */
static int step_block(void *context, int block)
{
	const struct search *search = context;
	size_t columns = search->problem->columns;
	size_t first = (size_t)block * BLOCK;
	size_t rows = search->problem->rows - first;
	float *out = search->out + first * columns;

	rows = rows < BLOCK ? rows : BLOCK;
	memcpy(out, search->offset + first * columns,
	       rows * columns * sizeof(*out));
	return blas_multiply(
		(int64_t)rows, (int64_t)columns, (int64_t)columns,
		(struct blas_matrix){ .values = search->in + first * columns,
				      .stride = (int64_t)columns },
		(struct blas_matrix){ .values = search->matrix,
				      .stride = (int64_t)columns },
		1, out, (int64_t)columns);
}

static int step(struct search *search)
{
	size_t blocks = (search->problem->rows + BLOCK - 1) / BLOCK;

	return parallel_run(search->problem->workers, (int)blocks, step_block,
			    search);
}

/* The best of what a step led to. */
static int project(struct search *search, size_t kept)
{
	for (size_t i = 0; i < size_of(search); i++)
		search->scores[i] = is_bias(search, i) ? INFINITY :
							 fabsf(search->out[i]);
	return prune_select(search->scores, size_of(search), kept,
			    search->keep);
}

/* ---- l0 ---- */

/* (H + ρ)⁻¹, both triangles. H is as good as singular at worst, and ρ is not small. */
static int invert(struct search *search)
{
	int columns = (int)search->problem->columns, info;
	size_t width = search->problem->columns;

	for (size_t i = 0; i < width; i++)
		search->h[i * width + i] += PENALTY;
	dpotrf_("L", &columns, search->h, &columns, &info);
	if (!info)
		dpotri_("L", &columns, search->h, &columns, &info);
	if (info)
		return accel_error(
			-EINVAL,
			"%s: its inputs are not finite on the calibration data",
			search->problem->name);
	for (size_t i = 0; i < width; i++)
		for (size_t j = i; j < width; j++) {
			search->matrix[i * width + j] =
				(float)search->h[i * width + j];
			search->matrix[j * width + i] =
				(float)search->h[i * width + j];
		}
	return 0;
}

/* What a step adds whatever it starts from: b · (H + ρ)⁻¹ */
static int prepare_l0(struct search *search)
{
	int ret = invert(search);

	for (size_t i = 0; i < size_of(search); i++)
		search->in[i] = (float)search->b[i];
	if (!ret)
		ret = step(search);
	memcpy(search->offset, search->out,
	       size_of(search) * sizeof(*search->out));
	return ret;
}

static size_t shrunk(const struct search *search, int index)
{
	double left = 1 - (double)(index + 1) / SHRINKING;
	size_t spare = size_of(search) - search->kept;

	if (left <= 0)
		return search->kept;
	return search->kept +
	       (size_t)((double)spare * left * left * left + 0.5);
}

static int step_l0(struct search *search, int index)
{
	size_t size = size_of(search);
	int ret;

	for (size_t i = 0; i < size; i++)
		search->in[i] =
			(float)PENALTY * (search->z[i] - search->memory[i]);
	ret = step(search);
	for (size_t i = 0; i < size; i++)
		search->out[i] += search->memory[i];
	if (!ret)
		ret = project(search, shrunk(search, index));
	for (size_t i = 0; i < size && !ret; i++) {
		search->z[i] = search->keep[i] ? search->out[i] : 0;
		search->memory[i] = search->out[i] - search->z[i];
	}
	return ret;
}

/* ---- l1 ---- */

/* The largest eigenvalue of H, from below; all its entries count the same at first. */
static double largest_eigenvalue(const struct search *search, double *vector,
				 double *product)
{
	size_t columns = search->problem->columns;
	double norm = sqrt((double)columns);

	for (size_t i = 0; i < columns; i++)
		vector[i] = 1;
	for (int k = 0; k < POWER_STEPS; k++) {
		double sum = 0;

		for (size_t i = 0; i < columns; i++) {
			product[i] = 0;
			for (size_t j = 0; j < columns; j++)
				product[i] += search->h[i * columns + j] *
					      vector[j] / norm;
			sum += product[i] * product[i];
		}
		norm = sqrt(sum);
		memcpy(vector, product, columns * sizeof(*vector));
	}
	return norm;
}

/* A step down the gradient: in − (in · H − b)/L */
static int prepare_l1(struct search *search)
{
	size_t columns = search->problem->columns;
	double *vectors = malloc((2 * columns + 1) * sizeof(*vectors));
	double most;

	if (!vectors)
		return accel_error(-ENOMEM, "%s: no memory for its weights",
				   search->problem->name);
	most = 1.1 * largest_eigenvalue(search, vectors, vectors + columns);
	free(vectors);
	if (!isfinite(most))
		return accel_error(
			-EINVAL,
			"%s: its inputs are not finite on the calibration data",
			search->problem->name);
	for (size_t i = 0; i < columns * columns; i++)
		search->matrix[i] =
			(float)((i % (columns + 1) == 0) - search->h[i] / most);
	for (size_t i = 0; i < size_of(search); i++)
		search->offset[i] = (float)(search->b[i] / most);
	memcpy(search->memory, search->z, size_of(search) * sizeof(*search->z));
	return 0;
}

/* The largest that went: all that stay come that much closer to zero. */
static float shrinkage(const struct search *search)
{
	float most = 0;

	for (size_t i = 0; i < size_of(search); i++)
		if (!search->keep[i])
			most = fmaxf(most, fabsf(search->out[i]));
	return most;
}

static int step_l1(struct search *search, int index)
{
	float momentum = (float)index / (float)(index + 3), less;
	int ret;

	for (size_t i = 0; i < size_of(search); i++) {
		search->in[i] = search->z[i] +
				momentum * (search->z[i] - search->memory[i]);
		search->memory[i] = search->z[i];
	}
	ret = step(search);
	if (!ret)
		ret = project(search, search->kept);
	if (ret)
		return ret;
	less = shrinkage(search);
	for (size_t i = 0; i < size_of(search); i++) {
		float size =
			fabsf(search->out[i]) - (is_bias(search, i) ? 0 : less);

		search->z[i] =
			search->keep[i] ? copysignf(size, search->out[i]) : 0;
	}
	return 0;
}

/* ---- both ---- */

static int find_support(struct search *search, enum sparse_norm norm)
{
	int ret = norm == SPARSE_L0 ? prepare_l0(search) : prepare_l1(search);

	for (int i = 0; i < STEPS && !ret; i++)
		ret = norm == SPARSE_L0 ? step_l0(search, i) :
					  step_l1(search, i);
	return ret;
}

int sparse_regression_solve(void *context, struct layer_problem *problem)
{
	const struct sparse_regression *options = context;
	struct search search;
	int ret = search_create(&search, problem);

	if (!ret) {
		set_units_and_sums(&search, options->ridge);
		ret = find_support(&search, options->norm);
	}
	for (size_t i = 0; i < size_of(&search) && !ret; i++) {
		problem->keep[i] = search.keep[i];
		if (!search.keep[i])
			problem->values[i] = 0;
	}
	if (!ret)
		ret = least_squares_solve(problem->system, options->ridge,
					  problem->keep, problem->values);
	search_release(&search);
	return ret;
}
