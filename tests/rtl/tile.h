/* SPDX-License-Identifier: MIT */
/* A sparse matrix times some vectors, as a cluster's tasks; what must come out. */
#ifndef RTL_TILE_H
#define RTL_TILE_H

#include <model/model.h>

#include "lockstep.h"

/**
 * struct tile - what is computed
 * @matrix: W
 * @row_groups: parts of its stream
 * @vectors: of 32 columns of X
 * @seed: of X, biases and scales
 * @output_type: enum spmm_output_type
 * @any_scale: all positive binary32, and large biases; else such as networks have
 */
struct tile {
	const struct model_csr *matrix;
	uint32_t row_groups;
	uint32_t vectors;
	uint64_t seed;
	uint8_t output_type;
	bool any_scale;
};

/**
 * struct tile_totals - over all tasks of all tiles
 * @tasks: parts times vectors
 * @cycles: of their schedules, which are those that stream_decode() says
 * @stalls: clocks that the epilogue cost
 * @rows: that left the epilogue
 * @fill_max: clocks before the first issue
 * @tail_min: clocks after the last issue
 * @tail_max: likewise
 */
struct tile_totals {
	uint64_t tasks;
	uint64_t cycles;
	uint64_t stalls;
	uint64_t rows;
	uint64_t fill_max;
	uint64_t tail_min;
	uint64_t tail_max;
};

/* Every value of every row is the golden arithmetic's, and cycles are the packer's. */
void tile_run(struct lockstep *lockstep, const struct tile *tile,
	      struct tile_totals *totals);

#endif
