/* SPDX-License-Identifier: MIT */
/* Random sparse matrices for the tests of packing. */
#ifndef UNIT_MATRIX_H
#define UNIT_MATRIX_H

#include <stdlib.h>

#include <model/model.h>

#include "random.h"
#include "unit.h"

enum matrix_kind {
	MATRIX_UNIFORM,
	MATRIX_SKEWED, /* some rows are full, most are nearly empty */
	MATRIX_PATTERN, /* count weights in each group of 4 columns */
	MATRIX_NEARLY, /* the same, but for a few groups */
	MATRIX_BLOCKS, /* of a grouped convolution: dense runs, long gaps */
	MATRIX_KINDS,
};

static inline double matrix_density(enum matrix_kind kind, double density,
				    uint32_t row, uint32_t column,
				    uint32_t columns)
{
	switch (kind) {
	case MATRIX_SKEWED:
		return row % 13 == 5 ? 1.0 : density / 20;
	case MATRIX_BLOCKS:
		return column / (columns / 4 + 1) == row % 4 ? 0.99 : 0;
	default:
		return density;
	}
}

/* For MATRIX_PATTERN and _NEARLY, density is the count in each group: 1 or 2. */
static inline bool matrix_keeps(enum matrix_kind kind, double density,
				uint32_t row, uint32_t column, uint32_t columns,
				uint64_t *seed)
{
	uint32_t first, second;

	if (kind != MATRIX_PATTERN && kind != MATRIX_NEARLY)
		return random_unit(seed) <
		       matrix_density(kind, density, row, column, columns);
	/* A hash of the group, so that its columns agree on who is kept. */
	first = (row * 7 + column / 4 * 13 + column / 64) % 4;
	second = (first + 1 + (row + column / 4) % 3) % 4;
	if (kind == MATRIX_NEARLY && random_below(seed, 150) == 0)
		return true;
	if (density < 2)
		return column % 4 == first;
	return column % 4 == first || column % 4 == second;
}

static inline struct model_csr matrix_random(enum matrix_kind kind,
					     uint32_t rows, uint32_t columns,
					     double density, uint64_t *seed)
{
	struct model_csr csr = { .rows = rows, .columns = columns };
	size_t room = (size_t)rows * columns;
	int64_t count = 0;

	csr.row_start = calloc(rows + 1, sizeof(*csr.row_start));
	csr.column = calloc(room, sizeof(*csr.column));
	csr.value = calloc(room, 1);
	assert_non_null(csr.row_start);
	assert_non_null(csr.column);
	assert_non_null(csr.value);
	for (uint32_t row = 0; row < rows; row++) {
		for (uint32_t column = 0; column < columns; column++) {
			if (!matrix_keeps(kind, density, row, column, columns,
					  seed))
				continue;
			csr.column[count] = (int32_t)column;
			csr.value[count++] = (int8_t)random_next(seed);
		}
		csr.row_start[row + 1] = count;
	}
	return csr;
}

static inline void matrix_free(struct model_csr *csr)
{
	free(csr->row_start);
	free(csr->column);
	free(csr->value);
}

#endif
