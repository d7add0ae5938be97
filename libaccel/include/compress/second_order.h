/* SPDX-License-Identifier: MIT */
/*
 * Methods that look at a layer's inputs, layer after layer, each with inputs from the
 * network as it is pruned so far: see struct prune_method. How many weights of a layer
 * stay is what the budget says for it; under one threshold for all layers it is what
 * the sampled Gauss-Newton diagonal leaves there.
 */
#ifndef COMPRESS_SECOND_ORDER_H
#define COMPRESS_SECOND_ORDER_H

struct graph;
struct prune_mask;
struct prune_method_context;

/* SparseGPT: one sweep, from the best dense weights for the inputs as they are. */
int second_order_sparsegpt(const struct prune_method_context *context,
			   struct graph *pruned, struct prune_mask *mask);

/*
 * Optimal brain surgeon: exact, weight by weight; −EINVAL for layers beyond
 * OBS_COLUMNS_MAX.
 */
int second_order_obs(const struct prune_method_context *context,
		     struct graph *pruned, struct prune_mask *mask);

/*
 * Wanda: |w|·‖x‖, compared within each output row, as its authors do; under one
 * threshold within the layer. What stays does not change.
 */
int second_order_wanda(const struct prune_method_context *context,
		       struct graph *pruned, struct prune_mask *mask);

#endif
