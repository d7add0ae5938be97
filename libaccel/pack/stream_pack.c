/* SPDX-License-Identifier: MIT */
#include "pack/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spmm/stream.h>

#include "core/error.h"
#include "core/integer.h"
#include "pack/bank.h"
#include "pack/block.h"
#include "pack/schedule.h"

/*
 * How often a part is shared out anew among its lanes while the last of them ends
 * more than a 50th later than it could.
 */
#define ATTEMPTS_MAX 4
#define UNEVEN_PART 50
#define PACE_SHIFT 16

/**
 * struct packer - a matrix on its way into a stream
 * @matrix: what is packed
 * @mapping: how
 * @row_weight: of the parts' even shares, what a row counts beside its weights
 * @limits: of a cluster
 * @encoder: the blocks so far
 * @table: row_groups · lanes entries
 * @position: of one lane's weights, room for the longest; likewise @symbol
 * @column_bank: bank of column k mod bank_period
 * @row: that holds the next weight
 * @bank_load: weights of this part that read each bank
 */
struct packer {
	const struct model_csr *matrix;
	const struct mapping *mapping;
	uint32_t row_weight;
	struct schedule_limits limits;
	struct block_encoder encoder;
	struct spmm_stream_lane *table;
	uint64_t *position;
	uint8_t *symbol;
	uint8_t column_bank[BANK_PERIOD_MAX];
	uint32_t row;
	uint64_t bank_load[SCHEDULE_BANKS_MAX];
};

static int check_matrix(const struct model_csr *matrix)
{
	if (!matrix->rows || !matrix->columns || matrix->row_start[0] != 0)
		return accel_error(-EINVAL, "a matrix of %u × %u is not valid",
				   matrix->rows, matrix->columns);
	for (uint32_t row = 0; row < matrix->rows; row++) {
		int64_t end = matrix->row_start[row + 1], last = -1;

		if (end < matrix->row_start[row])
			return accel_error(-EINVAL,
					   "row %u ends before it starts", row);
		for (int64_t i = matrix->row_start[row]; i < end; i++) {
			int64_t column = matrix->column[i];

			if (column <= last || column >= matrix->columns)
				return accel_error(
					-EINVAL,
					"row %u: column %lld after %lld of %u",
					row, (long long)column, (long long)last,
					matrix->columns);
			last = column;
		}
	}
	return 0;
}

static int check_mapping(const struct geometry *geometry,
			 const struct mapping *mapping,
			 struct schedule_limits *limits)
{
	if (!schedule_limits_from(geometry, mapping->vector_width, limits))
		return accel_error(
			-EINVAL,
			"a cluster of %u lanes, %u banks, window %u, vectors of %u (%u in use) is beyond the format",
			geometry->lanes, geometry->banks,
			geometry->schedule_window, geometry->vector_width,
			mapping->vector_width);
	if (!mapping->row_groups || !mapping->column_groups ||
	    (uint64_t)mapping->row_groups * mapping->column_groups >
		    geometry->clusters ||
	    mapping->row_groups > UINT16_MAX ||
	    mapping->column_groups > UINT16_MAX)
		return accel_error(-EINVAL,
				   "%u × %u groups do not fit %u clusters",
				   mapping->row_groups, mapping->column_groups,
				   geometry->clusters);
	return 0;
}

/* Weights and rows before a row, rows as many weights as they count. */
static uint64_t cost_before(const struct packer *packer, uint32_t row)
{
	return (uint64_t)packer->matrix->row_start[row] +
	       (uint64_t)row * packer->row_weight;
}

/* The first weight of a part; of the one behind the last, their number. */
static uint64_t part_first(const struct packer *packer, uint32_t part)
{
	const struct model_csr *matrix = packer->matrix;
	uint64_t before = even_share(cost_before(packer, matrix->rows), part,
				     packer->mapping->row_groups);
	uint32_t low = 0, high = matrix->rows - 1;
	uint64_t rest, length;

	/* The last row that does not begin behind it. */
	while (low < high) {
		uint32_t middle = high - (high - low) / 2;

		if (cost_before(packer, middle) <= before)
			low = middle;
		else
			high = middle - 1;
	}
	rest = before - cost_before(packer, low);
	rest -= min_u64(rest, packer->row_weight);
	length =
		(uint64_t)(matrix->row_start[low + 1] - matrix->row_start[low]);
	return (uint64_t)matrix->row_start[low] + min_u64(rest, length);
}

/* Weights of the longest part. */
static uint64_t part_longest(const struct packer *packer)
{
	uint64_t longest = 0;

	for (uint32_t p = 0; p < packer->mapping->row_groups; p++)
		longest = max_u64(longest, part_first(packer, p + 1) -
						   part_first(packer, p));
	return longest;
}

static void assign_banks(struct packer *packer, uint32_t skew)
{
	uint32_t banks = packer->limits.banks;

	for (uint32_t column = 0; column < bank_period(banks); column++)
		packer->column_bank[column] =
			(uint8_t)bank_of(column, banks, skew);
}

static int packer_create(struct packer *packer, struct stream *out)
{
	const struct model_csr *matrix = packer->matrix;
	size_t lanes =
		(size_t)packer->mapping->row_groups * packer->limits.lanes;
	/* A lane may be given a part's weights alone. */
	size_t longest = (size_t)part_longest(packer) + 1;

	packer->encoder.columns = matrix->columns;
	packer->table = calloc(lanes, sizeof(*packer->table));
	packer->position = calloc(longest, sizeof(*packer->position));
	packer->symbol = calloc(longest, sizeof(*packer->symbol));
	if (!packer->table || !packer->position || !packer->symbol)
		return accel_error(-ENOMEM, "no memory to pack %llu weights",
				   (unsigned long long)out->nonzeros);
	out->bank_skew = bank_choose_skew(matrix, packer->limits.banks,
					  packer->mapping->row_groups);
	assign_banks(packer, out->bank_skew);
	return 0;
}

static void packer_destroy(struct packer *packer)
{
	free(packer->encoder.bits.bytes);
	free(packer->encoder.schedule.bytes);
	free(packer->table);
	free(packer->position);
	free(packer->symbol);
}

/* Linear positions and schedule symbols of the weights [first, end). */
static void gather_lane(struct packer *packer, uint64_t first, uint64_t end)
{
	const struct model_csr *matrix = packer->matrix;
	uint32_t last_row = UINT32_MAX;
	uint32_t period = bank_period(packer->limits.banks);
	uint64_t i = first;

	while (i < end) {
		uint64_t stop, base;

		while ((uint64_t)matrix->row_start[packer->row + 1] <= i)
			packer->row++;
		stop = (uint64_t)matrix->row_start[packer->row + 1];
		stop = stop < end ? stop : end;
		base = (uint64_t)packer->row * matrix->columns;
		for (; i < stop; i++) {
			uint32_t column = (uint32_t)matrix->column[i];
			uint32_t bank = packer->column_bank[column % period];

			packer->position[i - first] = base + column;
			packer->symbol[i - first] =
				(uint8_t)(bank | (packer->row != last_row ?
							  SCHEDULE_NEW_ROW :
							  0));
			packer->bank_load[bank]++;
			last_row = packer->row;
		}
	}
}

/* Of the weight behind a lane's, after gather_lane(). */
static uint64_t position_behind(const struct packer *packer, uint64_t end)
{
	const struct model_csr *matrix = packer->matrix;
	uint64_t row = packer->row;

	if (end >= (uint64_t)matrix->row_start[matrix->rows])
		return UINT64_MAX;
	while ((uint64_t)matrix->row_start[row + 1] <= end)
		row++;
	return row * matrix->columns + (uint32_t)matrix->column[end];
}

/*
 * Where a lane starts: as the lane before it ended, or near its first weight when
 * that is far, to save fillers. Its groups of an N:M pattern stay whole.
 */
static uint64_t lane_start(const struct packer *packer, uint64_t count)
{
	uint64_t start = packer->encoder.cursor, column;

	if (!count)
		return start;
	column = packer->position[0] % packer->matrix->columns % 16;
	if (packer->position[0] - column > start)
		start = packer->position[0] - column;
	return start;
}

static int pack_lane(struct packer *packer, struct spmm_stream_lane *entry,
		     uint64_t first, uint64_t end)
{
	struct block_run run = {
		.position = packer->position,
		.symbol = packer->symbol,
		.weight = (const int8_t *)packer->matrix->value + first,
		.count = end - first,
	};
	size_t before = packer->encoder.bits.length;
	uint32_t columns = packer->matrix->columns;

	gather_lane(packer, first, end);
	run.next = position_behind(packer, end);
	packer->encoder.cursor = lane_start(packer, run.count);
	entry->row = htole32((uint32_t)(packer->encoder.cursor / columns));
	entry->column = htole32((uint32_t)(packer->encoder.cursor % columns));
	block_encode(&packer->encoder, &run);
	if (packer->encoder.bits.failed || packer->encoder.schedule.failed)
		return accel_error(-ENOMEM, "no memory to pack a stream");
	if (packer->encoder.bits.length - before > UINT32_MAX)
		return accel_error(
			-E2BIG,
			"one lane's stream exceeds 4 GiB; use more row groups");
	entry->length =
		htole32((uint32_t)(packer->encoder.bits.length - before));
	return 0;
}

/* The weights of a part, lane by lane. */
struct part {
	uint32_t number;
	uint64_t start;
	uint64_t count;
	uint64_t lane[SCHEDULE_LANES_MAX +
		      1]; /* where each starts, from @start */
	uint64_t end[SCHEDULE_LANES_MAX]; /* when each has issued its last */
	uint64_t cycles;
	uint64_t bound;
};

/* The part's cycles as the device will count them, and the bound. */
static void schedule_part(const struct packer *packer, const size_t *ends,
			  struct part *part)
{
	struct schedule_lane lanes[SCHEDULE_LANES_MAX] = { 0 };
	uint64_t rate = packer->limits.rate;
	size_t start = 0;

	for (uint32_t l = 0; l < packer->limits.lanes; start = ends[l++]) {
		lanes[l].count = ends[l] - start;
		part->end[l] = 0;
		lanes[l].end = &part->end[l];
		/* A part without any symbols has no buffer to point into. */
		if (lanes[l].count)
			lanes[l].symbols =
				packer->encoder.schedule.bytes + start;
	}
	part->cycles = schedule_run(&packer->limits, lanes).cycles;
	part->bound = part->count / rate + (part->count % rate != 0);
	part->bound = max_u64(part->bound,
			      divide_up(part->count, packer->limits.lanes));
	for (uint32_t b = 0; b < packer->limits.banks; b++)
		part->bound = max_u64(part->bound, packer->bank_load[b]);
}

static int pack_lanes(struct packer *packer, struct part *part)
{
	uint32_t lanes = packer->limits.lanes;
	size_t ends[SCHEDULE_LANES_MAX];

	packer->encoder.schedule.length = 0;
	memset(packer->bank_load, 0, sizeof(packer->bank_load));
	for (uint32_t l = 0; l < lanes; l++) {
		int ret = pack_lane(packer,
				    &packer->table[part->number * lanes + l],
				    part->start + part->lane[l],
				    part->start + part->lane[l + 1]);

		if (ret)
			return ret;
		ends[l] = packer->encoder.schedule.length;
	}
	if (packer->encoder.schedule.length > UINT32_MAX)
		return accel_error(
			-E2BIG,
			"a part has more than 2^32 symbols; use more row groups");
	schedule_part(packer, ends, part);
	return 0;
}

static void share_evenly(uint32_t lanes, struct part *part)
{
	for (uint32_t l = 0; l <= lanes; l++)
		part->lane[l] = even_share(part->count, l, lanes);
}

/*
 * Who comes late to a bank waits for it, and ends late: each lane gets weights at the
 * pace at which it issued those of the last attempt.
 */
static void share_by_pace(uint32_t lanes, struct part *part)
{
	uint64_t pace[SCHEDULE_LANES_MAX], sum = 0, before = 0;

	for (uint32_t l = 0; l < lanes; l++) {
		uint64_t count = part->lane[l + 1] - part->lane[l];

		pace[l] = part->end[l] ? (count << PACE_SHIFT) / part->end[l] :
					 0;
		pace[l] = max_u64(pace[l], 1);
		sum += pace[l];
	}
	for (uint32_t l = 0; l < lanes; l++) {
		part->lane[l] = (uint64_t)((unsigned __int128)part->count *
					   before / sum);
		before += pace[l];
	}
	part->lane[lanes] = part->count;
}

/* Back to where the part began. */
static void encoder_rewind(struct packer *packer,
			   const struct block_encoder *before, uint32_t row)
{
	struct block_encoder *encoder = &packer->encoder;

	encoder->cursor = before->cursor;
	encoder->padding = before->padding;
	encoder->bits.length = before->bits.length;
	memcpy(encoder->block_count, before->block_count,
	       sizeof(encoder->block_count));
	packer->row = row;
}

static bool is_uneven(const struct part *part)
{
	return part->cycles > part->bound + part->bound / UNEVEN_PART;
}

/* The best of some attempts; every one depends on the one before. */
static int pack_part_evenly(struct packer *packer, struct part *part)
{
	const struct block_encoder before = packer->encoder;
	uint32_t row = packer->row;
	struct part best, attempt = *part;
	int ret = pack_lanes(packer, &attempt);

	best = attempt;
	for (int i = 0; i < ATTEMPTS_MAX && !ret && is_uneven(&best); i++) {
		encoder_rewind(packer, &before, row);
		share_by_pace(packer->limits.lanes, &attempt);
		ret = pack_lanes(packer, &attempt);
		if (attempt.cycles < best.cycles)
			best = attempt;
	}
	/* The last attempt need not have been the best. */
	if (!ret && memcmp(best.lane, attempt.lane, sizeof(best.lane))) {
		encoder_rewind(packer, &before, row);
		ret = pack_lanes(packer, &best);
	}
	*part = best;
	return ret;
}

static int pack_part(struct packer *packer, uint32_t number, struct stream *out)
{
	struct part part = { .number = number };
	int ret;

	part.start = part_first(packer, number);
	part.count = part_first(packer, number + 1) - part.start;
	share_evenly(packer->limits.lanes, &part);
	ret = pack_part_evenly(packer, &part);
	out->issue_cycles = max_u64(out->issue_cycles, part.cycles);
	out->optimal_cycles = max_u64(out->optimal_cycles, part.bound);
	return ret;
}

static int assemble(const struct packer *packer, struct stream *out)
{
	const struct spmm_stream_header header = {
		.magic = htole32(SPMM_STREAM_MAGIC),
		.version = SPMM_STREAM_VERSION,
		.lanes = (uint8_t)packer->limits.lanes,
		.vector_width =
			htole16((uint16_t)packer->mapping->vector_width),
		.row_groups = htole16((uint16_t)packer->mapping->row_groups),
		.column_groups =
			htole16((uint16_t)packer->mapping->column_groups),
		.bank_skew = htole16((uint16_t)out->bank_skew),
		.rows = htole32(packer->matrix->rows),
		.columns = htole32(packer->matrix->columns),
		.nonzeros = htole64(out->nonzeros),
	};
	size_t table = sizeof(*packer->table) * packer->mapping->row_groups *
		       packer->limits.lanes;
	const struct bit_writer *bits = &packer->encoder.bits;

	out->length = sizeof(header) + table + bits->length;
	out->bytes = malloc(out->length);
	if (!out->bytes)
		return accel_error(-ENOMEM,
				   "no memory for a stream of %zu bytes",
				   out->length);
	memcpy(out->bytes, &header, sizeof(header));
	memcpy(out->bytes + sizeof(header), packer->table, table);
	if (bits->length)
		memcpy(out->bytes + sizeof(header) + table, bits->bytes,
		       bits->length);
	return 0;
}

int stream_pack(const struct model_csr *matrix, const struct geometry *geometry,
		const struct mapping *mapping, struct stream *out)
{
	return stream_pack_rows(matrix, geometry, mapping, 0, out);
}

int stream_pack_rows(const struct model_csr *matrix,
		     const struct geometry *geometry,
		     const struct mapping *mapping, uint32_t row_weight,
		     struct stream *out)
{
	struct packer packer = { .matrix = matrix,
				 .mapping = mapping,
				 .row_weight = row_weight };
	int ret;

	*out = (struct stream){ 0 };
	ret = check_matrix(matrix);
	if (!ret)
		ret = check_mapping(geometry, mapping, &packer.limits);
	if (ret)
		return ret;
	out->nonzeros = (uint64_t)matrix->row_start[matrix->rows];
	ret = packer_create(&packer, out);
	for (uint32_t part = 0; part < mapping->row_groups && !ret; part++)
		ret = pack_part(&packer, part, out);
	if (!ret)
		ret = assemble(&packer, out);
	out->padding = packer.encoder.padding;
	memcpy(out->block_count, packer.encoder.block_count,
	       sizeof(out->block_count));
	packer_destroy(&packer);
	if (ret)
		stream_free(out);
	return ret;
}

void stream_free(struct stream *stream)
{
	free(stream->bytes);
	*stream = (struct stream){ 0 };
}
