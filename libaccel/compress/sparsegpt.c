// SPDX-License-Identifier: MIT
#include <compress/parallel.h>
#include <compress/prune.h>
#include <compress/sparsegpt.h>
#include <core/error.h>

#include <cblas.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Weights of a block are chosen together. The columns behind a panel learn what it lost
 * by one matrix product, as large as to be worth reading them; within it the same is
 * done by blocks, within these by strips, and within a strip weight by weight, for so
 * many rows at once as registers and the first cache hold.
 */
enum { PANEL = 512, BLOCK = 128, STRIP = 32, TILE = 32 };

/* Parts that the rows are dealt out in, and how many rows one may have. */
enum { PARTS = 8, PART_MAX = 1024 };

/**
 * struct block - a run over a block of columns, for its threads
 * @sweep: of all
 * @panel: column that its panel begins with
 * @first: column
 * @end: column behind it
 * @part: rows of a part
 * @errors: [rows][PANEL], what each weight of the panel lost, over U[j][j]
 */
struct block {
	const struct sparsegpt *sweep;
	size_t panel;
	size_t first;
	size_t end;
	size_t part;
	float *errors;
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Columns that may be pruned and rounded. */
static size_t weights_of(const struct sparsegpt *sweep)
{
	return sweep->hessian->columns - sweep->constant;
}

/* ---- which go ---- */

/* Living weights of a block, row after row. */
static void score_block(const struct block *block, float *scores)
{
	const struct sparsegpt *sweep = block->sweep;
	size_t columns = sweep->hessian->columns, count = 0;
	size_t index[BLOCK];
	float scale[BLOCK];

	for (size_t j = block->first; j < block->end; j++)
		if (!sweep->hessian->dead[j]) {
			scale[count] =
				1 / sweep->hessian->factor[j * columns + j];
			index[count++] = j;
		}
	for (size_t row = 0; row < sweep->rows; row++)
		for (size_t i = 0; i < count; i++) {
			float scaled =
				sweep->weights[row * columns + index[i]] *
				scale[i];
			float score = scaled * scaled;

			*scores++ = score <= FLT_MAX ? score : FLT_MAX;
		}
}

static void write_choice(const struct block *block, const uint8_t *choice)
{
	const struct sparsegpt *sweep = block->sweep;

	for (size_t row = 0; row < sweep->rows; row++) {
		uint8_t *keep = sweep->keep + row * sweep->hessian->columns;

		for (size_t j = block->first; j < block->end; j++)
			keep[j] = sweep->hessian->dead[j] ? 0 : *choice++;
	}
}

static size_t living(const struct sparsegpt *sweep, size_t end)
{
	size_t count = 0;

	for (size_t j = 0; j < end; j++)
		count += !sweep->hessian->dead[j];
	return count;
}

/* Every block keeps its part; the sum over all blocks is exact. */
static size_t kept_before(const struct sparsegpt *sweep, size_t end)
{
	size_t all = living(sweep, weights_of(sweep));
	size_t keep = smaller(sweep->keep_count, all * sweep->rows);

	return all ? (size_t)((unsigned __int128)keep * living(sweep, end) /
			      all) :
		     0;
}

static int select_block(const struct block *block)
{
	const struct sparsegpt *sweep = block->sweep;
	size_t count =
		(living(sweep, block->end) - living(sweep, block->first)) *
		sweep->rows;
	float *scores = malloc((count + 1) * sizeof(*scores));
	uint8_t *choice = malloc(count + 1);
	int ret = -ENOMEM;

	if (scores && choice) {
		score_block(block, scores);
		ret = prune_select(scores, count,
				   kept_before(sweep, block->end) -
					   kept_before(sweep, block->first),
				   choice);
	}
	if (!ret)
		write_choice(block, choice);
	free(scores);
	free(choice);
	return ret;
}

/* ---- what the others take over ---- */

/**
 * struct tile - a strip of some rows, column after column
 * @weights: as they become
 * @errors: what they lost, over U[j][j]
 * @keep: from the mask
 * @scales: of the rows, in each grid
 */
struct tile {
	float weights[STRIP][TILE];
	float errors[STRIP][TILE];
	uint8_t keep[STRIP][TILE];
	float scales[COLUMN_GRIDS_MAX][TILE];
};

/* Rows and columns of a tile, or of a part. */
struct range {
	size_t row, rows;
	size_t first, end;
};

static void load_tile(const struct sparsegpt *sweep, struct range range,
		      struct tile *tile)
{
	size_t columns = sweep->hessian->columns;

	for (size_t i = 0; i < range.rows; i++) {
		const float *weights =
			sweep->weights + (range.row + i) * columns;
		const uint8_t *keep = sweep->keep + (range.row + i) * columns;

		for (size_t j = range.first; j < range.end; j++) {
			tile->weights[j - range.first][i] = weights[j];
			tile->keep[j - range.first][i] = keep[j];
		}
		for (int g = 0; g < sweep->grid_count; g++)
			tile->scales[g][i] =
				sweep->grids[g].row_scales[range.row + i];
	}
}

static void store_tile(const struct block *block, struct range range,
		       const struct tile *tile)
{
	const struct sparsegpt *sweep = block->sweep;
	size_t columns = sweep->hessian->columns;

	for (size_t i = 0; i < range.rows; i++) {
		float *weights = sweep->weights + (range.row + i) * columns;
		float *errors = block->errors + (range.row + i) * PANEL;

		for (size_t j = range.first; j < range.end; j++) {
			weights[j] = tile->weights[j - range.first][i];
			errors[j - block->panel] =
				tile->errors[j - range.first][i];
		}
	}
}

static float to_grid(float weight, float step, float most)
{
	return step * fminf(fmaxf(rintf(weight / step), -most), most);
}

/* The part of a column that stays becomes codes. */
static void round_column(const struct sparsegpt *sweep, struct tile *tile,
			 size_t column, float *weights)
{
	int grid = 0;
	float most;

	if (!sweep->grid_count)
		return;
	while (column >= sweep->grids[grid].end)
		grid++;
	most = (float)sweep->grids[grid].code_max;
	for (size_t i = 0; i < TILE; i++)
		weights[i] = to_grid(weights[i], tile->scales[grid][i], most);
}

/* One column of a tile: settle it, and let the strip's others take over. */
static void settle_column(const struct sparsegpt *sweep, struct tile *tile,
			  size_t column, size_t at, size_t width)
{
	const struct hessian *hessian = sweep->hessian;
	const float *u = hessian->factor + column * hessian->columns + column;
	float *weights = tile->weights[at], errors[TILE];
	float scale = 1 / u[0];

	for (size_t i = 0; i < TILE; i++) {
		float settled = tile->keep[at][i] ? weights[i] : 0;

		errors[i] = weights[i];
		weights[i] = settled;
	}
	round_column(sweep, tile, column, weights);
	for (size_t i = 0; i < TILE; i++)
		errors[i] = (errors[i] - weights[i]) * scale;
	memcpy(tile->errors[at], errors, sizeof(errors));
	for (size_t k = 1; k < width; k++) {
		float *others = tile->weights[at + k], factor = u[k];

		for (size_t i = 0; i < TILE; i++)
			others[i] -= factor * errors[i];
	}
}

static void sweep_tile(const struct block *block, struct range range)
{
	struct tile tile = { .errors = { { 0 } } };

	for (int g = 0; g < COLUMN_GRIDS_MAX; g++)
		for (size_t i = 0; i < TILE; i++)
			tile.scales[g][i] = 1;
	load_tile(block->sweep, range, &tile);
	for (size_t j = range.first; j < range.end; j++)
		settle_column(block->sweep, &tile, j, j - range.first,
			      range.end - j);
	store_tile(block, range, &tile);
}

/* Columns behind the range, up to end, learn what it lost. */
static void update(const struct block *block, struct range range, size_t end)
{
	const struct sparsegpt *sweep = block->sweep;
	size_t columns = sweep->hessian->columns;

	if (range.end >= end)
		return;
	cblas_sgemm(
		CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)range.rows,
		(int)(end - range.end), (int)(range.end - range.first), -1,
		block->errors + range.row * PANEL + range.first - block->panel,
		PANEL,
		sweep->hessian->factor + range.first * columns + range.end,
		(int)columns, 1,
		sweep->weights + range.row * columns + range.end, (int)columns);
}

static int sweep_part(void *context, int index)
{
	const struct block *block = context;
	size_t row = (size_t)index * block->part, last;
	size_t rows = smaller(block->part, block->sweep->rows - row);
	size_t columns = block->sweep->hessian->columns;
	size_t panel = smaller(block->panel + PANEL, weights_of(block->sweep));

	for (size_t j = block->first; j < block->end; j = last) {
		last = smaller(j + STRIP, block->end);
		for (size_t i = 0; i < rows; i += TILE)
			sweep_tile(block,
				   (struct range){ row + i,
						   smaller(TILE, rows - i), j,
						   last });
		update(block, (struct range){ row, rows, j, last }, block->end);
	}
	update(block, (struct range){ row, rows, block->first, block->end },
	       panel);
	if (block->end == panel)
		update(block, (struct range){ row, rows, block->panel, panel },
		       columns);
	return 0;
}

/* By the number of rows alone: the threads are not to matter. */
static size_t choose_part(size_t rows)
{
	size_t part = (rows + PARTS - 1) / PARTS;

	part = (part + TILE - 1) / TILE * TILE;
	return smaller(part, PART_MAX);
}

static int run_block(struct block *block, size_t first)
{
	const struct sparsegpt *sweep = block->sweep;
	size_t parts = (sweep->rows + block->part - 1) / block->part;
	int ret = 0;

	block->first = first;
	block->end = smaller(first + BLOCK, weights_of(sweep));
	block->panel = first / PANEL * PANEL;
	if (sweep->select)
		ret = select_block(block);
	return ret ? ret :
		     parallel_run(sweep->workers, (int)parts, sweep_part,
				  block);
}

int sparsegpt_sweep(const struct sparsegpt *sweep)
{
	struct block block = {
		.sweep = sweep,
		.part = choose_part(sweep->rows),
		.errors = malloc((sweep->rows + 1) * PANEL * sizeof(float)),
	};
	int ret = block.errors ? 0 : -ENOMEM;

	for (size_t j = 0; j < weights_of(sweep) && sweep->rows && !ret;
	     j += BLOCK)
		ret = run_block(&block, j);
	free(block.errors);
	return ret ? accel_error(ret, "no memory to prune %zu weights",
				 sweep->rows * weights_of(sweep)) :
		     0;
}
