/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <golden/arithmetic.h>
#include <sim/deadline.h>
#include <sim/lower_spmm.h>
#include <sim/spmm.h>

/* All of it at once: M is at most SPMM_ROWS_MAX. */
static bool parameters_allocate(struct spmm_run *run)
{
	uint64_t rows = run->d.rows;
	uint64_t tables = run->d.flags & SPMM_FLAG_TABLE_PER_ROW ? rows : 1;

	run->biases = malloc(rows * sizeof(*run->biases));
	run->scales = malloc(rows * sizeof(*run->scales));
	run->tables = malloc(tables * 256);
	return run->biases && run->scales && run->tables;
}

static int parameters_read(struct spmm_run *run)
{
	struct sim_execution *execution = run->execution;
	const struct spmm_descriptor *d = &run->d;
	uint32_t tables = d->flags & SPMM_FLAG_TABLE_PER_ROW ? d->rows : 1;

	if (!parameters_allocate(run))
		return execution_fail(execution, SPMM_SC_INTERNAL, 0);
	if (execution_read(execution, d->biases, run->biases, d->rows * 4ul))
		return execution->status;
	if ((d->flags & (SPMM_FLAG_TABLE | SPMM_FLAG_TABLE_PER_ROW)) &&
	    execution_read(execution, d->tables, run->tables, tables * 256ul))
		return execution->status;
	if (d->output_type == SPMM_OUTPUT_INT32)
		return 0;
	if (execution_read(execution, d->scales, run->scales, d->rows * 4ul))
		return execution->status;
	for (uint32_t row = 0; row < d->rows; row++)
		if (!scale_valid(run->scales[row]))
			return execution_fail(execution,
					      SPMM_SC_DESCRIPTOR_SCALE, row);
	return 0;
}

/* Where each non-zero finds its operand; the same for every tile. */
static int taps_build(struct spmm_run *run)
{
	uint32_t columns = run->d.columns;
	uint32_t *offset = malloc(columns * sizeof(*offset));
	bool built = false;

	if (offset) {
		for (uint32_t k = 0; k < columns; k++)
			offset[k] = (uint32_t)window_offset(&run->window, k);
		built = matrix_taps(run->matrix, offset, &run->taps,
				    &run->row_taps);
	}
	free(offset);
	return built ? 0 : execution_fail(run->execution, SPMM_SC_INTERNAL, 0);
}

/* Sizes are bounded by window_setup(), whatever the descriptor says. */
static int buffers_allocate(struct spmm_run *run)
{
	uint64_t columns = window_columns(&run->window);

	run->element = run->d.output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
	run->row_bytes = columns * run->element;
	run->stage = malloc(run->window.stage_bytes + KERNEL_SLACK);
	run->sums = malloc(columns * sizeof(*run->sums));
	run->result = malloc(run->row_bytes * run->d.rows);
	run->line = malloc(spmm_line_bytes(run));
	if (!run->stage || !run->sums || !run->result || !run->line)
		return execution_fail(run->execution, SPMM_SC_INTERNAL, 0);
	return 0;
}

static void run_free(struct spmm_run *run)
{
	free(run->taps);
	free(run->row_taps);
	free(run->scales);
	free(run->biases);
	free(run->tables);
	free(run->stage);
	free(run->sums);
	free(run->result);
	free(run->line);
}

/* Accumulators of some columns of a row become output elements. */
static void row_epilogue(const struct spmm_run *run, uint32_t row,
			 uint64_t count, uint8_t *out)
{
	const struct spmm_descriptor *d = &run->d;
	int8_t zero = d->flags ? d->accumulator_zero : d->output.zero;

	switch (d->output_type) {
	case SPMM_OUTPUT_INT8:
		golden_requantize_row(run->sums, count, run->scales[row], zero,
				      (int8_t *)out);
		return;
	case SPMM_OUTPUT_INT32:
		for (uint64_t i = 0; i < count; i++)
			((int32_t *)out)[i] = run->sums[i];
		return;
	case SPMM_OUTPUT_FLOAT32:
		for (uint64_t i = 0; i < count; i++)
			((float *)out)[i] =
				golden_rescale(run->sums[i], run->scales[row]);
		return;
	}
}

static void row_compute(struct spmm_run *run, uint32_t row, const uint8_t *x,
			uint64_t count, uint8_t *out)
{
	uint64_t begin = run->row_taps[row];
	/* Σ w·(x − zero) = Σ w·(x + bias) − (zero + bias)·Σ w, modulo 2^32. */
	uint32_t start = (uint32_t)run->biases[row] -
			 (uint32_t)(run->d.input.zero + KERNEL_BIAS) *
				 (uint32_t)run->matrix->row_sum[row];

	run->kernel(run->taps + begin, run->row_taps[row + 1] - begin, x, start,
		    count, run->sums);
	row_epilogue(run, row, count, out);
}

/* A run of columns for all rows, in blocks that stay in the L1 cache. */
static void columns_compute(struct spmm_run *run, uint64_t stage_offset,
			    uint64_t result_offset, uint64_t count)
{
	for (uint64_t i = 0; i < count; i += KERNEL_SLACK) {
		uint64_t part = count - i;
		uint8_t *out = run->result + (result_offset + i) * run->element;

		if (part > KERNEL_SLACK)
			part = KERNEL_SLACK;
		for (uint32_t row = 0; row < run->d.rows; row++) {
			row_compute(run, row, run->stage + stage_offset + i,
				    part, out);
			out += run->row_bytes;
		}
	}
}

static int tile_compute(struct spmm_run *run, const struct window_tile *tile)
{
	const struct window *window = &run->window;
	uint64_t used = (tile->width - 1ul) * window->batch_size + tile->depth;

	if (window_stage(run->execution, window, tile, run->stage))
		return run->execution->status;
	kernel_stage(run->stage, window->stage_bytes);
	/* What lies between merged rows is computed, too, and not stored. */
	if (window->merged)
		columns_compute(run, 0, 0,
				(tile->height - 1ul) * window->pitch + used);
	else
		for (uint32_t y = 0; y < tile->height; y++)
			columns_compute(run, y * window->pitch,
					y * window->result_pitch, used);
	if (spmm_store(run, tile))
		return run->execution->status;
	return execution_checkpoint(run->execution);
}

static uint32_t rest(uint32_t total, uint32_t at, uint32_t size)
{
	return total - at < size ? total - at : size;
}

/* Rows of tiles from top to bottom, as the lowered ones are. */
static int tiles_compute(struct spmm_run *run)
{
	const struct spmm_descriptor *d = &run->d;
	const struct window *window = &run->window;
	struct window_tile tile;

	for (tile.y = 0; tile.y < d->height; tile.y += tile.height) {
		tile.height = rest(d->height, tile.y, window->y.size);
		for (tile.x = 0; tile.x < d->width; tile.x += tile.width) {
			tile.width = rest(d->width, tile.x, window->x.size);
			for (tile.b = 0; tile.b < d->batch;
			     tile.b += tile.depth) {
				tile.depth = rest(d->batch, tile.b,
						  window->batch_size);
				if (tile_compute(run, &tile))
					return run->execution->status;
			}
		}
	}
	return 0;
}

static void run_execute(struct spmm_run *run)
{
	struct sim_execution *execution = run->execution;
	const struct sim_stream stream = {
		run->d.weights, run->d.weights_length, run->d.rows,
		run->d.columns, run->d.kernel_height,  run->d.kernel_width
	};

	run->matrix = matrix_load(execution, &stream);
	if (!run->matrix || parameters_read(run))
		return;
	spmm_lower(execution, &run->d, run->matrix);
	if (execution->status)
		return;
	/* Better now than after a minute of functional execution. */
	if (deadline_hopeless(execution, execution->work.compute_cycles)) {
		execution_fail(execution, SPMM_SC_TIMEOUT,
			       execution->work.compute_cycles);
		return;
	}
	window_setup(&run->window, &run->d);
	if (taps_build(run) || buffers_allocate(run))
		return;
	tiles_compute(run);
}

void spmm_execute(struct sim_execution *execution)
{
	struct spmm_run run = { .execution = execution,
				.kernel = kernel_choose() };
	int status;

	if (execution_read_descriptor(execution, &run.d, sizeof(run.d)))
		return;
	status = spmm_check(&run.d);
	if (status) {
		execution_fail(execution, status, execution->entry->address);
		return;
	}
	run_execute(&run);
	run_free(&run);
}
