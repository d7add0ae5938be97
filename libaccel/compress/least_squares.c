// SPDX-License-Identifier: MIT
#include <compress/blas.h>
#include <compress/least_squares.h>
#include <compress/parallel.h>
#include <core/error.h>

#include <cblas.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Observations of a tile. Products within it are in binary32, its result is added in
 * binary64: the more of them, the less does the addition cost, and the less exact it
 * is.
 */
#define TILE 1536

/* Partial sums that tiles are dealt out to; fewer of them if they are large. */
#define LANES_MAX 4
#define LANE_ELEMENTS (1 << 25)

/* A ridge that is this many times the diagonal's mean makes any H regular. */
#define RIDGE_MAX 1e3

/* From LAPACK, which OpenBLAS holds: solve A·X = B by Cholesky. */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a,
	    const int *lda, double *b, const int *ldb, int *info);

/** struct lane - a partial sum: @h [unknowns][unknowns], upper; @b [rows][unknowns] */
struct lane {
	double *h;
	double *b;
};

struct least_squares {
	struct least_squares_options options;
	struct lane lanes[LANES_MAX];
	int lane_count;
	int64_t tiles;
	bool joined;
};

static size_t unknowns_of(const struct least_squares *problem)
{
	return (size_t)problem->options.unknowns;
}

static size_t rows_of(const struct least_squares *problem)
{
	return (size_t)problem->options.rows;
}

static int no_memory(const struct least_squares *problem)
{
	return accel_error(-ENOMEM,
			   "no memory for least squares of %d weights in a row",
			   problem->options.unknowns);
}

int least_squares_create(struct least_squares **out,
			 const struct least_squares_options *options)
{
	struct least_squares *problem;
	size_t elements = (size_t)options->unknowns *
			  ((size_t)options->unknowns + (size_t)options->rows);
	size_t lanes = LANE_ELEMENTS / (elements + 1);
	int ret = blas_init();

	if (ret)
		return ret;
	problem = calloc(1, sizeof(*problem));
	if (!problem)
		return accel_error(-ENOMEM, "no memory for least squares");
	problem->options = *options;
	problem->lane_count = lanes < 1		? 1 :
			      lanes > LANES_MAX ? LANES_MAX :
						  (int)lanes;
	for (int i = 0; i < problem->lane_count; i++) {
		struct lane *lane = &problem->lanes[i];

		lane->h =
			calloc(unknowns_of(problem) * unknowns_of(problem) + 1,
			       sizeof(*lane->h));
		lane->b = calloc(unknowns_of(problem) * rows_of(problem) + 1,
				 sizeof(*lane->b));
		if (!lane->h || !lane->b) {
			ret = no_memory(problem);
			least_squares_destroy(problem);
			return ret;
		}
	}
	*out = problem;
	return 0;
}

void least_squares_destroy(struct least_squares *problem)
{
	if (!problem)
		return;
	for (int i = 0; i < LANES_MAX; i++) {
		free(problem->lanes[i].h);
		free(problem->lanes[i].b);
	}
	free(problem);
}

/* ---- observations ---- */

/**
 * struct tile - some observations, and memory to multiply them in
 * @inputs: [unknowns][@count]
 * @targets: [rows][@count]
 * @h: [unknowns][unknowns]
 * @b: [rows][unknowns]
 * @part: that they are of
 * @first: of the part
 * @count: how many
 */
struct tile {
	float *inputs;
	float *targets;
	float *h;
	float *b;
	int part;
	int64_t first;
	int64_t count;
};

/** struct addition - one call of least_squares_add(), for its threads */
struct addition {
	struct least_squares *problem;
	const struct least_squares_source *source;
	int64_t tiles;
};

static int64_t tiles_of(int64_t count)
{
	return (count + TILE - 1) / TILE;
}

/* Tiles of a part are of about equal length. */
static void find_tile(const struct least_squares_source *source, int64_t index,
		      struct tile *tile)
{
	int64_t count, tiles;

	for (tile->part = 0;; tile->part++) {
		count = source->counts[tile->part];
		tiles = tiles_of(count);
		if (index < tiles)
			break;
		index -= tiles;
	}
	tile->first = index * count / tiles;
	tile->count = (index + 1) * count / tiles - tile->first;
}

static size_t source_unknowns(const struct addition *addition)
{
	return addition->source->unknowns ?
		       (size_t)addition->source->unknown_count :
		       unknowns_of(addition->problem);
}

static int tile_allocate(const struct addition *addition, struct tile *tile)
{
	size_t unknowns = source_unknowns(addition) + 1;
	size_t rows = rows_of(addition->problem);

	tile->inputs = malloc(unknowns * TILE * sizeof(float));
	tile->targets = malloc((rows + 1) * TILE * sizeof(float));
	tile->h = malloc(unknowns * unknowns * sizeof(float));
	tile->b = malloc(unknowns * (rows + 1) * sizeof(float));
	return tile->inputs && tile->targets && tile->h && tile->b ? 0 :
								     -ENOMEM;
}

static void tile_free(struct tile *tile)
{
	free(tile->inputs);
	free(tile->targets);
	free(tile->h);
	free(tile->b);
}

static int fill_tile(const struct addition *addition, struct tile *tile)
{
	const struct least_squares_source *source = addition->source;
	size_t last = (source_unknowns(addition) - 1) * (size_t)tile->count;

	for (int64_t i = 0;
	     addition->problem->options.constant && i < tile->count; i++)
		tile->inputs[last + (size_t)i] = 1;
	return source->fill(source->context, tile->part, tile->first,
			    tile->count, tile->inputs, tile->targets);
}

static void multiply_tile(const struct addition *addition, struct tile *tile)
{
	int unknowns = (int)source_unknowns(addition);
	int rows = addition->problem->options.rows;
	int count = (int)tile->count;

	cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, unknowns, count, 1,
		    tile->inputs, count, 0, tile->h, unknowns);
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, unknowns,
		    count, 1, tile->targets, count, tile->inputs, count, 0,
		    tile->b, unknowns);
}

static void add_tile(const struct addition *addition, const struct tile *tile,
		     const struct lane *lane)
{
	const int *index = addition->source->unknowns;
	size_t unknowns = unknowns_of(addition->problem);
	size_t count = source_unknowns(addition);

	for (size_t i = 0; i < count; i++) {
		double *h = lane->h + (index ? (size_t)index[i] : i) * unknowns;

		for (size_t j = i; j < count; j++)
			h[index ? (size_t)index[j] : j] +=
				(double)tile->h[i * count + j];
	}
	for (size_t row = 0; row < rows_of(addition->problem); row++)
		for (size_t j = 0; j < count; j++)
			lane->b[row * unknowns +
				(index ? (size_t)index[j] : j)] +=
				(double)tile->b[row * count + j];
}

/* Every lane has its own tiles, in order. */
static int add_lane(void *context, int index)
{
	const struct addition *addition = context;
	struct least_squares *problem = addition->problem;
	struct tile tile = { .part = 0 };
	int ret = tile_allocate(addition, &tile);

	for (int64_t i = 0; i < addition->tiles && !ret; i++) {
		if ((problem->tiles + i) % problem->lane_count != index)
			continue;
		find_tile(addition->source, i, &tile);
		ret = fill_tile(addition, &tile);
		if (ret)
			break;
		multiply_tile(addition, &tile);
		add_tile(addition, &tile, &problem->lanes[index]);
	}
	tile_free(&tile);
	return ret;
}

int least_squares_add(struct least_squares *problem,
		      const struct least_squares_source *source)
{
	struct addition addition = { .problem = problem, .source = source };

	for (int i = 0; i < source->parts; i++)
		addition.tiles += tiles_of(source->counts[i]);
	if (parallel_run(problem->options.workers, problem->lane_count,
			 add_lane, &addition))
		return no_memory(problem);
	problem->tiles += addition.tiles;
	problem->joined = false;
	return 0;
}

/* ---- solution ---- */

/**
 * struct solution - one call of least_squares_solve(), for its threads
 * @problem: what is solved
 * @ridge: what is added to the diagonal
 * @keep: of all rows
 * @rows: likewise
 */
struct solution {
	const struct least_squares *problem;
	double ridge;
	const uint8_t *keep;
	float *rows;
};

/** struct equations - of one row: @count unknowns, which are @index */
struct equations {
	size_t *index;
	double *h;
	double *b;
	size_t count;
};

/* All lanes into the first; who comes next only reads, also if several do at once. */
static void join_lanes(struct least_squares *problem)
{
	size_t h = unknowns_of(problem) * unknowns_of(problem);
	size_t b = unknowns_of(problem) * rows_of(problem);

	if (problem->joined)
		return;
	for (int lane = 1; lane < problem->lane_count; lane++) {
		for (size_t i = 0; i < h; i++)
			problem->lanes[0].h[i] += problem->lanes[lane].h[i];
		for (size_t i = 0; i < b; i++)
			problem->lanes[0].b[i] += problem->lanes[lane].b[i];
		memset(problem->lanes[lane].h, 0, h * sizeof(double));
		memset(problem->lanes[lane].b, 0, b * sizeof(double));
	}
	problem->joined = true;
}

void least_squares_totals(struct least_squares *problem, const double **h,
			  const double **b)
{
	join_lanes(problem);
	*h = problem->lanes[0].h;
	*b = problem->lanes[0].b;
}

/* The bias is on another scale than the weights, and needs no ridge. */
static double diagonal_mean(const struct least_squares *problem)
{
	size_t unknowns = unknowns_of(problem);
	size_t count = unknowns - problem->options.constant;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += problem->lanes[0].h[i * unknowns + i];
	return count ? sum / (double)count : 0;
}

static double ridge_of(const struct least_squares *problem, size_t unknown,
		       double ridge)
{
	return problem->options.constant &&
			       unknown + 1 == unknowns_of(problem) ?
		       0 :
		       ridge;
}

static void write_equations(const struct least_squares *problem,
			    struct equations *equations, size_t row,
			    const float *old, double ridge)
{
	size_t unknowns = unknowns_of(problem);
	const double *b = problem->lanes[0].b + row * unknowns;

	for (size_t i = 0; i < equations->count; i++) {
		size_t from = equations->index[i];
		const double *h = problem->lanes[0].h + from * unknowns;
		double own = ridge_of(problem, from, ridge);

		for (size_t j = i; j < equations->count; j++)
			equations->h[i * equations->count + j] =
				h[equations->index[j]];
		equations->h[i * equations->count + i] += own;
		equations->b[i] = b[from] + own * (double)old[from];
	}
}

/* Row-major upper is LAPACK's column-major lower. */
static bool solve_equations(const struct equations *equations)
{
	int count = (int)equations->count, one = 1, info;

	if (!count)
		return true;
	dposv_("L", &count, &one, equations->h, &count, equations->b, &count,
	       &info);
	/* what is not finite came from an H that is next to singular */
	for (int i = 0; i < count && !info; i++)
		info = equations->b[i] - equations->b[i] != 0;
	return !info;
}

static void solve_row(const struct solution *solution,
		      struct equations *equations, size_t row)
{
	const struct least_squares *problem = solution->problem;
	size_t unknowns = unknowns_of(problem);
	const uint8_t *keep = solution->keep + row * unknowns;
	float *values = solution->rows + row * unknowns;
	double mean = diagonal_mean(problem);

	equations->count = 0;
	for (size_t i = 0; i < unknowns; i++)
		if (keep[i])
			equations->index[equations->count++] = i;
	for (double ridge = solution->ridge; ridge < RIDGE_MAX * mean;
	     ridge = 10 * ridge + mean * 1e-9) {
		write_equations(problem, equations, row, values, ridge);
		if (!solve_equations(equations))
			continue;
		for (size_t i = 0; i < equations->count; i++)
			values[equations->index[i]] = (float)equations->b[i];
		return;
	}
}

/* Rows are dealt out in groups: memory for one row's equations serves many. */
enum { GROUP = 8 };

static int solve_group(void *context, int group)
{
	const struct solution *solution = context;
	size_t unknowns = unknowns_of(solution->problem);
	struct equations equations = {
		.index = malloc((unknowns + 1) * sizeof(size_t)),
		.h = malloc((unknowns * unknowns + 1) * sizeof(double)),
		.b = malloc((unknowns + 1) * sizeof(double)),
	};
	size_t first = (size_t)group * GROUP;
	int ret = equations.index && equations.h && equations.b ? 0 : -ENOMEM;

	for (size_t row = first;
	     !ret && row < first + GROUP && row < rows_of(solution->problem);
	     row++)
		solve_row(solution, &equations, row);
	free(equations.index);
	free(equations.h);
	free(equations.b);
	return ret;
}

int least_squares_solve(struct least_squares *problem, double ridge,
			const uint8_t *keep, float *rows)
{
	struct solution solution = {
		.problem = problem,
		.keep = keep,
		.rows = rows,
	};
	int groups = (problem->options.rows + GROUP - 1) / GROUP;

	join_lanes(problem);
	solution.ridge = ridge * diagonal_mean(problem);
	if (parallel_run(problem->options.workers, groups, solve_group,
			 &solution))
		return no_memory(problem);
	return 0;
}
