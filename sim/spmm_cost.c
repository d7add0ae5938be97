/* SPDX-License-Identifier: MIT */
/*
 * What an SPMM asks of each part of the device. All clusters of a column group
 * work on the same columns, each on its row group's part of the weights, which
 * stream through the decoder once for every vector of columns.
 */
#include <plan/roof.h>
#include <sim/spmm.h>
#include <sim/traffic.h>

/* Results are streamed out in so many bands of image rows, at most. */
#define BANDS_MAX 16

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Elements of the input that the taps of one axis span. */
static uint64_t span(uint64_t results, uint32_t stride, uint32_t taps,
		     uint32_t dilation)
{
	return (results - 1) * stride + (taps - 1ull) * dilation + 1;
}

/*
 * Vectors of columns. A vector lies within one image row, or runs across rows
 * and computes the padding between them too: whichever takes fewer.
 */
static uint64_t vector_count(const struct spmm_descriptor *d, uint32_t width)
{
	uint64_t row = (uint64_t)d->width * d->batch;
	uint64_t halo = (d->kernel_width - 1ull) * d->dilation_width /
			d->stride_width * d->batch;
	uint64_t apart = d->height * divide_up(row, width);
	uint64_t across =
		divide_up((d->height - 1ull) * (row + halo) + row, width);

	return min_u64(apart, across);
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
 * Bytes that one cluster loads into its activation buffer. For each vector a line
 * of the input, one channel's image row under one vertical tap, is read once; the
 * write side of the buffer makes the rows of X of its horizontal taps from it.
 */
static uint64_t load_bytes(const struct sim_part *part, uint64_t vectors,
			   uint32_t vector_width)
{
	return part->lines * vectors * vector_width;
}

/* Loads of more rows of X than half of the buffer holds: nothing hides them. */
static uint64_t fill_cycles(const struct spmm_run *run,
			    const struct sim_part *part, uint64_t vectors,
			    uint32_t vector_width)
{
	const struct sim_config *config = &run->execution->device->config;
	uint64_t bytes = part->columns * vector_width;

	if (bytes <= config->activation_buffer / 2)
		return 0;
	return vectors *
	       divide_up(part->lines * vector_width, config->sram_port_bytes);
}

/* One cluster of the row group; the busiest cluster counts. */
static void part_cost(struct spmm_run *run, const struct sim_part *part,
		      uint64_t vectors, uint32_t vector_width)
{
	const struct sim_config *config = &run->execution->device->config;
	struct sim_work *work = &run->execution->work;
	uint64_t groups = run->matrix->mapping.column_groups;
	uint64_t element = run->d.output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
	uint64_t weights = vectors * part->bytes;
	uint64_t loads = load_bytes(part, vectors, vector_width);
	uint64_t results = (uint64_t)part->rows * vectors * vector_width;
	uint64_t epilogues = part->rows * divide_up(vectors * vector_width,
						    config->vector_width);
	uint64_t reads = weights + loads;
	uint64_t decoder = divide_up((part->slots + part->padding) * vectors,
				     config->decoder_rate);

	if (run->d.flags & SPMM_FLAG_RESIDUAL)
		reads += results;
	work->compute_cycles =
		max_u64(work->compute_cycles, part->cycles * vectors);
	work->epilogue_cycles =
		max_u64(work->epilogue_cycles,
			divide_up(epilogues, config->epilogue_rate));
	work->weight_cycles = max_u64(
		work->weight_cycles,
		max_u64(decoder, divide_up(weights, config->sram_port_bytes)));
	work->activation_cycles =
		max_u64(work->activation_cycles,
			divide_up(max_u64(reads, results * element),
				  config->sram_port_bytes));
	work->fill_cycles =
		max_u64(work->fill_cycles,
			fill_cycles(run, part, vectors, vector_width));
	work->sram_bytes += groups * (reads + results * element);
}

static void compute_cost(struct spmm_run *run)
{
	const struct sim_config *config = &run->execution->device->config;
	const struct sim_matrix *matrix = run->matrix;
	struct sim_work *work = &run->execution->work;
	uint32_t width = matrix->mapping.vector_width;
	uint32_t split = config->vector_width / width;
	uint64_t vectors = vector_count(&run->d, width);
	uint64_t share = divide_up(vectors, matrix->mapping.column_groups);
	uint64_t bank = 0;

	for (uint32_t p = 0; p < matrix->mapping.row_groups; p++) {
		const struct sim_part *part = &matrix->parts[p];

		part_cost(run, part, share, width);
		bank += (part->padding + part->bank_stalls) * vectors;
	}
	/* A lane-cycle issues as many half-width slots as a lane has halves. */
	work->issue_slots = matrix->nonzeros * vectors / split;
	work->bank_slots = bank / split;
	work->nonzeros = matrix->nonzeros;
	work->macs =
		matrix->nonzeros * run->d.height * run->d.width * run->d.batch;
	work->slot_macs = matrix->nonzeros * vectors * width;
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
