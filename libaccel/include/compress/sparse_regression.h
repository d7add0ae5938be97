/* SPDX-License-Identifier: MIT */
/*
 * A layer's rows with exactly so many weights: least squares under a norm that counts
 * (l0) or sums (l1). Both look for the support with each weight in units of what it
 * does to the result, √H_ii·w; what is on it is then solved for by least squares.
 */
#ifndef COMPRESS_SPARSE_REGRESSION_H
#define COMPRESS_SPARSE_REGRESSION_H

#include <compress/layer_problem.h>

/**
 * enum sparse_norm - of what is to be small
 * @SPARSE_L0: alternating directions: a least squares step pulled to the last support,
 *	then a projection onto the best one, which shrinks step by step to its size
 *	(Boyd et al., 2011, section 9.1; Boža, 2024)
 * @SPARSE_L1: proximal gradient with momentum (Beck and Teboulle, 2009), the weight of
 *	the norm chosen anew in each step so that as many stay as asked
 */
enum sparse_norm {
	SPARSE_L0,
	SPARSE_L1,
};

/**
 * struct sparse_regression - context of the solver
 * @norm: which
 * @ridge: see least_squares_solve()
 */
struct sparse_regression {
	enum sparse_norm norm;
	double ridge;
};

/*
 * For struct layer_solver. As many weights of the problem stay as its keep has at
 * first, and keep says which in the end.
 */
int sparse_regression_solve(void *context, struct layer_problem *problem);

#endif
