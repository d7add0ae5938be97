/* SPDX-License-Identifier: MIT */
#include "pack/block.h"

#include <stdbool.h>

#include "pack/schedule.h"

/*
 * A run of neighbours that pays for a block of its own: two headers against one
 * bit for each weight.
 */
#define DENSE_MIN 48
/* The same for groups. */
#define PATTERN_MIN 48
/* What a filler's issue slot is worth in bits: about a weight. */
#define FILLER_COST 16

const struct block_pattern block_patterns[BLOCK_PATTERNS] = {
	[SPMM_PATTERN_1_2] = { .shift = 1, .count = 1, .bits = 1 },
	[SPMM_PATTERN_1_4] = { .shift = 2, .count = 1, .bits = 2 },
	[SPMM_PATTERN_1_8] = { .shift = 3, .count = 1, .bits = 3 },
	[SPMM_PATTERN_1_16] = { .shift = 4, .count = 1, .bits = 4 },
	[SPMM_PATTERN_2_4] = { .shift = 2, .count = 2, .bits = 3 },
};

const uint8_t block_pairs[BLOCK_PAIRS] = { 0 | 1 << 2, 0 | 2 << 2, 0 | 3 << 2,
					   1 | 2 << 2, 1 | 3 << 2, 2 | 3 << 2 };

/* Cheapest first. */
static const uint8_t pattern_order[BLOCK_PATTERNS] = {
	SPMM_PATTERN_1_2, SPMM_PATTERN_2_4,  SPMM_PATTERN_1_4,
	SPMM_PATTERN_1_8, SPMM_PATTERN_1_16,
};

struct choice {
	enum spmm_block_format format;
	uint32_t parameter;
	uint32_t count;
};

static uint32_t block_limit(const struct block_run *run, size_t first)
{
	size_t left = run->count - first;

	return left < SPMM_BLOCK_COUNT_MAX ? (uint32_t)left :
					     SPMM_BLOCK_COUNT_MAX;
}

/* How many weights follow the cursor without a gap. */
static uint32_t dense_length(const struct block_run *run, size_t first,
			     uint64_t cursor)
{
	uint32_t limit = block_limit(run, first), n = 0;

	while (n < limit && run->position[first + n] == cursor + n)
		n++;
	return n;
}

static bool in_group(const struct block_run *run, size_t first, uint32_t count,
		     uint32_t shift, uint64_t group)
{
	for (size_t i = first; i < first + count; i++)
		if (i >= run->count || run->position[i] >> shift != group)
			return false;
	return true;
}

/* The cursor ends behind the group: also a weight of the next lane must not be in. */
static bool group_goes_on(const struct block_run *run, size_t end,
			  uint32_t shift, uint64_t group)
{
	uint64_t next = end < run->count ? run->position[end] : run->next;

	return next >> shift == group;
}

/* How many weights form full groups of the pattern, one group after the other. */
static uint32_t pattern_length(const struct block_run *run, size_t first,
			       uint64_t cursor, uint32_t columns,
			       const struct block_pattern *pattern)
{
	uint32_t shift = pattern->shift, count = pattern->count;
	uint64_t group = (cursor + (1u << shift) - 1) >> shift;
	uint32_t n = 0;

	if (columns % (1u << shift))
		return 0;
	while (n + count <= SPMM_BLOCK_COUNT_MAX &&
	       in_group(run, first + n, count, shift, group) &&
	       !group_goes_on(run, first + n + count, shift, group)) {
		n += count;
		group++;
	}
	return n;
}

static bool choose_pattern(const struct block_run *run, size_t first,
			   uint64_t cursor, uint32_t columns,
			   struct choice *choice)
{
	for (uint32_t i = 0; i < BLOCK_PATTERNS; i++) {
		uint32_t pattern = pattern_order[i];
		uint32_t length = pattern_length(run, first, cursor, columns,
						 &block_patterns[pattern]);

		if (length < PATTERN_MIN)
			continue;
		*choice = (struct choice){ SPMM_BLOCK_STRUCTURED, pattern,
					   length };
		return true;
	}
	return false;
}

/*
 * Gaps of the weights up to the next dense run. The split between lanes may have
 * cut a pair of 2:4 in two: then its second half gets a block of its own, and the
 * pattern starts after it.
 */
static uint32_t gather_gaps(const struct block_run *run, size_t first,
			    uint64_t cursor, uint32_t columns, uint64_t *gaps)
{
	uint32_t limit = block_limit(run, first), dense = 0;

	if (first == 0 && run->count > 1 &&
	    pattern_length(run, 1, run->position[0] + 1, columns,
			   &block_patterns[SPMM_PATTERN_2_4]) >= PATTERN_MIN)
		limit = 1;
	for (uint32_t i = 0; i < limit; i++) {
		gaps[i] = run->position[first + i] - cursor;
		cursor = run->position[first + i] + 1;
		dense = gaps[i] ? 0 : dense + 1;
		if (dense == DENSE_MIN && i >= DENSE_MIN)
			return i + 1 - DENSE_MIN;
	}
	return limit;
}

/* Bits of the codes, and what their fillers cost beyond. */
static uint64_t rice_cost(const uint64_t *gaps, uint32_t count, uint32_t rice,
			  uint32_t columns)
{
	uint64_t bits = (uint64_t)count * (1 + rice), fillers;
	uint32_t filler = block_filler(columns, rice);

	for (uint32_t i = 0; i < count; i++) {
		if (gaps[i] < filler) {
			bits += gaps[i] >> rice;
			continue;
		}
		fillers = gaps[i] / filler;
		bits += (gaps[i] % filler) >> rice;
		bits += fillers * block_unary(columns);
		bits += (fillers - 1) * FILLER_COST;
	}
	return bits;
}

/* The cost is convex in k, with its minimum near log2(mean gap · ln 2). */
static uint32_t choose_rice(const uint64_t *gaps, uint32_t count,
			    uint32_t columns)
{
	uint64_t sum = 0, cost, next;
	uint32_t rice = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += gaps[i];
	while (rice < SPMM_BLOCK_RICE_MAX && sum >> (rice + 2) > count)
		rice++;
	cost = rice_cost(gaps, count, rice, columns);
	for (; rice < SPMM_BLOCK_RICE_MAX; rice++, cost = next) {
		next = rice_cost(gaps, count, rice + 1, columns);
		if (next >= cost)
			break;
	}
	return rice;
}

/* Also fills gaps when the format has them. */
static struct choice choose(const struct block_run *run, size_t first,
			    uint64_t cursor, uint32_t columns, uint64_t *gaps)
{
	struct choice choice;
	uint32_t count = dense_length(run, first, cursor);

	if (count >= DENSE_MIN || count == run->count - first)
		return (struct choice){ SPMM_BLOCK_DENSE, 0, count };
	if (choose_pattern(run, first, cursor, columns, &choice))
		return choice;
	count = gather_gaps(run, first, cursor, columns, gaps);
	choice.parameter = choose_rice(gaps, count, columns);
	choice.format = choice.parameter ? SPMM_BLOCK_DELTA : SPMM_BLOCK_BITMAP;
	choice.count = count;
	return choice;
}

static void put_weight(struct block_encoder *encoder,
		       const struct block_run *run, size_t index)
{
	bits_put(&encoder->bits, (uint8_t)run->weight[index], 8);
	bits_put(&encoder->schedule, run->symbol[index], 8);
}

static void put_dense(struct block_encoder *encoder,
		      const struct block_run *run, size_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		put_weight(encoder, run, first + i);
	encoder->cursor += count;
}

static uint32_t pattern_code(const uint64_t *position,
			     const struct block_pattern *pattern)
{
	uint32_t mask = (1u << pattern->shift) - 1, code = 0;
	uint32_t pair;

	if (pattern->count == 1)
		return (uint32_t)position[0] & mask;
	pair = ((uint32_t)position[0] & mask) | ((uint32_t)position[1] & mask)
							<< 2;
	while (block_pairs[code] != pair)
		code++;
	return code;
}

static void put_structured(struct block_encoder *encoder,
			   const struct block_run *run, size_t first,
			   const struct choice *choice)
{
	const struct block_pattern *pattern =
		&block_patterns[choice->parameter];
	uint64_t last = run->position[first + choice->count - 1];

	for (uint32_t i = 0; i < choice->count; i += pattern->count) {
		bits_put(&encoder->bits,
			 pattern_code(run->position + first + i, pattern),
			 pattern->bits);
		for (uint32_t j = 0; j < pattern->count; j++)
			put_weight(encoder, run, first + i + j);
	}
	encoder->cursor = ((last >> pattern->shift) + 1) << pattern->shift;
}

/* The filler next to the weight is decoded with it and takes no slot. */
static void put_fillers(struct block_encoder *encoder, uint64_t count)
{
	for (uint64_t i = 0; i < count && !encoder->schedule.failed; i++) {
		bits_put(&encoder->bits, 0, block_unary(encoder->columns));
		if (i == 0)
			continue;
		bits_put(&encoder->schedule, SCHEDULE_FILLER, 8);
		encoder->padding++;
	}
}

static void put_delta(struct block_encoder *encoder,
		      const struct block_run *run, size_t first,
		      const struct choice *choice, const uint64_t *gaps)
{
	uint32_t rice = choice->parameter;
	uint32_t filler = block_filler(encoder->columns, rice);

	for (uint32_t i = 0; i < choice->count; i++) {
		uint64_t gap = gaps[i], rest;

		if (gap >= filler) {
			put_fillers(encoder, gap / filler);
			gap %= filler;
		}
		rest = gap & ((1ull << rice) - 1);
		bits_put(&encoder->bits, (rest << 1 | 1) << (gap >> rice),
			 (uint32_t)(gap >> rice) + 1 + rice);
		put_weight(encoder, run, first + i);
	}
	encoder->cursor = run->position[first + choice->count - 1] + 1;
}

static void put_header(struct block_encoder *encoder,
		       const struct choice *choice)
{
	bits_put(&encoder->bits,
		 (uint32_t)choice->format << SPMM_BLOCK_FORMAT_SHIFT |
			 choice->parameter << SPMM_BLOCK_PARAMETER_SHIFT |
			 (choice->count - 1) << SPMM_BLOCK_COUNT_SHIFT,
		 SPMM_BLOCK_HEADER_BITS);
	encoder->block_count[choice->format]++;
}

void block_encode(struct block_encoder *encoder, const struct block_run *run)
{
	uint64_t gaps[SPMM_BLOCK_COUNT_MAX];
	struct choice choice;

	for (size_t first = 0; first < run->count; first += choice.count) {
		choice = choose(run, first, encoder->cursor, encoder->columns,
				gaps);
		put_header(encoder, &choice);
		switch (choice.format) {
		case SPMM_BLOCK_DENSE:
			put_dense(encoder, run, first, choice.count);
			break;
		case SPMM_BLOCK_STRUCTURED:
			put_structured(encoder, run, first, &choice);
			break;
		case SPMM_BLOCK_BITMAP:
		case SPMM_BLOCK_DELTA:
			put_delta(encoder, run, first, &choice, gaps);
			break;
		}
	}
	bits_align(&encoder->bits);
}
