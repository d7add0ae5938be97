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
 * @bank_span: neighbouring columns of W that read the same bank of the
 *	activation buffer: bank = (k / bank_span) mod banks. kernel_width when
 *	the buffer holds lines of the input, of which the horizontal taps are
 *	shifted views; 1 when it holds each row of X by itself
 */
struct mapping {
	uint32_t row_groups;
	uint32_t column_groups;
	uint32_t vector_width;
	uint32_t bank_span;
};

/**
 * struct mapping_layer - what the choice depends on
 * @rows: M
 * @inner: K
 * @columns: N
 * @nonzeros: kept weights
 * @kernel_width: horizontal taps, 1 for a matrix product
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
 * mapping_cycles() - predicted issue and epilogue cycles of the slowest cluster
 *
 * vectors per column group × max(longest lane, rows of the longest part), both
 * after even splits: the quantity that mapping_choose() minimizes. A lower
 * bound of the real count, which adds bank conflicts and fillers.
 */
uint64_t mapping_cycles(const struct geometry *geometry,
			const struct mapping_layer *layer,
			const struct mapping *mapping);

#endif
