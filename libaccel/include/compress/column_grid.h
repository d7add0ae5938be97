/* SPDX-License-Identifier: MIT */
/* Codes that the columns of a layer's problem become, row by row. */
#ifndef COMPRESS_COLUMN_GRID_H
#define COMPRESS_COLUMN_GRID_H

#include <stddef.h>

/* Weights that are rows of one problem: a recurrent layer's, and its recurrence's. */
#define COLUMN_GRIDS_MAX 2

/**
 * struct column_grid - of the columns behind those of the grid before
 * @end: column behind the last one
 * @row_scales: step of each row
 * @code_max: largest code, 127 or 7
 */
struct column_grid {
	size_t end;
	const float *row_scales;
	int code_max;
};

#endif
