/* SPDX-License-Identifier: MIT */
/*
 * An SPMM in tiles: bands of image rows, which read the rows of the input that no band
 * before has read, and wait for those that store them.
 */
#include <core/integer.h>
#include <plan/roof.h>
#include <sim/lower.h>
#include <sim/lower_spmm.h>
#include <sim/traffic.h>
#include <sim/traversal.h>

/* At most so many tiles; more where they stream through the SRAM. */
#define TILES_MAX 16
#define TILES_STREAMED_MAX 64

/**
 * struct spmm_lowering - an SPMM that is being lowered
 * @in: input rows of the present tile that none before has read
 * @add: rows of the residual operand
 * @out: rows of the output
 * @dead: input rows before it are needed no more
 */
struct spmm_lowering {
	struct sim_execution *execution;
	const struct spmm_descriptor *d;
	const struct sim_matrix *matrix;
	struct traversal traversal;
	struct traffic_rows in, add, out;
	uint32_t in_operand, add_operand, out_operand;
	uint32_t dead;
};

static uint64_t element_bytes(const struct spmm_descriptor *d)
{
	return d->output_type == SPMM_OUTPUT_INT8 ? 1 : 4;
}

/* The first input row that result rows from y on need. */
static uint32_t input_first(const struct spmm_descriptor *d, uint32_t y)
{
	int64_t first = (int64_t)y * d->stride_height - (int32_t)d->pad_top;

	if (first < 0)
		return 0;
	return (uint32_t)min_u64((uint64_t)first, d->input.height);
}

/* The last input row that result rows before y need, plus one. */
static uint32_t input_end(const struct spmm_descriptor *d, uint32_t y)
{
	int64_t end = (y - 1ll) * d->stride_height +
		      (d->kernel_height - 1ll) * d->dilation_height + 1 -
		      (int32_t)d->pad_top;

	if (end < 0)
		return 0;
	return (uint32_t)min_u64((uint64_t)end, d->input.height);
}

static uint32_t output_end(const struct spmm_descriptor *d, uint32_t y)
{
	uint64_t end = (uint64_t)y * d->shuffle_height * d->replicate_height;

	return (uint32_t)min_u64(end, d->output.height);
}

static void parameter_read(struct spmm_lowering *l, uint64_t address,
			   uint64_t length)
{
	lower_parameters(l->execution, address, length);
	traffic_read(l->execution, address, length, l->d->weights_hint);
}

static void parameters_lower(struct spmm_lowering *l)
{
	const struct spmm_descriptor *d = l->d;

	parameter_read(l, d->weights, d->weights_length);
	parameter_read(l, d->biases, d->rows * 4ull);
	if (d->output_type != SPMM_OUTPUT_INT32)
		parameter_read(l, d->scales, d->rows * 4ull);
	if (d->flags & SPMM_FLAG_TABLE)
		parameter_read(l, d->tables, 256);
	else if (d->flags & SPMM_FLAG_TABLE_PER_ROW)
		parameter_read(l, d->tables, d->rows * 256ull);
	lower_weights(l->execution);
}

static void operands_setup(struct spmm_lowering *l)
{
	const struct spmm_descriptor *d = l->d;
	struct hazard_record *record = &lower_current(l->execution)->record;
	uint64_t width =
		(uint64_t)d->width * d->shuffle_width * d->replicate_width;

	l->in = (struct traffic_rows){ .tensor = &d->input,
				       .row_bytes = (uint64_t)d->input.width *
						    d->batch };
	l->add = (struct traffic_rows){ .tensor = &d->residual,
					.row_bytes = l->traversal.row };
	l->out =
		(struct traffic_rows){ .tensor = &d->output,
				       .row_bytes =
					       min_u64(width, d->output.width) *
					       d->batch * element_bytes(d) };
	l->in_operand =
		hazard_operand(record, &d->input, l->in.row_bytes, false);
	l->out_operand =
		hazard_operand(record, &d->output, l->out.row_bytes, true);
	if (d->flags & SPMM_FLAG_RESIDUAL)
		l->add_operand = hazard_operand(record, &d->residual,
						l->add.row_bytes, false);
}

static uint32_t passes_lower(struct spmm_lowering *l, uint64_t vectors)
{
	const struct mapping *mapping = &l->matrix->mapping;
	struct sim_work *work = &l->execution->work;
	uint32_t first = 0;

	for (uint32_t p = 0; p < mapping->row_groups; p++) {
		struct engine_pass pass;
		uint32_t index;

		traversal_pass(&l->traversal, vectors, p, &pass);
		work->sram_bytes +=
			vectors * (pass.weight_bytes + pass.line_bytes +
				   pass.store_bytes);
		index = lower_pass(l->execution, &pass);
		if (!p)
			first = index;
	}
	return first;
}

static void residual_lower(struct spmm_lowering *l,
			   const struct traversal_tile *band,
			   struct engine_tile *tile)
{
	struct sim_execution *execution = l->execution;
	const struct hazard_rows rows = { band->first, band->end };

	if (!(l->d->flags & SPMM_FLAG_RESIDUAL))
		return;
	lower_touch(execution, l->add_operand, rows, tile);
	l->add.first = l->add.end;
	l->add.end = band->end;
	traffic_read_rows(execution, &l->add);
	traffic_finish_rows(execution, &l->add);
}

static void input_lower(struct spmm_lowering *l,
			const struct traversal_tile *band,
			struct engine_tile *tile)
{
	const struct spmm_descriptor *d = l->d;
	const struct hazard_rows rows = { input_first(d, band->first),
					  input_end(d, band->end) };

	lower_touch(l->execution, l->in_operand, rows, tile);
	l->in.first = l->in.end;
	l->in.end = (uint32_t)max_u64(l->in.end, rows.end);
	/* Rows that no window sees are still the operand's. */
	if (band->end == d->height)
		l->in.end = d->input.height;
	traffic_read_rows(l->execution, &l->in);
}

/* Drops the input rows that no later tile needs. */
static void input_finish(struct spmm_lowering *l,
			 const struct traversal_tile *band)
{
	const struct spmm_descriptor *d = l->d;
	struct traffic_rows rows = l->in;

	rows.first = l->dead;
	rows.end = band->stored == d->height ? d->input.height :
					       input_first(d, band->stored);
	rows.end = (uint32_t)min_u64(rows.end, l->in.end);
	if (rows.end <= rows.first)
		return;
	traffic_finish_rows(l->execution, &rows);
	l->dead = rows.end;
}

static void output_lower(struct spmm_lowering *l, uint32_t end,
			 struct engine_tile *tile)
{
	struct hazard_rows rows;

	l->out.first = l->out.end;
	l->out.end = output_end(l->d, end);
	rows = (struct hazard_rows){ l->out.first, l->out.end };
	lower_touch(l->execution, l->out_operand, rows, tile);
	traffic_write_rows(l->execution, &l->out);
}

static void tile_lower(struct spmm_lowering *l, uint32_t index)
{
	struct engine_tile tile = { 0 };
	struct traversal_tile band;

	traversal_tile(&l->traversal, index, &band);
	tile.vectors = band.vectors;
	tile.passes = passes_lower(l, band.vectors);
	/* Reads first, so that what is dead makes room for results. */
	input_lower(l, &band, &tile);
	residual_lower(l, &band, &tile);
	output_lower(l, band.stored, &tile);
	input_finish(l, &band);
	lower_tile(l->execution, &tile);
}

static uint64_t operands_bytes(const struct spmm_lowering *l)
{
	const struct spmm_descriptor *d = l->d;
	uint64_t bytes =
		d->input.channels * (uint64_t)d->input.height * l->in.row_bytes;

	bytes += d->output.channels * (uint64_t)output_end(d, d->height) *
		 l->out.row_bytes;
	if (d->flags & SPMM_FLAG_RESIDUAL)
		bytes += d->rows * (uint64_t)d->height * l->add.row_bytes;
	return bytes;
}

static void work_set(struct spmm_lowering *l)
{
	const struct spmm_descriptor *d = l->d;
	const struct sim_matrix *matrix = l->matrix;
	const struct traversal *t = &l->traversal;
	struct sim_work *work = &l->execution->work;
	uint64_t share = divide_up(t->vectors, matrix->mapping.column_groups);

	for (uint32_t p = 0; p < matrix->mapping.row_groups; p++) {
		struct engine_pass pass;

		traversal_pass(t, t->vectors, p, &pass);
		work->compute_cycles =
			max_u64(work->compute_cycles,
				share * max_u64(pass.compute_cycles,
						pass.epilogue_cycles));
	}
	work->nonzeros = matrix->nonzeros;
	work->macs = matrix->nonzeros * t->row * d->height;
	work->slot_macs = matrix->nonzeros * t->vectors * t->width;
	work->compulsory_bytes =
		operands_bytes(l) + roof_weight_bytes(matrix->nonzeros, d->rows,
						      d->columns,
						      d->weights_length);
}

/* More than half of the SRAM: results have to leave while the input comes. */
static uint32_t tiles_max(const struct spmm_lowering *l)
{
	const struct sim_config *config = &l->execution->device->config;

	return operands_bytes(l) > config->sram_bytes / 2 ? TILES_STREAMED_MAX :
							    TILES_MAX;
}

void spmm_lower(struct sim_execution *execution,
		const struct spmm_descriptor *d,
		const struct sim_matrix *matrix)
{
	struct spmm_lowering l = { .execution = execution,
				   .d = d,
				   .matrix = matrix };
	struct lowering *lowering = lower_begin(execution, ENGINE_ARRAY);

	if (!lowering)
		return;
	lowering->command.row_groups = matrix->mapping.row_groups;
	lowering->command.column_groups = matrix->mapping.column_groups;
	l.traversal.row = (uint64_t)d->width * d->batch;
	operands_setup(&l);
	traversal_choose(&execution->device->config, d, matrix, tiles_max(&l),
			 &l.traversal);
	lowering->command.single_buffer =
		matrix_single_buffer(&execution->device->config, matrix);
	work_set(&l);
	lowering->command.macs = execution->work.macs;
	parameters_lower(&l);
	for (uint32_t i = 0; i < l.traversal.tiles && !execution->status; i++)
		tile_lower(&l, i);
}
