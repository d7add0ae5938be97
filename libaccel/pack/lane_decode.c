/* SPDX-License-Identifier: MIT */
#include "pack/lane_decode.h"

#include <stdbool.h>

#include <spmm/status.h>
#include <spmm/stream.h>

#include "pack/bank.h"
#include "pack/block.h"
#include "pack/schedule.h"

/* Put one weight at the given distance from the cursor, which is ≤ K − 1. */
static int place(struct lane_decoder *decoder, uint32_t gap, int8_t weight)
{
	uint64_t column = (uint64_t)decoder->column + gap;
	uint32_t bank;

	if (column >= decoder->columns) {
		column -= decoder->columns;
		decoder->row++;
	}
	if (decoder->row >= decoder->rows)
		return SPMM_SC_STREAM_ROW;
	if (decoder->slot_count == decoder->slot_limit)
		return SPMM_SC_STREAM_HEADER;
	decoder->slots[decoder->slot_count++] = (struct stream_slot){
		.row = decoder->row,
		.column = (uint32_t)column,
		.weight = weight,
		.lane = decoder->lane,
	};
	bank = bank_of((uint32_t)column, decoder->banks, decoder->bank_skew);
	if (decoder->row != decoder->last_row)
		bank |= SCHEDULE_NEW_ROW;
	bits_put(&decoder->schedule, bank, 8);
	decoder->last_row = decoder->row;
	decoder->column = (uint32_t)column + 1;
	return SPMM_SC_SUCCESS;
}

static int decode_dense(struct lane_decoder *decoder, uint32_t parameter,
			uint32_t count)
{
	int status;

	if (parameter)
		return SPMM_SC_STREAM_BLOCK;
	for (uint32_t i = 0; i < count; i++) {
		int8_t weight = (int8_t)bits_peek(&decoder->reader);

		if (!bits_skip(&decoder->reader, 8))
			return SPMM_SC_STREAM_TRUNCATED;
		status = place(decoder, 0, weight);
		if (status)
			return status;
	}
	return SPMM_SC_SUCCESS;
}

/* Columns of the weights of one group, the first in the lowest bits. */
static int decode_group(struct lane_decoder *decoder, uint32_t start,
			const struct block_pattern *pattern)
{
	uint32_t code = (uint32_t)bits_peek(&decoder->reader) &
			((1u << pattern->bits) - 1);
	uint32_t mask = (1u << pattern->shift) - 1;

	if (!bits_skip(&decoder->reader, pattern->bits))
		return SPMM_SC_STREAM_TRUNCATED;
	if (pattern->count == 2) {
		if (code >= BLOCK_PAIRS)
			return SPMM_SC_STREAM_BLOCK;
		code = block_pairs[code];
	}
	for (uint32_t i = 0; i < pattern->count; i++) {
		int8_t weight = (int8_t)bits_peek(&decoder->reader);
		int status;

		if (!bits_skip(&decoder->reader, 8))
			return SPMM_SC_STREAM_TRUNCATED;
		status = place(decoder, start + (code & mask) - decoder->column,
			       weight);
		if (status)
			return status;
		code >>= pattern->shift;
	}
	return SPMM_SC_SUCCESS;
}

static int decode_structured(struct lane_decoder *decoder, uint32_t parameter,
			     uint32_t count)
{
	const struct block_pattern *pattern;
	uint32_t mask;

	if (parameter >= BLOCK_PATTERNS)
		return SPMM_SC_STREAM_BLOCK;
	pattern = &block_patterns[parameter];
	mask = (1u << pattern->shift) - 1;
	if (decoder->columns & mask || count % pattern->count)
		return SPMM_SC_STREAM_BLOCK;
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
static int skip_filler(struct lane_decoder *decoder, uint32_t filler, bool slot)
{
	uint64_t column = (uint64_t)decoder->column + filler;

	if (column >= decoder->columns) {
		column -= decoder->columns;
		decoder->row++;
	}
	if (decoder->row >= decoder->rows)
		return SPMM_SC_STREAM_ROW;
	decoder->column = (uint32_t)column;
	if (!slot)
		return SPMM_SC_SUCCESS;
	decoder->padding++;
	bits_put(&decoder->schedule, SCHEDULE_FILLER, 8);
	if (decoder->schedule.failed)
		return SPMM_SC_INTERNAL;
	return SPMM_SC_SUCCESS;
}

/* All fillers before a weight. */
static int decode_fillers(struct lane_decoder *decoder, uint32_t unary,
			  uint32_t filler)
{
	uint64_t zeros = (1ull << unary) - 1;
	bool slot = false;
	int status;

	while (!(bits_peek(&decoder->reader) & zeros)) {
		if (!bits_skip(&decoder->reader, unary))
			return SPMM_SC_STREAM_TRUNCATED;
		status = skip_filler(decoder, filler, slot);
		if (status)
			return status;
		slot = true;
	}
	return SPMM_SC_SUCCESS;
}

static int decode_delta(struct lane_decoder *decoder, uint32_t rice,
			uint32_t count)
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
			return SPMM_SC_STREAM_TRUNCATED;
		word >>= zeros + 1;
		gap = zeros << rice | ((uint32_t)word & ((1u << rice) - 1));
		if (gap >= filler)
			return SPMM_SC_STREAM_BLOCK;
		status = place(decoder, gap, (int8_t)(word >> rice));
		if (status)
			return status;
	}
	return SPMM_SC_SUCCESS;
}

static int decode_block(struct lane_decoder *decoder)
{
	uint32_t header = (uint32_t)bits_peek(&decoder->reader);
	uint32_t parameter = header >> SPMM_BLOCK_PARAMETER_SHIFT &
			     SPMM_BLOCK_PARAMETER_MASK;
	uint32_t count =
		(header >> SPMM_BLOCK_COUNT_SHIFT & SPMM_BLOCK_COUNT_MASK) + 1;

	if (!bits_skip(&decoder->reader, SPMM_BLOCK_HEADER_BITS))
		return SPMM_SC_STREAM_TRUNCATED;
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
	return SPMM_SC_STREAM_BLOCK;
}

int lane_decode(struct lane_decoder *decoder)
{
	for (;;) {
		uint64_t rest = decoder->reader.end - decoder->reader.position;
		int status;

		if (rest < 8)
			break;
		status = decode_block(decoder);
		if (status)
			return status;
	}
	if (decoder->schedule.failed)
		return SPMM_SC_INTERNAL;
	return bits_peek(&decoder->reader) ? SPMM_SC_STREAM_BLOCK :
					     SPMM_SC_SUCCESS;
}
