/* SPDX-License-Identifier: MIT */
#include <core/integer.h>
#include <sim/traversal.h>

/* More tiles may cost one part in so many. */
#define TILES_COST 64

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Bytes of one line of the input under a piece of a result row. */
static uint64_t line_bytes(const struct spmm_descriptor *d, uint64_t values)
{
	uint64_t columns, span;

	/* A slice of the batch: each horizontal tap has its own. */
	if (values <= d->batch)
		return min_u64(d->kernel_width, d->input.width) * values;
	columns = divide_up(values, d->batch);
	span = (columns - 1) * d->stride_width +
	       (d->kernel_width - 1ull) * d->dilation_width + 1;
	span = min_u64(span, columns * d->kernel_width);
	return min_u64(span, d->input.width) * d->batch;
}

/* Lines of a channel under the window, those between the taps included. */
static uint64_t window_lines(const struct spmm_descriptor *d)
{
	return (d->kernel_height - 1ull) * d->dilation_height + 1;
}

/* Lines of a part's first vector of a strip. */
static uint64_t lines_first(const struct traversal *t,
			    const struct sim_part *part)
{
	if (t->d->dilation_height == 1)
		return part->lines;
	return part->channels * window_lines(t->d);
}

/* Lines of each vector below it. */
static uint64_t lines_next(const struct traversal *t,
			   const struct sim_part *part)
{
	return min_u64(lines_first(t, part),
		       part->channels * t->d->stride_height);
}

/* Bytes of a line under the columns that go down together, of a slice of the batch. */
static uint64_t slices_bytes(const struct traversal *t)
{
	const struct spmm_descriptor *d = t->d;
	uint64_t span = (t->columns - 1) * d->stride_width +
			(d->kernel_width - 1ull) * d->dilation_width + 1;

	span = min_u64(span, t->columns * d->kernel_width);
	return min_u64(span, d->input.width) * t->values;
}

/* Bytes of a line for each vector. */
static uint64_t vector_line_bytes(const struct traversal *t)
{
	if (t->columns == 1)
		return line_bytes(t->d, t->values);
	return divide_up(slices_bytes(t), t->columns);
}

/*
 * Vectors of a tile that do not lie below the one before: strips are put one after the
 * other, top to bottom, and cut into equal parts, one for each column group.
 */
static uint64_t tile_starts(const struct traversal *t, uint64_t vectors)
{
	uint64_t groups = t->matrix->mapping.column_groups;
	uint64_t strips = divide_up(t->strips, t->columns);
	uint64_t starts = strips + groups - gcd(strips, groups);

	return min_u64(starts * t->columns, vectors);
}

static uint64_t pass_line_bytes(const struct traversal *t, uint64_t vectors,
				const struct sim_part *part)
{
	uint64_t line = vector_line_bytes(t);
	uint64_t starts, lines;

	if (!t->vertical) {
		uint64_t piece = divide_up(t->row * t->d->height, t->segments);

		line = divide_up(line_bytes(t->d, piece) * t->segments,
				 t->vectors);
		return part->lines * line;
	}
	starts = tile_starts(t, vectors);
	lines = starts * lines_first(t, part) +
		(vectors - starts) * lines_next(t, part);
	return divide_up(lines * line, vectors);
}

static uint64_t element_bytes(const struct spmm_descriptor *d)
{
	return d->output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
}

void matrix_pass(const struct sim_config *config,
		 const struct sim_matrix *matrix, uint32_t row_group,
		 struct engine_pass *out)
{
	const struct sim_part *part = &matrix->parts[row_group];
	uint32_t split = config->vector_width / matrix->mapping.vector_width;
	uint64_t slots = part->cycles * config->lanes;

	*out = (struct engine_pass){
		.compute_cycles = part->cycles,
		/* A lane-cycle issues as many half slots as a lane has halves. */
		.issue_slots = min_u64(divide_up(part->slots, split), slots),
		.weight_bytes = part->bytes,
		.fill_cycles =
			divide_up(part->columns, config->buffer_fill_rows),
		.decoder_cycles = divide_up(part->slots + part->padding,
					    config->decoder_rate),
		/* Two half vectors are finished as one. */
		.epilogue_cycles = divide_up(
			part->rows, (uint64_t)config->epilogue_rate * split),
	};
	out->bank_slots =
		min_u64(divide_up(part->padding + part->bank_stalls, split),
			slots - out->issue_slots);
}

void traversal_pass(const struct traversal *t, uint64_t tile_vectors,
		    uint32_t row_group, struct engine_pass *out)
{
	const struct spmm_descriptor *d = t->d;
	const struct sim_part *part = &t->matrix->parts[row_group];
	uint64_t results = part->rows * t->values;

	matrix_pass(t->config, t->matrix, row_group, out);
	out->line_bytes = pass_line_bytes(t, tile_vectors, part);
	if (d->flags & SPMM_FLAG_RESIDUAL)
		out->line_bytes += results;
	out->store_bytes = results * element_bytes(d) * d->replicate_height *
			   d->replicate_width;
}

/* Of its port, decoder, write side and lanes, the one that takes longest. */
static uint64_t pass_cycles(const struct traversal *t,
			    const struct engine_pass *pass)
{
	const struct sim_config *config = t->config;
	uint64_t port = config->sram_port_bytes;
	uint64_t lines =
		max_u64(divide_up(pass->line_bytes, port), pass->fill_cycles);
	uint64_t weights = max_u64(divide_up(pass->weight_bytes, port),
				   pass->decoder_cycles);
	uint64_t lanes = max_u64(pass->compute_cycles, weights);
	uint64_t store = max_u64(pass->epilogue_cycles,
				 divide_up(pass->store_bytes, port));
	uint64_t both = divide_up(pass->line_bytes + pass->weight_bytes, port);

	/* Nothing hides the lines of a buffer that is filled as a whole. */
	if (matrix_single_buffer(config, t->matrix))
		return max_u64(lines + lanes, store);
	return max_u64(max_u64(both, lines), max_u64(lanes, store));
}

/* Of the busiest cluster, or of the network between them and the SRAM. */
static uint64_t traversal_cycles(const struct traversal *t, uint32_t tiles)
{
	const struct mapping *mapping = &t->matrix->mapping;
	uint64_t bytes = 0, longest = 0;

	for (uint32_t p = 0; p < mapping->row_groups; p++) {
		struct engine_pass pass;

		traversal_pass(t, max_u64(t->vectors / tiles, 1), p, &pass);
		longest = max_u64(longest, pass_cycles(t, &pass));
		bytes += max_u64(pass.weight_bytes + pass.line_bytes,
				 pass.store_bytes);
	}
	longest = max_u64(longest, divide_up(bytes * mapping->column_groups,
					     t->config->sram_total_bytes));
	return divide_up(t->vectors, mapping->column_groups) * longest;
}

bool matrix_single_buffer(const struct sim_config *config,
			  const struct sim_matrix *matrix)
{
	const struct mapping *mapping = &matrix->mapping;

	for (uint32_t p = 0; p < mapping->row_groups; p++)
		if (matrix->parts[p].columns * mapping->vector_width >
		    config->activation_buffer / 2)
			return true;
	return false;
}

static void flat_setup(struct traversal *t)
{
	uint64_t period = t->width / gcd(t->row, t->width);
	uint64_t ends = t->d->height - 1ull;

	t->vertical = false;
	t->columns = 1;
	t->vectors = divide_up(t->row * t->d->height, t->width);
	/* Every period-th end of a row is also the end of a vector. */
	t->segments = t->vectors + ends - ends / period;
	t->values = divide_up(t->row * t->d->height, t->vectors);
}

static void vertical_setup(struct traversal *t)
{
	t->vertical = true;
	t->strips = divide_up(t->row, t->width);
	t->vectors = t->strips * t->d->height;
	t->values = divide_up(t->row, t->strips);
	t->columns = 1;
}

/* Is there something to reuse, and a place to keep it? */
static bool vertical_fits(const struct traversal *t)
{
	uint64_t line = t->columns == 1 ? line_bytes(t->d, t->values) :
					  slices_bytes(t);

	if (t->d->height == 1 || t->d->kernel_height == 1)
		return false;
	for (uint32_t p = 0; p < t->matrix->mapping.row_groups; p++)
		if (t->matrix->parts[p].channels * window_lines(t->d) * line >
		    t->config->line_buffer)
			return false;
	return true;
}

/* The cheapest number of columns that go down together; false: not even one fits. */
static bool columns_choose(struct traversal *t)
{
	struct traversal wider = *t;

	if (!vertical_fits(t))
		return false;
	if (t->values > t->d->batch)
		return true;
	for (wider.columns = 2; wider.columns <= t->d->width; wider.columns++) {
		if (!vertical_fits(&wider))
			break;
		if (traversal_cycles(&wider, 1) < traversal_cycles(t, 1))
			*t = wider;
	}
	return true;
}

static uint32_t tiles_choose(const struct traversal *t, uint32_t most)
{
	uint64_t least = traversal_cycles(t, 1);
	uint32_t tiles = (uint32_t)min_u64(most, t->d->height);

	while (tiles > 1 &&
	       traversal_cycles(t, tiles) > least + least / TILES_COST)
		tiles--;
	return tiles;
}

void traversal_choose(const struct sim_config *config,
		      const struct spmm_descriptor *d,
		      const struct sim_matrix *matrix, uint32_t tiles_max,
		      struct traversal *out)
{
	struct traversal vertical;

	*out = (struct traversal){
		.config = config,
		.d = d,
		.matrix = matrix,
		.row = (uint64_t)d->width * d->batch,
		.width = matrix->mapping.vector_width,
	};
	vertical = *out;
	flat_setup(out);
	vertical_setup(&vertical);
	if (columns_choose(&vertical) &&
	    traversal_cycles(&vertical, 1) <= traversal_cycles(out, 1))
		*out = vertical;
	out->tiles = tiles_choose(out, tiles_max);
}

static uint64_t share(uint64_t total, uint32_t index, uint32_t parts)
{
	return (uint64_t)((unsigned __int128)total * index / parts);
}

void traversal_tile(const struct traversal *t, uint32_t index,
		    struct traversal_tile *out)
{
	uint32_t height = t->d->height;
	uint64_t begin, end;

	if (t->vertical) {
		out->first = (uint32_t)share(height, index, t->tiles);
		out->end = (uint32_t)share(height, index + 1, t->tiles);
		out->stored = out->end;
		out->vectors = t->strips * (out->end - out->first);
		return;
	}
	begin = share(t->vectors, index, t->tiles);
	end = share(t->vectors, index + 1, t->tiles);
	out->vectors = end - begin;
	out->first = (uint32_t)(begin * t->width / t->row);
	out->end = (uint32_t)min_u64(divide_up(end * t->width, t->row), height);
	out->stored = index + 1 == t->tiles ?
			      height :
			      (uint32_t)(end * t->width / t->row);
}
