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
#include <compress/graph_walk.h>
#include <compress/layer_problem.h>
#include <compress/prune.h>

struct compress_progress;

/** RECONSTRUCT_RIDGE - part of the mean of H's diagonal, if nothing else is said */
#define RECONSTRUCT_RIDGE 5e-4

/**
 * struct reconstruct_options - 0 stands for the default
 * @ridge: part of the mean of H's diagonal (RECONSTRUCT_RIDGE)
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

/**
 * struct reconstruct_variant - weights of one node that are solved like others of it
 * @pruned: the dense graph with other weights at this node, which are changed
 * @mask: of @pruned; is changed where the solver does
 * @solver: called by several threads at once, if solvers have several contexts
 */
struct reconstruct_variant {
	struct graph *pruned;
	struct prune_mask *mask;
	const struct layer_solver *solver;
};

/*
 * What reconstruct_layers() does to one node, where all before it is dense, for several
 * variants of it at once: the observations are the same for all, and summed only once.
 * Variants that reconstruct_applies() is not true of are left alone.
 * @values: of @dense, run up to @node and not left yet. 0, or what a solver returns
 */
int reconstruct_variants(const struct graph *dense, int node,
			 const struct graph_walk *values,
			 const struct reconstruct_variant *variants, int count,
			 int workers);

#endif
