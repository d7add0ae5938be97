/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_PRUNE_H
#define COMPRESS_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compress/graph.h"

/**
 * DOC: Pruning
 *
 * A mask says which weights of a graph stay. Methods differ in how they score a
 * weight; all of them share the selection: exactly so many weights are kept, the
 * ones whose score is *above* the threshold, and of equal scores the first ones.
 * Only the matrices of linear and recurrent layers are pruned, never biases nor
 * the weights of structural nodes.
 */

/**
 * struct prune_mask - kept positions
 * @keep: for each tensor of the graph, one byte for each element (1 kept, 0
 *	pruned), or NULL for a tensor that is no prunable weight
 * @tensor_count: of the graph
 */
struct prune_mask {
	uint8_t **keep;
	int tensor_count;
};

enum prune_scope {
	PRUNE_PER_LAYER, /* the same sparsity for every weight matrix */
	PRUNE_GLOBAL, /* one threshold */
};

/** prune_mask_create() - every weight is kept; NULL without memory */
struct prune_mask *prune_mask_create(const struct graph *graph);

void prune_mask_destroy(struct prune_mask *mask);

/**
 * prune_select() - keep the elements with the highest scores
 * @scores: ≥ 0, not NaN
 * @count: length of @scores and @keep
 * @keep_count: exact number of elements to keep, ≤ @count
 * @keep: result, 1 or 0
 *
 * Return: 0 or −ENOMEM.
 */
int prune_select(const float *scores, size_t count, size_t keep_count,
		 uint8_t *keep);

/** prune_applies() - is the tensor a weight that may be pruned? */
bool prune_applies(const struct graph *graph, int tensor);

/* The first node that reads a prunable weight, and as which input; NULL for none. */
const struct graph_node *prune_weight_reader(const struct graph *graph,
					     int tensor, int *slot);

/** struct prune_pattern - @keep of each @of neighbours stay; 0: there is no pattern */
struct prune_pattern {
	int keep;
	int of;
};

/**
 * struct prune_budget - how much goes
 * @sparsity: 0 ≤ sparsity < 1, the part of all weights, or of their costs
 * @scope: what the part refers to
 * @sparsities: for each tensor of the graph, a part of its own, in place of @sparsity
 *	and @scope; NULL: they apply
 * @pattern: in place of all the others; see prune_pattern.h
 * @costs: for each tensor of the graph, what one of its weights costs (> 0), so that
 *	a global threshold is on scores by cost, and the costs of those that stay are
 *	within the budget; NULL: each weight costs the same, and as many as asked go
 * @floor: under one threshold, every layer keeps its best weight
 */
struct prune_budget {
	double sparsity;
	enum prune_scope scope;
	const double *sparsities;
	struct prune_pattern pattern;
	const double *costs;
	bool floor;
};

/** prune_budget_of() - the part of a tensor that goes, where layers have their own */
double prune_budget_of(const struct prune_budget *budget, int tensor);

/**
 * prune_scores() - keep the weights with the highest scores
 * @graph: is not changed; see prune_apply()
 * @scores: for each tensor of the graph, those of its elements, ≥ 0 and not NaN;
 *	only those that the mask covers are looked at
 * @budget: how much goes
 * @mask: result, from prune_mask_create()
 *
 * Return: 0; −EINVAL when a layer would be empty, with a text that names it;
 * −ENOMEM.
 */
int prune_scores(const struct graph *graph, const float *const *scores,
		 const struct prune_budget *budget, struct prune_mask *mask);

/** prune_magnitudes() - prune_scores() by the weights' own magnitudes */
int prune_magnitudes(const struct graph *graph,
		     const struct prune_budget *budget,
		     struct prune_mask *mask);

/** prune_magnitude() - the same, where every weight costs as much */
int prune_magnitude(const struct graph *graph, double sparsity,
		    enum prune_scope scope, struct prune_mask *mask);

/** prune_keep() - keep the weights that are not zero in the graph already */
int prune_keep(const struct graph *graph, struct prune_mask *mask);

/** prune_apply() - write zeros to the graph's pruned weights */
void prune_apply(struct graph *graph, const struct prune_mask *mask);

/** prune_count() - weights that are kept, and those that the mask covers */
int64_t prune_count(const struct graph *graph, const struct prune_mask *mask,
		    int64_t *total);

#endif
