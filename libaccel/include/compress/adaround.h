/* SPDX-License-Identifier: MIT */
/*
 * For each weight of a layer, the code below it or the one above, so that the layer's
 * result loses least (AdaRound, Nagel et al., 2020). Both codes are blended by a
 * rectified sigmoid of a number that is learned, and a term of growing weight drives the
 * blend to one end or the other. All that it asks of the data are H and b of the layer's
 * problem. Rows do not heed each other.
 */
#ifndef COMPRESS_ADAROUND_H
#define COMPRESS_ADAROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct adaround - weights that are to become codes
 * @h: Aᵀ·A, [@columns][@columns], its upper triangle
 * @b: Aᵀ·t, [@rows][@columns]
 * @rows: outputs
 * @columns: unknowns of a row, the bias included
 * @constant: the last column is the bias: it is not rounded, and follows the weights
 * @weights: [@rows][@columns], changed
 * @keep: [@rows][@columns]; what is not kept stays zero
 * @row_scales: [@rows], step of each row's grid
 * @code_max: of the grid, 127 or 7
 * @workers: threads; the result does not depend on them
 */
struct adaround {
	const double *h;
	const double *b;
	size_t rows;
	size_t columns;
	bool constant;
	float *weights;
	const uint8_t *keep;
	const float *row_scales;
	int code_max;
	int workers;
};

/**
 * adaround_solve() - learn and round
 *
 * A row that the nearest codes serve as well gets these. Return: 0; −EINVAL with a text
 * for an H that is not finite; −ENOMEM; −ENOSYS.
 */
int adaround_solve(const struct adaround *adaround);

#endif
