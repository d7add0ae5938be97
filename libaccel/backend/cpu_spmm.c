/* SPDX-License-Identifier: MIT */
#include <backend/cpu_layer.h>

#include <core/checked.h>
#include <core/error.h>
#include <golden/table.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Accumulators that are worked on at a time: they and a row of the input stay in
 * the first-level cache while all non-zeros of a weight row pass.
 */
#define TILE_ELEMENTS 4096

/**
 * struct spmm_run - one layer at work
 * @input: x − x_zero of all channels: with |w| ≤ 128 a product fits into 16 bits
 * @grid: the result
 * @tile_rows: rows of the result in a tile
 * @accumulator: of a tile
 * @codes: the tile after requantization
 */
struct spmm_run {
	const struct cpu_run *run;
	const struct model_layer *layer;
	const struct model_spmm *spmm;
	struct model_extent in, out;
	struct model_grid grid;
	size_t batch;
	int16_t *input;
	uint32_t tile_rows;
	int32_t *accumulator;
	void *codes;
};

/* accumulator += weight · x, modulo 2³² */
static void add_scaled(int32_t *accumulator, const int16_t *x, size_t count,
		       int16_t weight)
{
	for (size_t i = 0; i < count; i++) {
		int16_t product = (int16_t)(weight * x[i]);

		accumulator[i] =
			(int32_t)((uint32_t)accumulator[i] + (uint32_t)product);
	}
}

/* Result columns [begin, end) whose tap kx lies inside the input. */
static void column_range(const struct spmm_run *state, int64_t offset,
			 int64_t *begin, int64_t *end)
{
	int64_t stride = state->spmm->window.stride_width;
	int64_t width = state->in.width;

	*begin = offset < 0 ? (-offset + stride - 1) / stride : 0;
	*end = width > offset ? (width - offset + stride - 1) / stride : 0;
	if (*end > state->grid.width)
		*end = state->grid.width;
}

/* One non-zero times one row of the result; x is the input row. */
static void add_tap_row(const struct spmm_run *state, int32_t *accumulator,
			const int16_t *x, int64_t offset, int16_t weight)
{
	int64_t stride = state->spmm->window.stride_width;
	size_t batch = state->batch;
	int64_t begin, end;

	column_range(state, offset, &begin, &end);
	if (begin >= end)
		return;
	if (stride == 1) {
		add_scaled(accumulator + (size_t)begin * batch,
			   x + (size_t)(begin + offset) * batch,
			   (size_t)(end - begin) * batch, weight);
		return;
	}
	for (int64_t column = begin; column < end; column++)
		add_scaled(accumulator + (size_t)column * batch,
			   x + (size_t)(column * stride + offset) * batch,
			   batch, weight);
}

/* One non-zero, column k of the matrix, times the rows of a tile. */
static void add_tap(const struct spmm_run *state, uint32_t k, int16_t weight,
		    uint32_t first, uint32_t rows)
{
	const struct model_window *window = &state->spmm->window;
	uint32_t taps = window->kernel_height * window->kernel_width;
	uint32_t channel = k / taps, tap = k % taps;
	int64_t dy = (int64_t)(tap / window->kernel_width) *
			     window->dilation_height -
		     state->grid.pad_top;
	int64_t dx =
		(int64_t)(tap % window->kernel_width) * window->dilation_width -
		state->grid.pad_left;
	size_t result_row = state->grid.width * state->batch;
	size_t input_row = state->in.width * state->batch;

	for (uint32_t y = 0; y < rows; y++) {
		int64_t row = (int64_t)(first + y) * window->stride_height + dy;

		if (row < 0 || row >= state->in.height)
			continue;
		add_tap_row(state, state->accumulator + y * result_row,
			    state->input + ((size_t)channel * state->in.height +
					    (size_t)row) *
						   input_row,
			    dx, weight);
	}
}

/* Taps in the padding read x_zero and would add nothing; they are left out. */
static void accumulate(const struct spmm_run *state, uint32_t m, uint32_t first,
		       uint32_t rows)
{
	const struct model_csr *weights = &state->spmm->weights;
	size_t count = rows * state->grid.width * state->batch;

	for (size_t i = 0; i < count; i++)
		state->accumulator[i] = state->spmm->bias[m];
	for (int64_t i = weights->row_start[m]; i < weights->row_start[m + 1];
	     i++)
		add_tap(state, (uint32_t)weights->column[i], weights->value[i],
			first, rows);
}

/* Requantize, table, residual; the result is where store() takes it from. */
static const void *finish_int8(const struct spmm_run *state, uint32_t m,
			       uint32_t first, uint32_t rows)
{
	const struct model_spmm *spmm = state->spmm;
	const struct cpu_run *run = state->run;
	size_t row = state->grid.width * state->batch;
	float input_scale =
		cpu_quantization(run, state->layer->inputs[0]).scale;
	int8_t *codes = state->codes;

	golden_requantize_row(state->accumulator, rows * row,
			      golden_output_scale(input_scale,
						  spmm->weight_scale[m],
						  spmm->accumulator.scale),
			      spmm->accumulator.zero, codes);
	if (spmm->table)
		golden_table_apply_row(
			spmm->table + (spmm->table_per_row ?
					       (size_t)m * GOLDEN_TABLE_SIZE :
					       0),
			codes, rows * row, codes);
	if (spmm->residual != MODEL_NO_TENSOR)
		golden_add_row(
			codes, model_table_quantization(spmm),
			(const int8_t *)run->values[spmm->residual] +
				((size_t)m * state->grid.height + first) * row,
			cpu_quantization(run, spmm->residual),
			cpu_quantization(run, state->layer->outputs[0]),
			rows * row, codes);
	return codes;
}

static const void *finish_float32(const struct spmm_run *state, uint32_t m,
				  uint32_t rows)
{
	size_t count = rows * state->grid.width * state->batch;
	float input_scale =
		cpu_quantization(state->run, state->layer->inputs[0]).scale;
	float scale = input_scale * state->spmm->weight_scale[m];
	float *values = state->codes;

	for (size_t i = 0; i < count; i++)
		values[i] = golden_rescale(state->accumulator[i], scale);
	return values;
}

/*
 * One row of the result to one row of the destination: column x goes to
 * x·step + first and the replicas after it.
 */
static void store_row(const struct spmm_run *state, char *destination,
		      const char *source, size_t bytes, uint32_t first)
{
	const struct model_spmm *spmm = state->spmm;
	size_t step = (size_t)spmm->shuffle_width * spmm->replicate_width;

	if (step == 1) {
		size_t width = state->out.width < state->grid.width ?
				       state->out.width :
				       state->grid.width;

		memcpy(destination, source, width * bytes);
		return;
	}
	for (size_t x = 0; x < state->grid.width; x++) {
		for (size_t r = 0; r < spmm->replicate_width; r++) {
			size_t column = x * step + first + r;

			if (column < state->out.width)
				memcpy(destination + column * bytes,
				       source + x * bytes, bytes);
		}
	}
}

/* Shuffle, replicate, crop. */
static void store(const struct spmm_run *state, const void *tile, uint32_t m,
		  uint32_t first, uint32_t rows)
{
	const struct model_spmm *spmm = state->spmm;
	int32_t tensor = state->layer->outputs[0];
	size_t bytes =
		state->batch *
		cpu_element_size(state->run->model->tensors[tensor].type);
	uint32_t phase_x = m % spmm->shuffle_width;
	uint32_t phase_y = m / spmm->shuffle_width % spmm->shuffle_height;
	size_t channel =
		m / ((size_t)spmm->shuffle_width * spmm->shuffle_height);
	size_t step = (size_t)spmm->shuffle_height * spmm->replicate_height;

	for (uint32_t y = 0; y < rows; y++) {
		for (size_t r = 0; r < spmm->replicate_height; r++) {
			size_t row = (first + y) * step + phase_y + r;

			if (row >= state->out.height)
				continue;
			store_row(state,
				  (char *)state->run->values[tensor] +
					  (channel * state->out.height + row) *
						  state->out.width * bytes,
				  (const char *)tile +
					  y * state->grid.width * bytes,
				  bytes, phase_x);
		}
	}
}

static int run_tile(const struct spmm_run *state, uint32_t m, uint32_t first,
		    uint32_t rows)
{
	int32_t tensor = state->layer->outputs[0];
	const void *tile = state->accumulator;

	accumulate(state, m, first, rows);
	switch (state->run->model->tensors[tensor].type) {
	case MODEL_INT8:
		tile = finish_int8(state, m, first, rows);
		break;
	case MODEL_FLOAT32:
		tile = finish_float32(state, m, rows);
		break;
	case MODEL_INT32:
		break;
	}
	store(state, tile, m, first, rows);
	return cpu_run_cancelled(state->run);
}

static int run_rows(const struct spmm_run *state)
{
	int ret = 0;

	for (uint32_t m = 0; !ret && m < state->spmm->weights.rows; m++) {
		uint32_t first = 0;

		while (!ret && first < state->grid.height) {
			uint32_t rows = state->grid.height - first;

			if (rows > state->tile_rows)
				rows = state->tile_rows;
			ret = run_tile(state, m, first, rows);
			first += rows;
		}
	}
	return ret;
}

/* Memory for the widened input and a tile. */
static int allocate(struct spmm_run *state)
{
	size_t elements = state->batch, row, tile;
	bool fits;

	fits = checked_multiply(elements, state->in.channels, &elements) &&
	       checked_multiply(elements, state->in.height, &elements) &&
	       checked_multiply(elements, state->in.width, &elements) &&
	       checked_multiply(elements, sizeof(int16_t), &elements) &&
	       checked_multiply(state->grid.width, state->batch, &row);
	if (fits) {
		state->tile_rows = row < TILE_ELEMENTS ?
					   (uint32_t)(TILE_ELEMENTS / row) :
					   1;
		if (state->tile_rows > state->grid.height)
			state->tile_rows = state->grid.height;
		fits = checked_multiply(row * state->tile_rows, sizeof(int32_t),
					&tile);
	}
	if (!fits)
		return accel_error(-EOVERFLOW, "layer '%s' is too large",
				   state->layer->name);
	state->input = malloc(elements);
	state->accumulator = malloc(tile);
	state->codes = malloc(tile);
	if (!state->input || !state->accumulator || !state->codes)
		return accel_error(
			-ENOMEM,
			"no memory for layer '%s'; use a smaller input or batch",
			state->layer->name);
	return 0;
}

/* Once for all rows of the matrix. */
static void widen_input(struct spmm_run *state)
{
	int32_t tensor = state->layer->inputs[0];
	const int8_t *codes = state->run->values[tensor];
	int16_t zero = (int16_t)cpu_quantization(state->run, tensor).zero;
	size_t count =
		state->in.channels * cpu_channel_elements(state->run, tensor);

	for (size_t i = 0; i < count; i++)
		state->input[i] = (int16_t)(codes[i] - zero);
}

int cpu_spmm_run(const struct cpu_run *run, const struct model_layer *layer)
{
	struct spmm_run state = {
		.run = run,
		.layer = layer,
		.spmm = &layer->spmm,
		.in = run->extents[layer->inputs[0]],
		.out = run->extents[layer->outputs[0]],
		.batch = run->batch,
	};
	int ret = model_spmm_grid(&layer->spmm, &state.in, &state.grid);

	if (ret)
		return ret;
	ret = allocate(&state);
	if (!ret) {
		widen_input(&state);
		ret = run_rows(&state);
	}
	free(state.input);
	free(state.accumulator);
	free(state.codes);
	return ret;
}
