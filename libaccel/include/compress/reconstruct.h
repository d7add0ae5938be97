/* SPDX-License-Identifier: MIT */
/*
 * Least squares under a mask: after pruning, the weights that stayed take over for
 * those that went, layer by layer in the order of execution. A layer's inputs come
 * from the network as it is compressed so far, its targets (values before the
 * activation) from the dense one. For each output row, H[S,S]·x = b[S] is solved
 * by Cholesky in binary64, with a ridge toward the weights as they were; the bias
 * takes part.
 */
#ifndef COMPRESS_RECONSTRUCT_H
#define COMPRESS_RECONSTRUCT_H

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/layer_problem.h>
#include <compress/prune.h>

struct compress_progress;

/**
 * struct reconstruct_options - 0 stands for the default
 * @ridge: part of the mean of H's diagonal (5e-4)
 * @workers: threads (1); the result does not depend on it
 * @progress: told of layers, or NULL
 */
struct reconstruct_options {
	double ridge;
	int workers;
	const struct compress_progress *progress;
};

/*
 * dense: what is imitated; pruned: the same graph, tensor for tensor, with @mask
 * applied; its weights and biases are changed. A singular H gets a larger ridge,
 * inputs that are always zero leave their weights as they are. 0, −ENOMEM, −EINVAL.
 */
int reconstruct_least_squares(const struct graph *dense, struct graph *pruned,
			      struct prune_mask *mask,
			      const struct calibration_data *data,
			      const struct reconstruct_options *options);

/*
 * The walk alone: @pruned has the dense graph's weights, or others, and @solver does
 * with each layer and its part of the mask what it likes. Weights that several nodes
 * share are left alone, mask and all. 0, or what the solver returns.
 */
int reconstruct_layers(const struct graph *dense, struct graph *pruned,
		       struct prune_mask *mask,
		       const struct calibration_data *data,
		       const struct layer_solver *solver, int workers);

/*
 * Does the walk hand a node's weights to the solver? Not if other nodes read them as
 * well, nor if the solver wants one of two only.
 */
bool reconstruct_applies(const struct graph *graph,
			 const struct prune_mask *mask,
			 const struct layer_solver *solver, int node);

#endif
