/* SPDX-License-Identifier: MIT */
/*
 * A matrix as W ≈ U·V, or U·V + S with a sparse S. Plain: the nearest of that rank
 * (Eckart and Young, 1936). Whitened: that with the nearest results, W·L being what is
 * decomposed, where L·Lᵀ is the second moment of what W multiplies.
 */
#ifndef COMPRESS_LOW_RANK_FACTOR_H
#define COMPRESS_LOW_RANK_FACTOR_H

#include <stddef.h>

/**
 * struct low_rank_matrix - what is to be factored
 * @rows: of W
 * @columns: of W
 * @weights: W, [@rows][@columns]
 * @moments: [@columns][@columns], of its inputs; NULL: all are alike
 */
struct low_rank_matrix {
	int rows;
	int columns;
	const double *weights;
	const double *moments;
};

/**
 * struct low_rank_factors - W ≈ left·right + rest
 * @rows: of W
 * @columns: of W
 * @rank: columns of @left; what is wanted
 * @rest_count: what is wanted of @rest: weights that are not zero
 * @left: [@rows][@rank]
 * @right: [@rank][@columns]
 * @rest: [@rows][@columns], or NULL for a @rest_count of 0
 */
struct low_rank_factors {
	int rows;
	int columns;
	int rank;
	size_t rest_count;
	float *left;
	float *right;
	float *rest;
};

/**
 * low_rank_factor() - the factors of a matrix
 * @factors: sizes, rank and rest_count are given; the arrays are results, for
 *	low_rank_factors_release()
 * @matrix: of these sizes
 *
 * Return: 0; −EINVAL, −EOVERFLOW or −ENOSYS with a text; −ENOMEM.
 */
int low_rank_factor(struct low_rank_factors *factors,
		    const struct low_rank_matrix *matrix);

/* All zero is allowed. */
void low_rank_factors_release(struct low_rank_factors *factors);

/**
 * low_rank_spectrum() - the singular values of W, or of W·L
 * @matrix: of any size
 * @values: result, as many as the smaller of its sizes, descending
 *
 * Return: as low_rank_factor().
 */
int low_rank_spectrum(const struct low_rank_matrix *matrix, double *values);

#endif
