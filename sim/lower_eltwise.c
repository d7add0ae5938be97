/* SPDX-License-Identifier: MIT */
/*
 * An ELTWISE in bands of image rows. It is the epilogues' work, in pieces that keep all
 * clusters equally busy; the lanes have nothing to do.
 */
#include <core/integer.h>
#include <sim/lower.h>
#include <sim/lower_eltwise.h>
#include <sim/traffic.h>

#define TILES_MAX 16
/* Below this a tile is not worth its turn. */
#define TILE_BYTES_MIN 16384
/* Vectors of results in one piece. */
#define PIECE_VECTORS 32

/**
 * struct eltwise_lowering - an ELTWISE that is being lowered
 * @first: rows of the operands under the present tile; of @first, of a pool, only
 *	those that no tile before has read
 * @dead: rows of the first operand before it are needed no more
 */
struct eltwise_lowering {
	struct sim_execution *execution;
	const struct spmm_eltwise_descriptor *d;
	struct traffic_rows first, second, out;
	uint32_t first_operand, second_operand, out_operand;
	uint32_t tiles;
	uint32_t dead;
};

static uint64_t plane_bytes(const struct traffic_rows *rows)
{
	return rows->tensor->height * rows->row_bytes;
}

static void operands_setup(struct eltwise_lowering *l)
{
	const struct spmm_eltwise_descriptor *d = l->d;
	struct hazard_record *record = &lower_current(l->execution)->record;

	l->first =
		(struct traffic_rows){ .tensor = &d->first,
				       .row_bytes = (uint64_t)d->first.width *
						    d->batch };
	l->second =
		(struct traffic_rows){ .tensor = &d->second,
				       .row_bytes = (uint64_t)d->second.width *
						    d->batch };
	l->out = (struct traffic_rows){ .tensor = &d->output,
					.row_bytes = (uint64_t)d->output.width *
						     d->batch };
	l->first_operand =
		hazard_operand(record, &d->first, l->first.row_bytes, false);
	l->out_operand =
		hazard_operand(record, &d->output, l->out.row_bytes, true);
	if (eltwise_has_second(d))
		l->second_operand = hazard_operand(record, &d->second,
						   l->second.row_bytes, false);
}

/* Values that the epilogues see for each result. */
static uint64_t window_values(const struct spmm_eltwise_descriptor *d)
{
	return eltwise_is_pool(d) ?
		       (uint64_t)d->window_height * d->window_width :
		       1;
}

static uint64_t results_of(const struct eltwise_lowering *l, uint32_t rows)
{
	return l->d->output.channels * (uint64_t)rows * l->out.row_bytes;
}

/* The pieces that a tile's work is dealt in. */
static void pieces_lower(struct eltwise_lowering *l, uint64_t results,
			 uint64_t read_bytes, struct engine_tile *tile)
{
	const struct sim_config *config = &l->execution->device->config;
	uint64_t vector = (uint64_t)config->vector_width;
	uint64_t most = divide_up(results, vector * PIECE_VECTORS);
	uint64_t pieces = divide_up(most, config->clusters) * config->clusters;
	struct engine_pass pass = { 0 };

	pieces = max_u64(min_u64(pieces, divide_up(results, vector)), 1);
	pass.line_bytes = divide_up(read_bytes, pieces);
	pass.store_bytes = divide_up(results, pieces);
	pass.epilogue_cycles = divide_up(divide_up(pass.store_bytes, vector) *
						 window_values(l->d),
					 config->epilogue_rate);
	tile->vectors = pieces;
	tile->passes = lower_pass(l->execution, &pass);
	l->execution->work.sram_bytes +=
		pieces * (pass.line_bytes + pass.store_bytes);
	l->execution->work.compute_cycles +=
		divide_up(pieces, config->clusters) * pass.epilogue_cycles;
}

/* Rows of the first operand under result rows [first, end). */
static struct hazard_rows rows_under(const struct spmm_eltwise_descriptor *d,
				     uint32_t first, uint32_t end)
{
	int64_t begin, last;

	if (!eltwise_is_pool(d))
		return (struct hazard_rows){ first, end };
	begin = (int64_t)first * d->stride_height - (int32_t)d->pad_top;
	last = (end - 1ll) * d->stride_height +
	       (d->window_height - 1ll) * d->dilation_height + 1 -
	       (int32_t)d->pad_top;
	begin = begin < 0 ? 0 : begin;
	last = last < 0 ? 0 : last;
	return (struct hazard_rows){
		(uint32_t)min_u64((uint64_t)begin, d->first.height),
		(uint32_t)min_u64((uint64_t)last, d->first.height),
	};
}

/* The bytes that the clusters read for it; those of a window's overlap again. */
static uint64_t first_lower(struct eltwise_lowering *l, uint32_t y,
			    uint32_t end, struct engine_tile *tile)
{
	const struct spmm_eltwise_descriptor *d = l->d;
	struct hazard_rows rows = rows_under(d, y, end);

	lower_touch(l->execution, l->first_operand, rows, tile);
	l->first.first = l->first.end;
	l->first.end = (uint32_t)max_u64(l->first.end, rows.end);
	if (end == d->output.height)
		l->first.end = d->first.height;
	traffic_read_rows(l->execution, &l->first);
	return d->first.channels * (uint64_t)(rows.end - rows.first) *
	       l->first.row_bytes;
}

/* Rows that no later tile needs. */
static void first_finish(struct eltwise_lowering *l, uint32_t end)
{
	const struct spmm_eltwise_descriptor *d = l->d;
	struct traffic_rows rows = l->first;

	rows.first = l->dead;
	if (end < d->output.height)
		rows.end = (uint32_t)min_u64(rows_under(d, end, end + 1).first,
					     l->first.end);
	if (rows.end <= rows.first)
		return;
	traffic_finish_rows(l->execution, &rows);
	l->dead = rows.end;
}

static uint64_t second_lower(struct eltwise_lowering *l, uint32_t y,
			     uint32_t end, struct engine_tile *tile)
{
	const struct spmm_eltwise_descriptor *d = l->d;
	bool broadcast = d->second.height == 1;
	const struct hazard_rows rows = { broadcast ? 0 : y,
					  broadcast ? 1 : end };

	if (!eltwise_has_second(d))
		return 0;
	lower_touch(l->execution, l->second_operand, rows, tile);
	l->second.first = rows.first;
	l->second.end = rows.end;
	/* The one row of all comes with the first tile and goes with the last. */
	if (!broadcast || !y)
		traffic_read_rows(l->execution, &l->second);
	if (!broadcast || end == d->output.height)
		traffic_finish_rows(l->execution, &l->second);
	return d->second.channels * (uint64_t)(rows.end - rows.first) *
	       l->second.row_bytes;
}

static void tile_lower(struct eltwise_lowering *l, uint32_t index)
{
	const struct spmm_eltwise_descriptor *d = l->d;
	uint64_t height = d->output.height;
	uint32_t y = (uint32_t)(height * index / l->tiles);
	uint32_t end = (uint32_t)(height * (index + 1) / l->tiles);
	struct engine_tile tile = { 0 };
	uint64_t read_bytes = first_lower(l, y, end, &tile);

	read_bytes += second_lower(l, y, end, &tile);
	pieces_lower(l, results_of(l, end - y), read_bytes, &tile);
	l->out.first = y;
	l->out.end = end;
	lower_touch(l->execution, l->out_operand,
		    (struct hazard_rows){ y, end }, &tile);
	/* The output may be where an operand was: that is dropped before. */
	first_finish(l, end);
	traffic_write_rows(l->execution, &l->out);
	lower_tile(l->execution, &tile);
}

static void table_lower(struct eltwise_lowering *l)
{
	const struct spmm_eltwise_descriptor *d = l->d;
	uint64_t bytes = d->flags & SPMM_FLAG_TABLE_PER_ROW ?
				 d->first.channels * 256ull :
				 256;

	if (d->operation != SPMM_ELTWISE_TABLE)
		return;
	lower_parameters(l->execution, d->tables, bytes);
	traffic_read(l->execution, d->tables, bytes, SPMM_HINT_KEEP);
	lower_weights(l->execution);
}

void eltwise_lower(struct sim_execution *execution,
		   const struct spmm_eltwise_descriptor *d)
{
	struct eltwise_lowering l = { .execution = execution, .d = d };
	struct lowering *lowering = lower_begin(execution, ENGINE_ARRAY);
	uint64_t results;

	if (!lowering)
		return;
	lowering->command.column_groups = execution->device->config.clusters;
	operands_setup(&l);
	table_lower(&l);
	results = results_of(&l, d->output.height);
	l.tiles =
		(uint32_t)max_u64(min_u64(min_u64(TILES_MAX, d->output.height),
					  results / TILE_BYTES_MIN),
				  1);
	execution->work.compulsory_bytes =
		results + d->first.channels * plane_bytes(&l.first);
	if (eltwise_has_second(d))
		execution->work.compulsory_bytes +=
			d->second.channels * plane_bytes(&l.second);
	for (uint32_t i = 0; i < l.tiles && !execution->status; i++)
		tile_lower(&l, i);
}
