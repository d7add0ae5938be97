/* SPDX-License-Identifier: MIT */
/*
 * Which cluster does what: clusters = row groups × column groups, chosen in
 * closed form from M, N and the non-zeros. All clusters of a column group see
 * the same columns of X; each row group has its own part of the weight stream.
 */
#ifndef PACK_MAPPING_H
#define PACK_MAPPING_H

#include <stdint.h>

#include "pack/geometry.h"

struct mapping {
	uint32_t row_groups;
	uint32_t column_groups;
	uint32_t vector_width; /* in use: the geometry's, or half of it */
};

struct mapping mapping_choose(const struct geometry *geometry, uint64_t rows,
			      uint64_t columns, uint64_t nonzeros);

#endif
