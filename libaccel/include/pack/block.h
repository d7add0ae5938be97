/* SPDX-License-Identifier: MIT */
/*
 * The blocks of a lane's bit stream: which format suits the weights that come
 * next, and its bits. Positions are linear: row · K + column, so that a gap may
 * cross the end of a row and no bit has to say that it does.
 */
#ifndef PACK_BLOCK_H
#define PACK_BLOCK_H

#include <stdint.h>

#include <spmm/stream.h>

#include "pack/bits.h"

#define BLOCK_PATTERNS 5

/* Groups of 1 << shift columns hold count weights, told apart by bits bits. */
struct block_pattern {
	uint8_t shift;
	uint8_t count;
	uint8_t bits;
};

extern const struct block_pattern block_patterns[BLOCK_PATTERNS];

/* The columns, of which the lower is in bits 1:0, that 2:4's code stands for. */
#define BLOCK_PAIRS 6
extern const uint8_t block_pairs[BLOCK_PAIRS];

/* Zeros that make a filler. */
static inline uint32_t block_unary(uint32_t columns)
{
	return columns < SPMM_BLOCK_UNARY_MAX ? columns : SPMM_BLOCK_UNARY_MAX;
}

/* Positions that a filler skips: never more than one row. */
static inline uint32_t block_filler(uint32_t columns, uint32_t rice)
{
	uint32_t skip = block_unary(columns) << rice;

	return skip < columns ? skip : columns;
}

/**
 * struct block_run - the weights of one lane
 * @position: linear, ascending
 * @symbol: for the schedule: the bank, and whether the row is new
 * @weight: int8
 * @count: of all three
 * @next: position of the weight behind them, which the next lane has; UINT64_MAX if
 *	there is none
 */
struct block_run {
	const uint64_t *position;
	const uint8_t *symbol;
	const int8_t *weight;
	size_t count;
	uint64_t next;
};

/**
 * struct block_encoder - where blocks go
 * @columns: K
 * @cursor: the position that the next gap is counted from
 * @bits: the lanes' bit streams
 * @schedule: symbols for schedule_run(), fillers included, a byte each
 * @padding: fillers that take an issue slot
 * @block_count: blocks by format
 */
struct block_encoder {
	uint32_t columns;
	uint64_t cursor;
	struct bit_writer bits;
	struct bit_writer schedule;
	uint64_t padding;
	uint64_t block_count[SPMM_BLOCK_DELTA + 1];
};

/* Append one lane; the caller has set the cursor. Look at failed at the end. */
void block_encode(struct block_encoder *encoder, const struct block_run *run);

#endif
