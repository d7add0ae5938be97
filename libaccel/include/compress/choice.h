/* SPDX-License-Identifier: MIT */
/* What is done to each weight matrix, where it is not the same for all of them. */
#ifndef COMPRESS_CHOICE_H
#define COMPRESS_CHOICE_H

#include <compress/graph.h>
#include <compress/low_rank.h>
#include <compress/prune.h>
#include <compress/prune_method.h>
#include <compress/weight_format.h>

/**
 * struct layer_choice - for one weight matrix
 * @method: which of its weights go; NULL for a tensor that is no prunable weight
 * @sparsity: part of them that goes, 0 ≤ sparsity < 1
 * @format: of those that stay
 * @low_rank: what low_rank_split() makes of it first
 */
struct layer_choice {
	const struct prune_method *method;
	double sparsity;
	struct weight_format format;
	struct low_rank low_rank;
};

/**
 * struct compress_choices - for all
 * @layers: one for each tensor of the graph
 * @tensor_count: of the graph
 */
struct compress_choices {
	struct layer_choice *layers;
	int tensor_count;
};

/* The same for every prunable weight; NULL without memory. */
struct compress_choices *choices_create(const struct graph *graph,
					const struct layer_choice *choice);

/* NULL is allowed. */
void choices_destroy(struct compress_choices *choices);

/* Does any layer's method look at data? */
bool choices_need_data(const struct compress_choices *choices);

/* The method's name if all layers have the same one, else "mixed". */
const char *choices_method_name(const struct compress_choices *choices);

/**
 * choices_prune() - prune each layer as was chosen for it
 * @choices: of the graph
 * @context: its budget's sparsity is the part of each layer's own that is to go now (1:
 *	all of it), its scope is ignored
 * @graph: a copy of the context's; its weights are changed
 * @mask: from prune_mask_create(), or what is left; result
 *
 * Methods that score come first, then those that solve, in the table's order, each for
 * its own layers.
 *
 * Return: 0 or what a method returns.
 */
int choices_prune(const struct compress_choices *choices,
		  const struct prune_method_context *context,
		  struct graph *graph, struct prune_mask *mask);

#endif
