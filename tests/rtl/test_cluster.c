/* SPDX-License-Identifier: MIT */
/*
 * A cluster computes what the golden arithmetic does in the cycles that the packer
 * promised: its C model, and with ACCEL_RTL_CLUSTER the RTL, which is the same in
 * every clock.
 */
#include "matrix.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <accel/error.h>
#include <compress/lower.h>
#include <compress/onnx_import.h>
#include <pack/mapping.h>
#include <spmm/descriptor.h>

#include "tile.h"

#define RANDOM_TILES 600
#define FLOAT_TILES 24

static void print_totals(const char *what, const struct tile_totals *totals)
{
	print_message(
		"%s: %lu tasks, %lu rows, %lu cycles and %lu stalled, fill up to %lu, tail %lu to %lu\n",
		what, totals->tasks, totals->rows, totals->cycles,
		totals->stalls, totals->fill_max, totals->tail_min,
		totals->tail_max);
}

static uint32_t random_columns(enum matrix_kind kind, uint64_t *seed)
{
	uint32_t columns =
		1 + random_below(seed, random_below(seed, 4) ? 200 : 1500);

	if (kind == MATRIX_PATTERN || kind == MATRIX_NEARLY)
		columns = (columns + 15) & ~15u;
	return columns;
}

static void random_tile(struct lockstep *lockstep, uint64_t *seed,
			struct tile_totals *totals)
{
	static const double densities[] = { 1, 0.5, 0.2, 0.1, 0.02, 0.002 };
	enum matrix_kind kind = random_below(seed, MATRIX_KINDS);
	double density = densities[random_below(seed, 6)];
	uint32_t rows = 1 + random_below(seed, random_below(seed, 3) ? 60 : 4);
	uint32_t columns = random_columns(kind, seed);
	struct model_csr matrix;
	struct tile tile = {
		.matrix = &matrix,
		.row_groups = 1 + random_below(seed, 4),
		.vectors = 1 + random_below(seed, 2),
		.seed = random_next(seed),
		.output_type = (uint8_t)random_below(seed, 3),
	};

	if (kind == MATRIX_PATTERN || kind == MATRIX_NEARLY)
		density = 1 + random_below(seed, 2);
	matrix = matrix_random(kind, rows, columns, density, seed);
	tile_run(lockstep, &tile, totals);
	matrix_free(&matrix);
}

static void test_random_tiles(void **state)
{
	struct tile_totals totals = { 0 };
	struct lockstep lockstep;
	uint64_t seed = 20240607;

	(void)state;
	lockstep_open(&lockstep);
	for (int i = 0; i < RANDOM_TILES; i++)
		random_tile(&lockstep, &seed, &totals);
	lockstep_close(&lockstep);
	print_totals("random tiles", &totals);
}

/* Any scale: products that are subnormal, halfway between two, infinite. */
static void test_rounding(void **state)
{
	struct tile_totals totals = { 0 };
	struct lockstep lockstep;
	uint64_t seed = 4711;

	(void)state;
	lockstep_open(&lockstep);
	for (int i = 0; i < FLOAT_TILES; i++) {
		struct model_csr matrix =
			matrix_random(MATRIX_UNIFORM, 400, 8, 0.2, &seed);
		const struct tile tile = {
			.matrix = &matrix,
			.row_groups = 1,
			.vectors = 1,
			.seed = random_next(&seed),
			.output_type = i % 2 ? SPMM_OUTPUT_FLOAT32 :
					       SPMM_OUTPUT_INT8,
			.any_scale = true,
		};

		tile_run(&lockstep, &tile, &totals);
		matrix_free(&matrix);
	}
	lockstep_close(&lockstep);
	print_totals("any scale", &totals);
}

/* The weights of a model, with ranges that do not matter here. */
static struct model *model_import(const char *path)
{
	struct lower_options options = { 0 };
	struct quantize_range *ranges;
	struct model *model = NULL;
	struct graph *graph;

	if (onnx_import(path, &graph))
		fail_msg("%s: %s", path, accel_last_error());
	ranges = calloc((size_t)graph->tensor_count + 1, sizeof(*ranges));
	assert_non_null(ranges);
	for (int i = 0; i < graph->tensor_count; i++)
		ranges[i] = (struct quantize_range){ -1, 1 };
	options.ranges = ranges;
	if (graph_lower(graph, &options, &model))
		fail_msg("%s: %s", path, accel_last_error());
	free(ranges);
	graph_destroy(graph);
	return model;
}

/* In one to four parts, so that parts share rows, too. */
static void run_layer(struct lockstep *lockstep, const struct model_spmm *layer,
		      uint64_t seed, struct tile_totals *totals)
{
	const struct tile tile = {
		.matrix = &layer->weights,
		.row_groups = 1 + (uint32_t)(seed % 4),
		.vectors = 1,
		.seed = seed,
		.output_type = SPMM_OUTPUT_INT8,
	};

	tile_run(lockstep, &tile, totals);
}

static void run_model(struct lockstep *lockstep, const char *path)
{
	struct model *model = model_import(path);
	struct tile_totals totals = { 0 };
	uint32_t left_out = 0;

	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_layer *layer = &model->layers[i];

		if (layer->op != MODEL_SPMM)
			continue;
		if (layer->spmm.weights.columns > CLUSTER_COLUMNS_MAX)
			left_out++;
		else
			run_layer(lockstep, &layer->spmm, i + 1, &totals);
	}
	model_destroy(model);
	print_totals(strrchr(path, '/') + 1, &totals);
	if (left_out)
		print_message("%u layers have more columns than the buffer\n",
			      left_out);
}

static void test_real_layers(void **state)
{
	const char *folder = getenv("ACCEL_TEST_MODELS");
	struct lockstep lockstep;
	char pattern[PATH_MAX];
	glob_t files;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/*.onnx", folder ? folder : ".");
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	lockstep_open(&lockstep);
	for (size_t i = 0; i < files.gl_pathc; i++)
		run_model(&lockstep, files.gl_pathv[i]);
	lockstep_close(&lockstep);
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_tiles),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_real_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
