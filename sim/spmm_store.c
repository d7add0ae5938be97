/* SPDX-License-Identifier: MIT */
/*
 * The way of a computed tile to memory. The tile holds M rows in the order of the
 * matrix; a line is what goes to one row of the output at once.
 */
#include <string.h>

#include <golden/arithmetic.h>
#include <sim/spmm.h>

/* Where lines go: a row of an output plane, and a stretch of it. */
struct store_line {
	uint32_t channel;
	uint64_t y; /* row of the output */
	uint64_t x; /* first column of the output */
	uint64_t columns;
};

uint64_t spmm_line_bytes(const struct spmm_run *run)
{
	uint64_t widen =
		(uint64_t)run->d.shuffle_width * run->d.replicate_width;

	return run->window.result_pitch * widen * run->element;
}

static uint8_t *result_line(const struct spmm_run *run, uint32_t row,
			    uint32_t y)
{
	return run->result + row * run->row_bytes +
	       y * run->window.result_pitch * run->element;
}

/* One look-up for each value is what the hardware does, too. */
static void table_apply(const int8_t *table, int8_t *codes, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		codes[i] = table[codes[i] + 128];
}

/* The residual operand's part under a line of the tile. */
static int residual_read(struct spmm_run *run, const struct window_tile *tile,
			 uint32_t row, uint32_t y)
{
	const struct spmm_tensor *residual = &run->d.residual;
	uint64_t batch = run->d.batch;
	uint64_t at = residual->address + row * residual->channel_stride +
		      (uint64_t)(tile->y + y) * residual->row_stride +
		      tile->x * batch + tile->b;
	uint8_t *out = run->line;

	if (tile->depth == batch)
		return execution_read(run->execution, at, out,
				      tile->width * batch);
	for (uint32_t x = 0; x < tile->width; x++) {
		if (execution_read(run->execution, at, out, tile->depth))
			return run->execution->status;
		at += batch;
		out += run->window.batch_size;
	}
	return 0;
}

/*
 * Table and residual work in place on the codes that the epilogue made, with the
 * few values between the batch slices of a tile, which nobody reads.
 */
static int line_finish(struct spmm_run *run, const struct window_tile *tile,
		       uint32_t row, uint32_t y)
{
	const struct spmm_descriptor *d = &run->d;
	int8_t *codes = (int8_t *)result_line(run, row, y);
	uint64_t count =
		(tile->width - 1ul) * run->window.batch_size + tile->depth;
	const struct golden_quantization a = {
		float_of_bits(d->accumulator_scale), d->table_zero
	};
	const struct golden_quantization b = { float_of_bits(d->residual_scale),
					       d->residual.zero };
	const struct golden_quantization sum = { float_of_bits(d->output_scale),
						 d->output.zero };

	if (d->flags & SPMM_FLAG_TABLE)
		table_apply(run->tables, codes, count);
	else if (d->flags & SPMM_FLAG_TABLE_PER_ROW)
		table_apply(run->tables + row * 256ul, codes, count);
	if (!(d->flags & SPMM_FLAG_RESIDUAL))
		return 0;
	if (residual_read(run, tile, row, y))
		return run->execution->status;
	golden_add_row(codes, a, (const int8_t *)run->line, b, sum, count,
		       codes);
	return 0;
}

/* Writes a line, cut where the output ends. */
static int line_write(struct spmm_run *run, const struct window_tile *tile,
		      const struct store_line *line, const uint8_t *from)
{
	const struct spmm_tensor *output = &run->d.output;
	uint64_t column_bytes = (uint64_t)run->d.batch * run->element;
	uint64_t columns = line->columns;
	uint64_t at;

	if (line->y >= output->height || line->x >= output->width)
		return 0;
	if (columns > output->width - line->x)
		columns = output->width - line->x;
	at = output->address + line->channel * output->channel_stride +
	     line->y * output->row_stride + line->x * column_bytes +
	     (uint64_t)tile->b * run->element;
	if (tile->depth == run->d.batch)
		return execution_write(run->execution, at, from,
				       columns * column_bytes);
	for (uint64_t x = 0; x < columns; x++) {
		if (execution_write(run->execution, at, from,
				    (uint64_t)tile->depth * run->element))
			return run->execution->status;
		at += column_bytes;
		from += (uint64_t)run->window.batch_size * run->element;
	}
	return 0;
}

/* Rows c·r_h·r_w + i·r_w … + r_w − 1 interleave into one line of channel c. */
static int shuffle_store(struct spmm_run *run, const struct window_tile *tile,
			 uint32_t first_row, uint32_t y)
{
	uint32_t factor = run->d.shuffle_width;
	uint32_t block = run->d.shuffle_height * factor;
	uint64_t bytes = (uint64_t)run->window.batch_size * run->element;
	const struct store_line line = {
		.channel = first_row / block,
		.y = (uint64_t)(tile->y + y) * run->d.shuffle_height +
		     first_row % block / factor,
		.x = (uint64_t)tile->x * factor,
		.columns = (uint64_t)tile->width * factor,
	};
	uint8_t *out = run->line;

	if (factor == 1)
		return line_write(run, tile, &line,
				  result_line(run, first_row, y));
	for (uint32_t x = 0; x < tile->width; x++) {
		for (uint32_t j = 0; j < factor; j++) {
			memcpy(out,
			       result_line(run, first_row + j, y) + x * bytes,
			       bytes);
			out += bytes;
		}
	}
	return line_write(run, tile, &line, run->line);
}

static int replicate_store(struct spmm_run *run, const struct window_tile *tile,
			   uint32_t row, uint32_t y)
{
	const struct spmm_descriptor *d = &run->d;
	uint64_t bytes = (uint64_t)run->window.batch_size * run->element;
	const uint8_t *from = result_line(run, row, y);
	struct store_line line = {
		.channel = row,
		.y = (uint64_t)(tile->y + y) * d->replicate_height,
		.x = (uint64_t)tile->x * d->replicate_width,
		.columns = (uint64_t)tile->width * d->replicate_width,
	};

	/* Neither columns nor rows that are cropped, however many they are. */
	if (line.x >= d->output.width)
		return 0;
	if (line.columns > d->output.width - line.x)
		line.columns = d->output.width - line.x;
	for (uint64_t x = 0; x < line.columns; x++)
		memcpy(run->line + x * bytes,
		       from + x / d->replicate_width * bytes, bytes);
	for (uint32_t i = 0; i < d->replicate_height; i++, line.y++) {
		if (line.y >= d->output.height)
			break;
		if (line_write(run, tile, &line, run->line))
			return run->execution->status;
	}
	return 0;
}

static int line_store(struct spmm_run *run, const struct window_tile *tile,
		      uint32_t row, uint32_t y)
{
	const struct spmm_descriptor *d = &run->d;

	if (d->replicate_height > 1 || d->replicate_width > 1)
		return replicate_store(run, tile, row, y);
	if (row % d->shuffle_width)
		return 0; /* stored with the first row of its line */
	return shuffle_store(run, tile, row, y);
}

/* First all rows are finished, since a shuffled line needs several of them. */
int spmm_store(struct spmm_run *run, const struct window_tile *tile)
{
	bool finish = run->d.flags;

	for (uint32_t row = 0; finish && row < run->d.rows; row++)
		for (uint32_t y = 0; y < tile->height; y++)
			if (line_finish(run, tile, row, y))
				return run->execution->status;
	for (uint32_t row = 0; row < run->d.rows; row++)
		for (uint32_t y = 0; y < tile->height; y++)
			if (line_store(run, tile, row, y))
				return run->execution->status;
	return 0;
}
