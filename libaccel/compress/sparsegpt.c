// SPDX-License-Identifier: MIT
#include <compress/parallel.h>
#include <compress/prune.h>
#include <compress/sparsegpt.h>
#include <core/error.h>

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Columns of a block: weights behind it learn what it lost by one matrix product.
 * Within it, the same is done by strips, and within a strip weight by weight, for so
 * many rows at once as registers and the first cache hold.
 */
enum { BLOCK = 128, STRIP = 32, TILE = 16 };

/* Parts that the rows are dealt out in, and how many rows one may have. */
enum { PARTS = 8, PART_MAX = 512 };

/**
 * struct block - a run over a block of columns, for its threads
 * @sweep: of all
 * @first: column
 * @end: column behind it
 * @part: rows of a part
 */
struct block {
	const struct sparsegpt *sweep;
	size_t first;
	size_t end;
	size_t part;
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

static float score_of(const struct sparsegpt *sweep, size_t row, size_t column)
{
	size_t columns = sweep->hessian->columns;
	float scaled = sweep->weights[row * columns + column] /
		       sweep->hessian->factor[column * columns + column];
	float score = scaled * scaled;

	return isfinite(score) ? score : HUGE_VALF;
}

/* Living weights of a block, column after column: scores in, or choices out. */
static void score_block(const struct block *block, float *scores)
{
	const struct sparsegpt *sweep = block->sweep;

	for (size_t row = 0; row < sweep->rows; row++)
		for (size_t j = block->first; j < block->end; j++)
			if (!sweep->hessian->dead[j])
				*scores++ = score_of(sweep, row, j);
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
 * struct rows - of a part, within a block
 * @sweep: of all
 * @first: row
 * @count: how many
 * @block: column that the block begins with
 * @errors: [@count][BLOCK], what each weight lost, over U[j][j]
 */
struct rows {
	const struct sparsegpt *sweep;
	size_t first;
	size_t count;
	size_t block;
	float *errors;
};

/* What becomes of a weight. */
static float settle(const struct sparsegpt *sweep, size_t row, size_t column,
		    float weight)
{
	float step, code, most = (float)sweep->code_max;

	if (!sweep->keep[row * sweep->hessian->columns + column])
		return 0;
	if (!sweep->row_scales)
		return weight;
	step = sweep->row_scales[row];
	code = rintf(weight / step);
	return step * fminf(fmaxf(code, -most), most);
}

/* One column of a tile: settle it, and let the strip's others take over. */
static void settle_column(const struct rows *rows, size_t row, size_t count,
			  size_t column, float (*tile)[TILE], size_t width)
{
	const struct sparsegpt *sweep = rows->sweep;
	const float *u = sweep->hessian->factor +
			 column * sweep->hessian->columns + column;
	float error[TILE] = { 0 };

	for (size_t i = 0; i < count; i++) {
		float old = tile[0][i];

		tile[0][i] = settle(sweep, row + i, column, old);
		error[i] = (old - tile[0][i]) / u[0];
		rows->errors[(row + i - rows->first) * BLOCK + column -
			     rows->block] = error[i];
	}
	for (size_t k = 1; k < width; k++)
		for (size_t i = 0; i < TILE; i++)
			tile[k][i] -= u[k] * error[i];
}

static void sweep_tile(const struct rows *rows, size_t row, size_t first,
		       size_t end)
{
	const struct sparsegpt *sweep = rows->sweep;
	size_t columns = sweep->hessian->columns;
	size_t count = smaller(TILE, rows->first + rows->count - row);
	float tile[STRIP][TILE] = { 0 };

	for (size_t i = 0; i < count; i++)
		for (size_t j = first; j < end; j++)
			tile[j - first][i] =
				sweep->weights[(row + i) * columns + j];
	for (size_t j = first; j < end; j++)
		settle_column(rows, row, count, j, tile + (j - first), end - j);
	for (size_t i = 0; i < count; i++)
		for (size_t j = first; j < end; j++)
			sweep->weights[(row + i) * columns + j] =
				tile[j - first][i];
}

/* Columns from … end − 1 learn what first … last − 1 lost. */
static void update(const struct rows *rows, size_t first, size_t last,
		   size_t end)
{
	const struct sparsegpt *sweep = rows->sweep;
	size_t columns = sweep->hessian->columns;

	if (last == end)
		return;
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows->count,
		    (int)(end - last), (int)(last - first), -1,
		    rows->errors + (first - rows->block), BLOCK,
		    sweep->hessian->factor + first * columns + last,
		    (int)columns, 1,
		    sweep->weights + rows->first * columns + last,
		    (int)columns);
}

static int sweep_part(void *context, int index)
{
	const struct block *block = context;
	const struct sparsegpt *sweep = block->sweep;
	struct rows rows = {
		.sweep = sweep,
		.first = (size_t)index * block->part,
		.block = block->first,
	};

	rows.count = smaller(block->part, sweep->rows - rows.first);
	rows.errors = malloc(rows.count * BLOCK * sizeof(*rows.errors));
	if (!rows.errors)
		return -ENOMEM;
	for (size_t first = block->first; first < block->end; first += STRIP) {
		size_t end = smaller(first + STRIP, block->end);

		for (size_t row = 0; row < rows.count; row += TILE)
			sweep_tile(&rows, rows.first + row, first, end);
		update(&rows, first, end, block->end);
	}
	update(&rows, block->first, block->end, sweep->hessian->columns);
	free(rows.errors);
	return 0;
}

/* By the number of rows alone: the threads are not to matter. */
static size_t choose_part(size_t rows)
{
	size_t part = (rows + PARTS - 1) / PARTS;

	part = (part + TILE - 1) / TILE * TILE;
	return smaller(part, PART_MAX);
}

int sparsegpt_sweep(const struct sparsegpt *sweep)
{
	struct block block = { .sweep = sweep,
			       .part = choose_part(sweep->rows) };
	int ret = 0;

	if (!sweep->rows)
		return 0;
	for (; block.first < weights_of(sweep) && !ret; block.first += BLOCK) {
		block.end = smaller(block.first + BLOCK, weights_of(sweep));
		if (sweep->select)
			ret = select_block(&block);
		if (!ret)
			ret = parallel_run(
				sweep->workers,
				(int)((sweep->rows + block.part - 1) /
				      block.part),
				sweep_part, &block);
	}
	return ret ? accel_error(ret, "no memory to prune %zu weights",
				 sweep->rows * weights_of(sweep)) :
		     0;
}
