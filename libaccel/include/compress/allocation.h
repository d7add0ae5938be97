/* SPDX-License-Identifier: MIT */
/*
 * The multiple-choice knapsack: one candidate for each layer, so that the sum of their
 * losses is least and the sum of their costs within a budget.
 */
#ifndef COMPRESS_ALLOCATION_H
#define COMPRESS_ALLOCATION_H

/** struct allocation_candidate - a way to treat a layer; both numbers finite, cost ≥ 0 */
struct allocation_candidate {
	double loss;
	double cost;
};

/** struct allocation_layer - what there is to choose from, in any order; count ≥ 1 */
struct allocation_layer {
	const struct allocation_candidate *candidates;
	int count;
};

/**
 * allocation_solve() - choose by dynamic programming
 * @layers: at least one
 * @count: of @layers
 * @budget: that the sum of costs may reach, but not exceed
 * @steps: that the range from the cheapest choice to the dearest is divided into, ≥ 1;
 *	costs are rounded up to whole steps. Where all costs are such, the choice is
 *	the best there is; else as good as the best within layer_count steps less
 * @chosen: result, an index into each layer's candidates
 *
 * A larger budget never has a larger loss. Of equally good choices the first is made.
 * Time and memory go with all candidates · steps, and layers · steps.
 *
 * Return: 0; −ERANGE if the cheapest choice is beyond the budget: @chosen is that one;
 * −EINVAL for numbers that are not finite; −ENOMEM.
 */
int allocation_solve(const struct allocation_layer *layers, int count,
		     double budget, int steps, int *chosen);

/** allocation_cost() - sum of the costs of a choice */
double allocation_cost(const struct allocation_layer *layers, int count,
		       const int *chosen);

/** allocation_loss() - sum of the losses of a choice */
double allocation_loss(const struct allocation_layer *layers, int count,
		       const int *chosen);

#endif
