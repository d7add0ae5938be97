/* SPDX-License-Identifier: MIT */
/*
 * Weight streams: CSR packed for one geometry and mapping, and the decoder that
 * the device model, the fuzzers and the tests share. The format is
 * uapi/spmm/stream.h. Packing is deterministic; decoding trusts nothing.
 */
#ifndef PACK_STREAM_H
#define PACK_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "pack/geometry.h"
#include "pack/mapping.h"

#define STREAM_BLOCK_FORMATS 4 /* of enum spmm_block_format */

/**
 * struct stream - a packed matrix
 * @bytes: one part for each row group, one after the other
 * @length: of @bytes
 * @nonzeros: kept positions
 * @issue_cycles: of the longest part for one vector
 * @optimal_cycles: lower bound of the same by bipartite edge colouring:
 *	max(an even lane's load, bank load, weights ÷ decoder rate), of the longest part
 * @bank_skew: chosen to spread the columns
 * @padding: issue slots of all parts that only bridge a gap between columns
 * @block_count: blocks by format, enum spmm_block_format
 */
struct stream {
	uint8_t *bytes;
	size_t length;
	uint64_t nonzeros;
	uint64_t issue_cycles;
	uint64_t optimal_cycles;
	uint32_t bank_skew;
	uint64_t padding;
	uint64_t block_count[STREAM_BLOCK_FORMATS];
};

/**
 * stream_pack() - CSR to weight stream
 * @matrix: columns ascend strictly within a row
 * @geometry: of the device
 * @mapping: from mapping_choose()
 * @out: freed by stream_free()
 *
 * Return: 0, or −EINVAL, −E2BIG or −ENOMEM with an error text. Thread-safe.
 */
int stream_pack(const struct model_csr *matrix, const struct geometry *geometry,
		const struct mapping *mapping, struct stream *out);

/**
 * stream_pack_rows() - the same where rows cost something, too
 * @matrix: as in stream_pack()
 * @geometry: likewise
 * @mapping: likewise
 * @row_weight: parts get even shares of weights and rows, a row counted as so many
 *	weights
 * @out: likewise
 */
int stream_pack_rows(const struct model_csr *matrix,
		     const struct geometry *geometry,
		     const struct mapping *mapping, uint32_t row_weight,
		     struct stream *out);
void stream_free(struct stream *stream);

/**
 * struct stream_slot - one multiply-accumulate: weight · X[column] into a row
 * @row: of W
 * @column: of W, which is the row of X
 * @cycle: when it issues, counted from the part's start
 * @weight: may be 0
 * @lane: that executes it; a lane issues at most one slot in a cycle
 */
struct stream_slot {
	uint32_t row;
	uint32_t column;
	uint32_t cycle;
	int8_t weight;
	uint8_t lane;
	uint16_t pad;
};

/**
 * struct stream_part - what one row group's clusters execute
 * @slots: lane by lane, each in ascending (row, column); the issue order is that
 *	of their cycles. int32 sums are modulo 2^32, so that any order is exact
 * @slot_count: non-zeros of the part
 * @lane_start: lanes + 1 indices into @slots
 * @cycles: issue cycles for one vector of X: the lanes' last cycle + 1
 * @padding: issue slots without a weight, which bridge a gap too long for a code
 * @bank_stalls: lane-cycles in which no weight of the lane's window had a free
 *	bank or a free accumulator; lanes · cycles = slot_count + padding +
 *	bank_stalls + tail, where the tail is idle lanes at the end
 * @bytes: of the stream that the part reads for one vector
 * @row_begin: first row with a weight in this part
 * @row_end: one past the last of them; the rows at both ends may be shared with
 *	a neighbour, whose sums the merge adds
 * @finish_begin: this part runs the epilogue of rows [finish_begin, finish_end):
 *	the parts' ranges follow one another and cover all M rows, those without
 *	a weight too
 * @finish_end: see @finish_begin
 */
struct stream_part {
	struct stream_slot *slots;
	size_t slot_count;
	size_t *lane_start;
	uint64_t cycles;
	uint64_t padding;
	uint64_t bank_stalls;
	uint64_t bytes;
	uint32_t row_begin;
	uint32_t row_end;
	uint32_t finish_begin;
	uint32_t finish_end;
};

/**
 * struct stream_decoded - a checked and unpacked stream
 * @slots: of all parts, one after the other
 * @parts: one for each row group
 * @part_count: mapping.row_groups
 * @mapping: that the host chose
 * @bank_skew: of the rows of X, pack/bank.h
 * @nonzeros: of all parts
 */
struct stream_decoded {
	struct stream_slot *slots;
	struct stream_part *parts;
	uint32_t part_count;
	struct mapping mapping;
	uint32_t bank_skew;
	uint64_t nonzeros;
};

/**
 * stream_decode() - check and unpack a stream
 * @bytes: hostile
 * @length: of @bytes
 * @rows: M of the command
 * @columns: K of the command
 * @geometry: of the device; a stream for another one is refused
 * @out: freed by stream_decoded_free(); empty unless the stream is good
 * @offset: byte at which decoding failed; may be NULL
 *
 * Memory is at most 100 bytes for each byte of the stream: 16 for a weight, of
 * which each has 8 bits or more, and 6 for an issue slot, of which a filler may have
 * one bit when K is 1. Time is linear in @length, too.
 *
 * Return: enum spmm_status; SPMM_SC_INTERNAL when memory ran out.
 */
int stream_decode(const uint8_t *bytes, size_t length, uint32_t rows,
		  uint32_t columns, const struct geometry *geometry,
		  struct stream_decoded *out, size_t *offset);
void stream_decoded_free(struct stream_decoded *decoded);

/* The same for who only wants the weights: no slot knows its cycle, no part its stalls. */
int stream_decode_weights(const uint8_t *bytes, size_t length, uint32_t rows,
			  uint32_t columns, const struct geometry *geometry,
			  struct stream_decoded *out, size_t *offset);

#endif
