/* SPDX-License-Identifier: MIT */
/*
 * The inverse of a layer's H = Aᵀ·A, as the upper triangular U with H⁻¹ = Uᵀ·U. Row j
 * of U, over U[j][j], says how the weights behind j take over for it, and U[j][j]² is
 * the j-th of the diagonal of the inverse once those before it are settled: all that
 * a sweep from left to right asks for.
 *
 * U is the inverse of the Cholesky factor of H with rows and columns reversed:
 * ⅔·d³ operations, where inverting H and factoring the inverse takes 4/3·d³.
 */
#ifndef COMPRESS_HESSIAN_H
#define COMPRESS_HESSIAN_H

#include <stdbool.h>
#include <stddef.h>

/** HESSIAN_DAMPING - part of the mean of the diagonal that is added to it at first */
#define HESSIAN_DAMPING 1e-2

/**
 * struct hessian - all results of hessian_factor()
 * @columns: d
 * @factor: U, [@columns][@columns], zero below the diagonal
 * @dead: [@columns], inputs that were always zero: they have 1 on the diagonal, and
 *	touch nothing
 * @damping: what was added to the diagonal
 */
struct hessian {
	size_t columns;
	float *factor;
	bool *dead;
	double damping;
};

/**
 * hessian_factor() - factor the inverse
 * @out: result, for hessian_release(), after an error also
 * @h: [@columns][@columns], its upper triangle
 * @columns: d
 * @constant: the last column is the bias, which is not damped
 * @damping: part of the mean of the diagonal; it grows until H can be factored
 *
 * Return: 0; −EINVAL for an H that is not finite, or no Aᵀ·A; −ENOMEM; −ENOSYS.
 */
int hessian_factor(struct hessian *out, const double *h, size_t columns,
		   bool constant, double damping);

/* All zero is allowed. */
void hessian_release(struct hessian *hessian);

#endif
