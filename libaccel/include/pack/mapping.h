/* SPDX-License-Identifier: MIT */
/*
 * Which cluster does what: clusters = row groups × column groups, chosen in
 * closed form. All clusters of a column group see the same columns of X; each
 * row group has its own part of the weight stream.
 */
#ifndef PACK_MAPPING_H
#define PACK_MAPPING_H

#include <stdint.h>

#include "pack/geometry.h"

/**
 * struct mapping - of one layer onto the clusters
 * @row_groups: parts of the weight stream
 * @column_groups: parts of N; row_groups · column_groups ≤ clusters
 * @vector_width: columns of X that one issue works on: the geometry's, or half
 *	of it when a vector more would be mostly empty
 */
struct mapping {
	uint32_t row_groups;
	uint32_t column_groups;
	uint32_t vector_width;
};

/**
 * struct mapping_layer - what the choice depends on
 * @rows: M
 * @inner: K
 * @columns: N
 * @nonzeros: kept weights
 * @kernel_width: horizontal taps, which are shifted views of one line of the
 *	input; 1 for a matrix product
 */
struct mapping_layer {
	uint32_t rows;
	uint32_t inner;
	uint64_t columns;
	uint64_t nonzeros;
	uint32_t kernel_width;
};

struct mapping mapping_choose(const struct geometry *geometry,
			      const struct mapping_layer *layer);

/**
 * mapping_cycles() - predicted cycles of the slowest cluster
 *
 * The quantity that mapping_choose() minimizes, all splits taken as even:
 * vectors of a column group · max(weights of a lane, rows of a part / epilogue
 * rate, bytes that a cluster reads for a vector / bytes of its SRAM port).
 * Bank conflicts and fillers come on top.
 */
uint64_t mapping_cycles(const struct geometry *geometry,
			const struct mapping_layer *layer,
			const struct mapping *mapping);

#endif
