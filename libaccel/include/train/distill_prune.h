/* SPDX-License-Identifier: MIT */
/* Which weights go next, as a training judges them. */
#ifndef TRAIN_DISTILL_PRUNE_H
#define TRAIN_DISTILL_PRUNE_H

#include <train/distill_state.h>
#include <train/parameters.h>
#include <train/recipe.h>

/* −EINVAL with a text if a sparsity leaves nothing of a layer. */
int distill_prune_check(const struct parameters *parameters,
			const struct graph *student,
			const struct recipe_pruning *pruning, double sparsity);

/*
 * Prune to a sparsity: state->keep shrinks, what is pruned becomes 0. What is gone stays
 * so, and every layer keeps its best weight. 0 or −ENOMEM.
 */
int distill_prune(struct distill_state *state,
		  const struct parameters *parameters,
		  const struct recipe_pruning *pruning, double sparsity);

/* Add a step to what movement pruning knows: −w·∂L/∂w. */
void distill_prune_watch(struct distill_state *state, const float *gradient);

/*
 * The proximal step of a penalty: L1 shrinks every weight, group lasso the rows of
 * matrices. @amount is rate times weight.
 */
void distill_prune_shrink(struct distill_state *state,
			  const struct parameters *parameters,
			  const struct graph *student,
			  enum recipe_penalty penalty, double amount);

/* state->keep as a mask of the graph; NULL without memory. */
struct prune_mask *distill_prune_mask(const struct distill_state *state,
				      const struct parameters *parameters,
				      const struct graph *student);

#endif
