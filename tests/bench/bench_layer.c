// SPDX-License-Identifier: MIT
/*
 * A matrix of 4096 × 4096 through sparsegpt, on one thread: H of the observations, its
 * factor, the sweep. The bound is the same operations at the rate of sgemm, measured
 * in the same run.
 */
#include <compress/blas.h>
#include <compress/hessian.h>
#include <compress/least_squares.h>
#include <compress/sample.h>
#include <compress/sparsegpt.h>

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 4096, ROWS = 4096, OBSERVATIONS = 8192, TILE = 1536 };
enum { ROUNDS = 3 };

/** struct layer - all that a run needs; @x: [COLUMNS][OBSERVATIONS] */
struct layer {
	float *x;
	float *old;
	float *weights;
	uint8_t *keep;
};

/** struct times - seconds, the best of all rounds */
struct times {
	double gemm_rate, syrk_rate;
	double observe, factor, sweep;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void fill_random(float *values, size_t count, uint64_t seed)
{
	struct sample_generator generator;

	sample_seed(&generator, seed);
	for (size_t i = 0; i < count; i++)
		values[i] = (float)sample_uniform(&generator) - 0.3F;
}

static int layer_create(struct layer *layer)
{
	size_t inputs = (size_t)COLUMNS * OBSERVATIONS;
	size_t weights = (size_t)ROWS * COLUMNS;

	*layer = (struct layer){
		.x = malloc(inputs * sizeof(float)),
		.old = malloc(weights * sizeof(float)),
		.weights = malloc(weights * sizeof(float)),
		.keep = malloc(weights),
	};
	if (!layer->x || !layer->old || !layer->weights || !layer->keep)
		return -1;
	fill_random(layer->x, inputs, 1);
	fill_random(layer->old, weights, 2);
	return 0;
}

static void layer_release(struct layer *layer)
{
	free(layer->x);
	free(layer->old);
	free(layer->weights);
	free(layer->keep);
}

static int fill(void *context, int part, int64_t first, int64_t count,
		float *inputs, float *targets)
{
	const struct layer *layer = context;

	(void)part;
	(void)targets;
	for (int64_t i = 0; i < COLUMNS; i++)
		memcpy(inputs + i * count, layer->x + i * OBSERVATIONS + first,
		       (size_t)count * sizeof(float));
	return 0;
}

static void raise_to(double *most, double value)
{
	if (value > *most)
		*most = value;
}

static void lower_to(double *least, double value)
{
	if (!*least || value < *least)
		*least = value;
}

/* Both as large as the layer's own products. */
static void measure_blas(const struct layer *layer, struct times *times)
{
	double n = COLUMNS, k = TILE, start = now();

	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, COLUMNS, COLUMNS,
		    TILE, 1, layer->x, OBSERVATIONS, layer->x, OBSERVATIONS, 0,
		    layer->weights, COLUMNS);
	raise_to(&times->gemm_rate, 2 * n * n * k / (now() - start));
	start = now();
	cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, COLUMNS, TILE, 1,
		    layer->x, OBSERVATIONS, 0, layer->weights, COLUMNS);
	raise_to(&times->syrk_rate, n * (n + 1) * k / (now() - start));
}

static int prune(const struct layer *layer, struct least_squares *problem,
		 struct times *times)
{
	const double *h, *b;
	struct hessian hessian;
	const struct sparsegpt sweep = {
		.hessian = &hessian,
		.rows = ROWS,
		.weights = layer->weights,
		.keep = layer->keep,
		.select = true,
		.keep_count = (size_t)ROWS * COLUMNS / 2,
		.workers = 1,
	};
	double start;
	int ret;

	memcpy(layer->weights, layer->old,
	       (size_t)ROWS * COLUMNS * sizeof(float));
	least_squares_totals(problem, &h, &b);
	start = now();
	ret = hessian_factor(&hessian, h, COLUMNS, false, HESSIAN_DAMPING);
	lower_to(&times->factor, now() - start);
	start = now();
	if (!ret)
		ret = sparsegpt_sweep(&sweep);
	lower_to(&times->sweep, now() - start);
	hessian_release(&hessian);
	return ret;
}

static int run(struct layer *layer, struct times *times)
{
	const struct least_squares_options options = { .unknowns = COLUMNS,
						       .workers = 1 };
	const int64_t count = OBSERVATIONS;
	const struct least_squares_source source = {
		.counts = &count,
		.parts = 1,
		.fill = fill,
		.context = layer,
	};
	struct least_squares *problem;
	double start;
	int ret = least_squares_create(&problem, &options);

	if (ret)
		return ret;
	start = now();
	ret = least_squares_add(problem, &source);
	lower_to(&times->observe, now() - start);
	if (!ret)
		ret = prune(layer, problem, times);
	least_squares_destroy(problem);
	return ret;
}

static void print_part(const char *name, double seconds, double operations,
		       double rate)
{
	double bound = operations / rate;

	printf("%-28s %7.3f s  bound %7.3f s  %5.2f\n", name, seconds, bound,
	       seconds / bound);
}

static void print(const struct times *times)
{
	double d = COLUMNS, r = ROWS, n = OBSERVATIONS;
	double rate = times->gemm_rate;

	printf("%d x %d, %d observations, one thread\n", ROWS, COLUMNS,
	       OBSERVATIONS);
	printf("sgemm %.1f Gflop/s, ssyrk %.0f %% of it (goal 90)\n",
	       rate / 1e9, 100 * times->syrk_rate / rate);
	print_part("H: N*d^2", times->observe, n * d * d, rate);
	print_part("potrf + trtri: 2/3*d^3", times->factor, d * d * d * 2 / 3,
		   rate);
	print_part("sweep: r*d^2", times->sweep, r * d * d, rate);
	print_part("layer (goal 1.30)",
		   times->observe + times->factor + times->sweep,
		   n * d * d + d * d * d * 2 / 3 + r * d * d, rate);
}

int main(void)
{
	struct times times = { 0 };
	struct layer layer;
	int ret = blas_init();

	if (!ret)
		ret = layer_create(&layer);
	if (ret) {
		fprintf(stderr, "no memory, or no OpenBLAS\n");
		return EXIT_FAILURE;
	}
	for (int i = 0; i < ROUNDS && !ret; i++) {
		measure_blas(&layer, &times);
		ret = run(&layer, &times);
	}
	if (!ret)
		print(&times);
	layer_release(&layer);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
