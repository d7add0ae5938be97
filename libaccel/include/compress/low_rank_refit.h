/* SPDX-License-Identifier: MIT */
/* The values of a sparse matrix that give the nearest results, its positions being given. */
#ifndef COMPRESS_LOW_RANK_REFIT_H
#define COMPRESS_LOW_RANK_REFIT_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct low_rank_refit - least squares under a mask, all rows at once
 * @rows: of the matrix
 * @columns: of the matrix
 * @moments: [@columns][@columns], of its inputs, positive definite
 * @keep: [@rows][@columns], where there may be a value
 * @values: [@rows][@columns], what is to be imitated; result, zero elsewhere
 */
struct low_rank_refit {
	size_t rows;
	size_t columns;
	const float *moments;
	const uint8_t *keep;
	float *values;
};

/**
 * low_rank_refit_run() - some steps of conjugate gradients
 *
 * They begin with what is imitated, cut off, and make the results no worse. Return: 0
 * or −ENOMEM.
 */
int low_rank_refit_run(const struct low_rank_refit *refit);

#endif
