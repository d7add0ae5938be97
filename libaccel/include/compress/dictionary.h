/* SPDX-License-Identifier: MIT */
/*
 * W ≈ D·X: every column of W as a few columns of D, its atoms. Sparse coding by
 * orthogonal matching pursuit, atoms by K-SVD (Aharon, Elad and Bruckstein, 2006), with
 * one power iteration in place of each SVD (Rubinstein et al., 2008). A baseline: it
 * looks at the weights alone.
 */
#ifndef COMPRESS_DICTIONARY_H
#define COMPRESS_DICTIONARY_H

struct low_rank_factors;
struct low_rank_matrix;

/**
 * dictionary_factor() - atoms and codes of a matrix
 * @factors: the rank is the number of atoms; result: D in left, X in right, for
 *	low_rank_factors_release()
 * @matrix: its columns are what is coded
 * @nonzeros: of each column of X, at most
 *
 * Return: 0 or −ENOMEM.
 */
int dictionary_factor(struct low_rank_factors *factors,
		      const struct low_rank_matrix *matrix, int nonzeros);

#endif
