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

/**
 * struct stream - a packed matrix
 * @bytes: one part for each row group, one after the other
 * @length: of @bytes
 * @nonzeros: kept positions
 * @issue_cycles: of the longest part for one vector
 * @optimal_cycles: lower bound of the same by bipartite edge colouring:
 *	max(lane load, bank load), summed over scheduling windows
 * @block_count: blocks by format, enum spmm_block_format
 */
struct stream {
	uint8_t *bytes;
	size_t length;
	uint64_t nonzeros;
	uint64_t issue_cycles;
	uint64_t optimal_cycles;
	uint64_t block_count[4];
};

int stream_pack(const struct model_csr *matrix, const struct geometry *geometry,
		const struct mapping *mapping, struct stream *out);
void stream_free(struct stream *stream);

/* One multiply-accumulate slot: weight · X[column] into a row. */
struct stream_slot {
	uint32_t row;
	uint32_t column;
	int8_t weight;
	uint8_t lane;
	uint16_t flags; /* STREAM_SLOT_* */
};

#define STREAM_SLOT_PADDING 0x1 /* no weight: the lane idles or fills a delta */

/**
 * struct stream_part - what one row group's clusters execute
 * @slots: in issue order
 * @slot_count: of all cycles
 * @cycle_start: cycles + 1 indices into @slots; a cycle issues at most one slot
 *	for each lane
 * @cycles: issue cycles for one vector of X, bank conflicts included
 * @nonzeros: slots that are not padding
 * @first_row: rows [first_row, last_row] get contributions from this part; a
 *	row on the border of two parts is summed by the merge
 */
struct stream_part {
	struct stream_slot *slots;
	size_t slot_count;
	uint32_t *cycle_start;
	uint64_t cycles;
	uint64_t nonzeros;
	uint64_t bytes;
	uint32_t first_row;
	uint32_t last_row;
};

struct stream_decoded {
	struct stream_part *parts;
	uint32_t part_count;
	struct mapping mapping;
	uint64_t nonzeros;
};

/**
 * stream_decode() - check and unpack a stream
 * @bytes: hostile
 * @length: of @bytes
 * @rows: M of the command
 * @columns: K of the command
 * @geometry: of the device; a stream for another one is refused
 * @out: freed by stream_decoded_free()
 * @offset: where decoding failed
 *
 * Return: enum spmm_status.
 */
int stream_decode(const uint8_t *bytes, size_t length, uint32_t rows,
		  uint32_t columns, const struct geometry *geometry,
		  struct stream_decoded *out, size_t *offset);
void stream_decoded_free(struct stream_decoded *decoded);

#endif
