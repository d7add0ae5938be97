/* SPDX-License-Identifier: MIT */
/* Copies in pieces: each is written when it has been read. */
#ifndef SIM_LOWER_COPY_H
#define SIM_LOWER_COPY_H

#include <spmm/descriptor.h>

#include <sim/execution.h>

void copy_lower(struct sim_execution *execution, enum spmm_hint hint);

/* Bytes of addresses that one side of a copy lies in. */
struct copy_span {
	uint64_t first;
	uint64_t length;
};

/**
 * struct copy_lowering - a copy whose sides are no ranges
 * @piece: bytes that are written at once
 * @pending: bytes since the last piece
 * @channels: parts of a row of both operands
 * @parts: so far
 * @row: of the first part since the last piece
 */
struct copy_lowering {
	struct sim_execution *execution;
	enum spmm_hint hint;
	uint32_t source;
	uint32_t destination;
	uint64_t piece;
	uint64_t pending;
	uint64_t channels;
	uint64_t parts;
	uint32_t row;
};

/*
 * A copy of bands of image rows, all channels of a band after the other, without gaps
 * in a line: its pieces wait for the rows that they touch, not for all of it. False:
 * it is another kind of copy.
 */
bool lower_copy_begin_rows(struct copy_lowering *copy,
			   const struct spmm_copy_descriptor *descriptor);

/* Then each of its contiguous parts in order, then the end. */
void lower_copy_begin(struct copy_lowering *copy,
		      const struct copy_span *source,
		      const struct copy_span *destination, uint64_t bytes);
void lower_copy_part(struct copy_lowering *copy, uint64_t from, uint64_t to,
		     uint64_t bytes);
void lower_copy_end(struct copy_lowering *copy);

/* The store of a word, after all that its queue has done before. */
void lower_word(struct sim_execution *execution);

#endif
