/* SPDX-License-Identifier: MIT */
/*
 * What an SPMM asks of each part of the device. All clusters of a column group
 * work on the same columns, each on its row group's part of the weights, which
 * stream through the decoder once for every vector of columns.
 */
#include <core/integer.h>
#include <plan/roof.h>
#include <sim/spmm.h>
#include <sim/traffic.h>

/* Results are streamed out in so many bands of image rows, at most. */
#define BANDS_MAX 16

/* Elements of the input that the taps of one axis span. */
static uint64_t span(uint64_t results, uint32_t stride, uint32_t taps,
		     uint32_t dilation)
{
	return (results - 1) * stride + (taps - 1ull) * dilation + 1;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/**
 * struct columns - how N is cut
 * @width: of a vector
 * @vectors: of all N columns
 * @share: vectors of a column group
 * @segments: pieces of lines for the busiest group: a vector that runs across
 *	the end of an image row takes two
 */
struct columns {
	uint32_t width;
	uint64_t vectors;
	uint64_t share;
	uint64_t segments;
};

static struct columns columns_cut(const struct spmm_run *run)
{
	const struct spmm_descriptor *d = &run->d;
	const struct mapping *mapping = &run->matrix->mapping;
	uint64_t row = (uint64_t)d->width * d->batch;
	uint64_t period =
		mapping->vector_width / gcd(row, mapping->vector_width);
	uint64_t ends = d->height - 1ull;
	struct columns columns = { .width = mapping->vector_width };
	uint64_t segments;

	columns.vectors = divide_up(row * d->height, columns.width);
	columns.share = divide_up(columns.vectors, mapping->column_groups);
	/* Every period-th end of a row is also the end of a vector. */
	segments = columns.vectors + ends - ends / period;
	columns.segments = divide_up(segments, mapping->column_groups);
	return columns;
}

static uint64_t output_bytes(const struct spmm_run *run)
{
	const struct spmm_descriptor *d = &run->d;
	uint64_t height =
		(uint64_t)d->height * d->shuffle_height * d->replicate_height;
	uint64_t width =
		(uint64_t)d->width * d->shuffle_width * d->replicate_width;

	height = min_u64(height, d->output.height);
	width = min_u64(width, d->output.width);
	return height * width * d->output.channels * d->batch *
	       (d->output_type == SPMM_OUTPUT_INT8 ? 1 : 4);
}

/*
 * Cycles of loads that nothing hides, because the rows of X for one vector take
 * more than half of the buffer.
 */
static uint64_t fill_cycles(const struct spmm_run *run,
			    const struct sim_part *part,
			    const struct columns *columns)
{
	const struct sim_config *config = &run->execution->device->config;

	if (part->columns * columns->width <= config->activation_buffer / 2)
		return 0;
	return divide_up(part->lines * columns->segments * columns->width,
			 config->sram_port_bytes);
}

/*
 * Bytes through the ports of a cluster. For each vector a line of the input, one
 * channel's image row under one vertical tap, is read once; the write side of the
 * buffer makes the rows of X of its horizontal taps from it.
 */
static void part_port_cost(struct spmm_run *run, const struct sim_part *part,
			   const struct columns *columns)
{
	const struct sim_config *config = &run->execution->device->config;
	struct sim_work *work = &run->execution->work;
	uint64_t element = run->d.output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
	uint64_t weights = columns->share * part->bytes;
	uint64_t loads = part->lines * columns->segments * columns->width;
	uint64_t results = part->rows * columns->share * columns->width;
	uint64_t reads = weights + loads;
	uint64_t decoder =
		divide_up((part->slots + part->padding) * columns->share,
			  config->decoder_rate);

	if (run->d.flags & SPMM_FLAG_RESIDUAL)
		reads += results;
	work->weight_cycles = max_u64(
		work->weight_cycles,
		max_u64(decoder, divide_up(weights, config->sram_port_bytes)));
	work->activation_cycles =
		max_u64(work->activation_cycles,
			divide_up(max_u64(reads, results * element),
				  config->sram_port_bytes));
	work->sram_bytes += run->matrix->mapping.column_groups *
			    (reads + results * element);
}

/* One cluster of the row group; the busiest cluster counts. */
static void part_cost(struct spmm_run *run, const struct sim_part *part,
		      const struct columns *columns)
{
	const struct sim_config *config = &run->execution->device->config;
	struct sim_work *work = &run->execution->work;
	uint64_t epilogues =
		part->rows * divide_up(columns->share * columns->width,
				       config->vector_width);

	work->compute_cycles =
		max_u64(work->compute_cycles, part->cycles * columns->share);
	work->epilogue_cycles =
		max_u64(work->epilogue_cycles,
			divide_up(epilogues, config->epilogue_rate));
	work->fill_cycles =
		max_u64(work->fill_cycles, fill_cycles(run, part, columns));
	part_port_cost(run, part, columns);
}

static void compute_cost(struct spmm_run *run)
{
	const struct sim_config *config = &run->execution->device->config;
	const struct sim_matrix *matrix = run->matrix;
	struct sim_work *work = &run->execution->work;
	struct columns columns = columns_cut(run);
	uint32_t split = config->vector_width / columns.width;
	uint64_t bank = 0;

	for (uint32_t p = 0; p < matrix->mapping.row_groups; p++) {
		const struct sim_part *part = &matrix->parts[p];

		part_cost(run, part, &columns);
		bank += (part->padding + part->bank_stalls) * columns.vectors;
	}
	/* A lane-cycle issues as many half-width slots as a lane has halves. */
	work->issue_slots = matrix->nonzeros * columns.vectors / split;
	work->bank_slots = bank / split;
	work->nonzeros = matrix->nonzeros;
	work->macs =
		matrix->nonzeros * run->d.height * run->d.width * run->d.batch;
	work->slot_macs = matrix->nonzeros * columns.vectors * columns.width;
	/* Reads and writes have rates of their own; about half is each. */
	work->activation_cycles = max_u64(
		work->activation_cycles,
		divide_up(work->sram_bytes, 2ull * config->sram_total_bytes));
}

static void parameters_traffic(struct spmm_run *run)
{
	const struct spmm_descriptor *d = &run->d;
	struct sim_execution *execution = run->execution;

	traffic_read_weights(execution, d->weights, d->weights_length,
			     d->weights_hint);
	traffic_read_weights(execution, d->biases, d->rows * 4ull,
			     d->weights_hint);
	if (d->output_type != SPMM_OUTPUT_INT32)
		traffic_read_weights(execution, d->scales, d->rows * 4ull,
				     d->weights_hint);
	if (d->flags & SPMM_FLAG_TABLE)
		traffic_read_weights(execution, d->tables, 256,
				     d->weights_hint);
	else if (d->flags & SPMM_FLAG_TABLE_PER_ROW)
		traffic_read_weights(execution, d->tables, d->rows * 256ull,
				     d->weights_hint);
}

/* The last input row that result rows before y need, plus one. */
static uint32_t input_end(const struct spmm_descriptor *d, uint32_t y)
{
	int64_t end = (int64_t)span(y, d->stride_height, d->kernel_height,
				    d->dilation_height) -
		      (int32_t)d->pad_top;

	if (y == d->height || end > d->input.height)
		return d->input.height;
	return end < 0 ? 0 : (uint32_t)end;
}

static uint32_t output_end(const struct spmm_descriptor *d, uint32_t y)
{
	uint64_t end = (uint64_t)y * d->shuffle_height * d->replicate_height;

	return (uint32_t)min_u64(end, d->output.height);
}

/* Activations, band by band, so that what is dead makes room for results. */
static void activations_traffic(struct spmm_run *run, uint32_t bands)
{
	const struct spmm_descriptor *d = &run->d;
	struct sim_execution *execution = run->execution;
	uint64_t element = d->output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
	uint64_t width =
		(uint64_t)d->width * d->shuffle_width * d->replicate_width;
	struct traffic_rows in = { &d->input, 0, 0,
				   (uint64_t)d->input.width * d->batch };
	struct traffic_rows add = { &d->residual, 0, 0,
				    (uint64_t)d->width * d->batch };
	struct traffic_rows out = { &d->output, 0, 0,
				    min_u64(width, d->output.width) * d->batch *
					    element };

	for (uint32_t band = 1; band <= bands; band++) {
		uint32_t y = (uint32_t)((uint64_t)d->height * band / bands);

		in.end = max_u64(in.first, input_end(d, y));
		add.end = y;
		out.end = output_end(d, y);
		traffic_read_rows(execution, &in);
		if (d->flags & SPMM_FLAG_RESIDUAL) {
			traffic_read_rows(execution, &add);
			traffic_finish_rows(execution, &add);
		}
		traffic_write_rows(execution, &out);
		traffic_finish_rows(execution, &in);
		in.first = in.end;
		add.first = add.end;
		out.first = out.end;
	}
}

void spmm_cost(struct spmm_run *run)
{
	const struct spmm_descriptor *d = &run->d;
	struct sim_execution *execution = run->execution;
	uint64_t input = (uint64_t)d->input.channels * d->input.height *
			 d->input.width * d->batch;
	uint64_t output = output_bytes(run);
	uint64_t add =
		d->flags & SPMM_FLAG_RESIDUAL ?
			(uint64_t)d->rows * d->height * d->width * d->batch :
			0;
	uint64_t total = input + output + add;
	uint32_t bands = 1;

	if (total > execution->device->config.sram_bytes / 2)
		bands = (uint32_t)min_u64(BANDS_MAX, d->height);
	compute_cost(run);
	parameters_traffic(run);
	activations_traffic(run, bands);
	execution->work.compulsory_bytes =
		total + roof_weight_bytes(run->matrix->nonzeros, d->rows,
					  d->columns, d->weights_length);
}
