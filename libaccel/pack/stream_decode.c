// SPDX-License-Identifier: MIT
#include "pack/stream.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <spmm/status.h>
#include <spmm/stream.h>

#include "pack/bank.h"
#include "pack/block.h"
#include "pack/schedule.h"

/**
 * struct decoder - a stream on its way into slots
 * @bytes: the stream
 * @length: of @bytes
 * @rows: M
 * @columns: K
 * @limits: of a cluster
 * @header: in the processor's byte order
 * @data: offset of the next lane's bits
 * @slots: room for header.nonzeros
 * @slot_count: used
 * @schedule: symbols of the present part, fillers included
 * @cycles: their issue cycles
 * @reader: the present lane's bits
 * @row: where the next gap is counted from; likewise @column, which may be K
 * @last_row: of the latest weight of the present lane
 * @lane: present one
 * @padding: fillers of the present part
 * @error: byte at which decoding failed
 */
struct decoder {
	const uint8_t *bytes;
	size_t length;
	uint32_t rows;
	uint32_t columns;
	struct schedule_limits limits;
	struct spmm_stream_header header;
	size_t data;
	struct stream_slot *slots;
	size_t slot_count;
	struct bit_writer schedule;
	uint32_t *cycles;
	size_t cycles_capacity;
	struct bit_reader reader;
	uint32_t row;
	uint32_t column;
	uint32_t last_row;
	uint8_t lane;
	uint64_t padding;
	size_t error;
};

static int fail(struct decoder *decoder, size_t offset, enum spmm_status status)
{
	decoder->error = offset;
	return status;
}

/* The failure is at the lane's present bit. */
static int fail_here(struct decoder *decoder, enum spmm_status status)
{
	size_t start = (size_t)(decoder->reader.bytes - decoder->bytes);

	return fail(decoder, start + decoder->reader.position / 8, status);
}

static int decode_header(struct decoder *decoder,
			 const struct geometry *geometry)
{
	struct spmm_stream_header *header = &decoder->header;

	if (decoder->length < sizeof(*header))
		return fail(decoder, decoder->length, SPMM_SC_STREAM_TRUNCATED);
	memcpy(header, decoder->bytes, sizeof(*header));
	header->magic = le32toh(header->magic);
	header->vector_width = le16toh(header->vector_width);
	header->row_groups = le16toh(header->row_groups);
	header->column_groups = le16toh(header->column_groups);
	header->bank_skew = le16toh(header->bank_skew);
	header->rows = le32toh(header->rows);
	header->columns = le32toh(header->columns);
	header->nonzeros = le64toh(header->nonzeros);
	if (header->magic != SPMM_STREAM_MAGIC ||
	    header->version != SPMM_STREAM_VERSION || header->pad ||
	    !header->row_groups || !header->column_groups || !header->rows ||
	    !header->columns || header->rows != decoder->rows ||
	    header->columns != decoder->columns)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	if (!schedule_limits_from(geometry, header->vector_width,
				  &decoder->limits) ||
	    header->lanes != decoder->limits.lanes ||
	    (uint32_t)header->row_groups * header->column_groups >
		    geometry->clusters)
		return fail(decoder, 0, SPMM_SC_STREAM_GEOMETRY);
	return SPMM_SC_SUCCESS;
}

static struct spmm_stream_lane read_lane(const struct decoder *decoder,
					 size_t index)
{
	struct spmm_stream_lane lane;

	memcpy(&lane,
	       decoder->bytes + sizeof(decoder->header) + index * sizeof(lane),
	       sizeof(lane));
	lane.length = le32toh(lane.length);
	lane.row = le32toh(lane.row);
	lane.column = le32toh(lane.column);
	return lane;
}

/* Every byte belongs to one lane, and there are bytes enough for the weights. */
static int decode_table(struct decoder *decoder)
{
	size_t lanes =
		(size_t)decoder->header.row_groups * decoder->limits.lanes;
	size_t table = lanes * sizeof(struct spmm_stream_lane);
	uint64_t sum = 0, rest;

	if (decoder->length - sizeof(decoder->header) < table)
		return fail(decoder, decoder->length, SPMM_SC_STREAM_TRUNCATED);
	decoder->data = sizeof(decoder->header) + table;
	rest = decoder->length - decoder->data;
	for (size_t i = 0; i < lanes; i++)
		sum += read_lane(decoder, i).length;
	if (sum > rest)
		return fail(decoder, decoder->length, SPMM_SC_STREAM_TRUNCATED);
	if (sum < rest || decoder->header.nonzeros > rest)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	return SPMM_SC_SUCCESS;
}

/* Put one weight at the given distance from the cursor, which is ≤ K − 1. */
static int place(struct decoder *decoder, uint32_t gap, int8_t weight)
{
	uint64_t column = (uint64_t)decoder->column + gap;
	uint32_t bank;

	if (column >= decoder->columns) {
		column -= decoder->columns;
		decoder->row++;
	}
	if (decoder->row >= decoder->rows)
		return fail_here(decoder, SPMM_SC_STREAM_ROW);
	if (decoder->slot_count == decoder->header.nonzeros)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	decoder->slots[decoder->slot_count++] = (struct stream_slot){
		.row = decoder->row,
		.column = (uint32_t)column,
		.weight = weight,
		.lane = decoder->lane,
	};
	bank = bank_of((uint32_t)column, decoder->limits.banks,
		       decoder->header.bank_skew);
	if (decoder->row != decoder->last_row)
		bank |= SCHEDULE_NEW_ROW;
	bits_put(&decoder->schedule, bank, 8);
	decoder->last_row = decoder->row;
	decoder->column = (uint32_t)column + 1;
	return SPMM_SC_SUCCESS;
}

static int decode_dense(struct decoder *decoder, uint32_t parameter,
			uint32_t count)
{
	int status;

	if (parameter)
		return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
	for (uint32_t i = 0; i < count; i++) {
		int8_t weight = (int8_t)bits_peek(&decoder->reader);

		if (!bits_skip(&decoder->reader, 8))
			return fail_here(decoder, SPMM_SC_STREAM_TRUNCATED);
		status = place(decoder, 0, weight);
		if (status)
			return status;
	}
	return SPMM_SC_SUCCESS;
}

/* Columns of the weights of one group, the first in the lowest bits. */
static int decode_group(struct decoder *decoder, uint32_t start,
			const struct block_pattern *pattern)
{
	uint32_t code = (uint32_t)bits_peek(&decoder->reader) &
			((1u << pattern->bits) - 1);
	uint32_t mask = (1u << pattern->shift) - 1;

	if (!bits_skip(&decoder->reader, pattern->bits))
		return fail_here(decoder, SPMM_SC_STREAM_TRUNCATED);
	if (pattern->count == 2) {
		if (code >= BLOCK_PAIRS)
			return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
		code = block_pairs[code];
	}
	for (uint32_t i = 0; i < pattern->count; i++) {
		int8_t weight = (int8_t)bits_peek(&decoder->reader);
		int status;

		if (!bits_skip(&decoder->reader, 8))
			return fail_here(decoder, SPMM_SC_STREAM_TRUNCATED);
		status = place(decoder, start + (code & mask) - decoder->column,
			       weight);
		if (status)
			return status;
		code >>= pattern->shift;
	}
	return SPMM_SC_SUCCESS;
}

static int decode_structured(struct decoder *decoder, uint32_t parameter,
			     uint32_t count)
{
	const struct block_pattern *pattern;
	uint32_t mask;

	if (parameter >= BLOCK_PATTERNS)
		return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
	pattern = &block_patterns[parameter];
	mask = (1u << pattern->shift) - 1;
	if (decoder->columns & mask || count % pattern->count)
		return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
	decoder->column += -decoder->column & mask;
	for (uint32_t i = 0; i < count; i += pattern->count) {
		uint32_t start;
		int status;

		if (decoder->column == decoder->columns) {
			decoder->column = 0;
			decoder->row++;
		}
		start = decoder->column;
		status = decode_group(decoder, start, pattern);
		if (status)
			return status;
		decoder->column = start + mask + 1;
	}
	return SPMM_SC_SUCCESS;
}

/*
 * Skip positions without a weight. The filler next to a weight is decoded with it;
 * the others take an issue slot.
 */
static int skip_filler(struct decoder *decoder, uint32_t filler, bool slot)
{
	uint64_t column = (uint64_t)decoder->column + filler;

	if (column >= decoder->columns) {
		column -= decoder->columns;
		decoder->row++;
	}
	if (decoder->row >= decoder->rows)
		return fail_here(decoder, SPMM_SC_STREAM_ROW);
	decoder->column = (uint32_t)column;
	if (!slot)
		return SPMM_SC_SUCCESS;
	decoder->padding++;
	bits_put(&decoder->schedule, SCHEDULE_FILLER, 8);
	if (decoder->schedule.failed)
		return fail_here(decoder, SPMM_SC_INTERNAL);
	return SPMM_SC_SUCCESS;
}

/* All fillers before a weight. */
static int decode_fillers(struct decoder *decoder, uint32_t unary,
			  uint32_t filler)
{
	uint64_t zeros = (1ull << unary) - 1;
	bool slot = false;
	int status;

	while (!(bits_peek(&decoder->reader) & zeros)) {
		if (!bits_skip(&decoder->reader, unary))
			return fail_here(decoder, SPMM_SC_STREAM_TRUNCATED);
		status = skip_filler(decoder, filler, slot);
		if (status)
			return status;
		slot = true;
	}
	return SPMM_SC_SUCCESS;
}

static int decode_delta(struct decoder *decoder, uint32_t rice, uint32_t count)
{
	uint32_t unary = block_unary(decoder->columns);
	uint32_t filler = block_filler(decoder->columns, rice);

	for (uint32_t i = 0; i < count; i++) {
		int status = decode_fillers(decoder, unary, filler);
		uint64_t word = bits_peek(&decoder->reader);
		uint32_t zeros, gap;

		if (status)
			return status;
		zeros = (uint32_t)__builtin_ctzll(word | 1ull << unary);
		if (!bits_skip(&decoder->reader, zeros + 1 + rice + 8))
			return fail_here(decoder, SPMM_SC_STREAM_TRUNCATED);
		word >>= zeros + 1;
		gap = zeros << rice | ((uint32_t)word & ((1u << rice) - 1));
		if (gap >= filler)
			return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
		status = place(decoder, gap, (int8_t)(word >> rice));
		if (status)
			return status;
	}
	return SPMM_SC_SUCCESS;
}

static int decode_block(struct decoder *decoder)
{
	uint32_t header = (uint32_t)bits_peek(&decoder->reader);
	uint32_t parameter = header >> SPMM_BLOCK_PARAMETER_SHIFT &
			     SPMM_BLOCK_PARAMETER_MASK;
	uint32_t count =
		(header >> SPMM_BLOCK_COUNT_SHIFT & SPMM_BLOCK_COUNT_MASK) + 1;

	if (!bits_skip(&decoder->reader, SPMM_BLOCK_HEADER_BITS))
		return fail_here(decoder, SPMM_SC_STREAM_TRUNCATED);
	switch (header >> SPMM_BLOCK_FORMAT_SHIFT & SPMM_BLOCK_FORMAT_MASK) {
	case SPMM_BLOCK_DENSE:
		return decode_dense(decoder, parameter, count);
	case SPMM_BLOCK_STRUCTURED:
		return decode_structured(decoder, parameter, count);
	case SPMM_BLOCK_BITMAP:
		if (parameter)
			break;
		return decode_delta(decoder, 0, count);
	default:
		if (!parameter || parameter > SPMM_BLOCK_RICE_MAX)
			break;
		return decode_delta(decoder, parameter, count);
	}
	return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
}

/* A lane starts where the one before it ended, or later. */
static int enter_lane(struct decoder *decoder, size_t index)
{
	struct spmm_stream_lane lane = read_lane(decoder, index);
	uint64_t end =
		(uint64_t)decoder->row * decoder->columns + decoder->column;
	size_t offset = sizeof(decoder->header) + index * sizeof(lane);

	if (lane.column >= decoder->columns)
		return fail(decoder, offset, SPMM_SC_STREAM_COLUMN);
	if (lane.row > decoder->rows ||
	    (lane.row == decoder->rows && (lane.length || lane.column)) ||
	    (uint64_t)lane.row * decoder->columns + lane.column < end)
		return fail(decoder, offset, SPMM_SC_STREAM_ROW);
	decoder->row = lane.row;
	decoder->column = lane.column;
	decoder->last_row = UINT32_MAX;
	decoder->lane = (uint8_t)(index % decoder->limits.lanes);
	decoder->reader = (struct bit_reader){
		.bytes = decoder->bytes + decoder->data,
		.end = (uint64_t)lane.length * 8,
	};
	decoder->data += lane.length;
	return SPMM_SC_SUCCESS;
}

static int decode_lane(struct decoder *decoder, size_t index)
{
	int status = enter_lane(decoder, index);
	uint64_t rest;

	while (!status) {
		rest = decoder->reader.end - decoder->reader.position;
		if (rest < 8)
			break;
		status = decode_block(decoder);
	}
	if (!status && rest && bits_peek(&decoder->reader))
		return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
	return status;
}

static int reserve_cycles(struct decoder *decoder)
{
	size_t count = decoder->schedule.length;
	uint32_t *cycles;

	if (count > UINT32_MAX)
		return fail_here(decoder, SPMM_SC_STREAM_BLOCK);
	if (count <= decoder->cycles_capacity)
		return SPMM_SC_SUCCESS;
	cycles = realloc(decoder->cycles, count * sizeof(*cycles));
	if (!cycles)
		return fail_here(decoder, SPMM_SC_INTERNAL);
	decoder->cycles = cycles;
	decoder->cycles_capacity = count;
	return SPMM_SC_SUCCESS;
}

/* Find out when each slot of the part issues. */
static int schedule_part(struct decoder *decoder, const size_t *start,
			 struct stream_part *part)
{
	struct schedule_lane lanes[SCHEDULE_LANES_MAX] = { 0 };
	struct stream_slot *slot = part->slots;
	struct schedule_result result;
	int status = reserve_cycles(decoder);

	if (status)
		return status;
	for (uint32_t l = 0; l < decoder->limits.lanes; l++) {
		lanes[l].count = start[l + 1] - start[l];
		/* A part without any symbols has no buffer to point into. */
		if (!lanes[l].count)
			continue;
		lanes[l].symbols = decoder->schedule.bytes + start[l];
		lanes[l].cycles = decoder->cycles + start[l];
	}
	result = schedule_run(&decoder->limits, lanes);
	for (size_t i = 0; i < decoder->schedule.length; i++)
		if (!(decoder->schedule.bytes[i] & SCHEDULE_FILLER))
			slot++->cycle = decoder->cycles[i];
	part->cycles = result.cycles;
	part->bank_stalls = result.stalls;
	return SPMM_SC_SUCCESS;
}

static int decode_part(struct decoder *decoder, uint32_t index,
		       struct stream_part *part)
{
	uint32_t lanes = decoder->limits.lanes;
	size_t start[SCHEDULE_LANES_MAX + 1] = { 0 };
	size_t first = decoder->slot_count, data = decoder->data;
	int status;

	part->lane_start = calloc(lanes + 1, sizeof(*part->lane_start));
	if (!part->lane_start)
		return fail_here(decoder, SPMM_SC_INTERNAL);
	part->slots = decoder->slots + first;
	decoder->schedule.length = 0;
	decoder->padding = 0;
	for (uint32_t l = 0; l < lanes; l++) {
		status = decode_lane(decoder, (size_t)index * lanes + l);
		if (status)
			return status;
		if (decoder->schedule.failed)
			return fail_here(decoder, SPMM_SC_INTERNAL);
		part->lane_start[l + 1] = decoder->slot_count - first;
		start[l + 1] = decoder->schedule.length;
	}
	part->slot_count = decoder->slot_count - first;
	part->padding = decoder->padding;
	part->bytes = decoder->data - data;
	if (part->slot_count) {
		part->row_begin = part->slots[0].row;
		part->row_end = part->slots[part->slot_count - 1].row + 1;
	}
	return schedule_part(decoder, start, part);
}

/* The first part with a weight of a row finishes it; the last one, all the rest. */
static void divide_rows(struct stream_decoded *out, uint32_t rows)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < out->part_count; i++) {
		struct stream_part *part = &out->parts[i];

		part->finish_begin = next;
		if (part->row_end > next)
			next = part->row_end;
		part->finish_end = i + 1 == out->part_count ? rows : next;
	}
}

static int decode_parts(struct decoder *decoder, struct stream_decoded *out)
{
	const struct spmm_stream_header *header = &decoder->header;
	int status;

	out->parts = calloc(header->row_groups, sizeof(*out->parts));
	decoder->slots =
		malloc((size_t)header->nonzeros * sizeof(*decoder->slots) + 1);
	out->slots = decoder->slots;
	out->part_count = header->row_groups;
	out->nonzeros = header->nonzeros;
	out->bank_skew = header->bank_skew;
	out->mapping = (struct mapping){
		.row_groups = header->row_groups,
		.column_groups = header->column_groups,
		.vector_width = header->vector_width,
	};
	if (!out->parts || !out->slots)
		return fail(decoder, 0, SPMM_SC_INTERNAL);
	for (uint32_t i = 0; i < out->part_count; i++) {
		status = decode_part(decoder, i, &out->parts[i]);
		if (status)
			return status;
	}
	if (decoder->slot_count != header->nonzeros)
		return fail(decoder, 0, SPMM_SC_STREAM_HEADER);
	divide_rows(out, decoder->rows);
	return SPMM_SC_SUCCESS;
}

int stream_decode(const uint8_t *bytes, size_t length, uint32_t rows,
		  uint32_t columns, const struct geometry *geometry,
		  struct stream_decoded *out, size_t *offset)
{
	struct decoder decoder = {
		.bytes = bytes,
		.length = length,
		.rows = rows,
		.columns = columns,
	};
	int status;

	*out = (struct stream_decoded){ 0 };
	decoder.reader.bytes = bytes;
	status = decode_header(&decoder, geometry);
	if (!status)
		status = decode_table(&decoder);
	if (!status)
		status = decode_parts(&decoder, out);
	free(decoder.schedule.bytes);
	free(decoder.cycles);
	if (status)
		stream_decoded_free(out);
	if (offset)
		*offset = decoder.error;
	return status;
}

void stream_decoded_free(struct stream_decoded *decoded)
{
	for (uint32_t i = 0; decoded->parts && i < decoded->part_count; i++)
		free(decoded->parts[i].lane_start);
	free(decoded->parts);
	free(decoded->slots);
	*decoded = (struct stream_decoded){ 0 };
}
