/* SPDX-License-Identifier: MIT */
/* Equations of one layer: what reconstruct.c hands to who knows its operator. */
#ifndef COMPRESS_RECONSTRUCT_LAYER_H
#define COMPRESS_RECONSTRUCT_LAYER_H

#include <compress/graph.h>
#include <compress/graph_walk.h>
#include <compress/layer_problem.h>
#include <compress/prune.h>
#include <compress/reconstruct.h>

/**
 * struct reconstruct_layer - a node whose weights are pruned
 * @index: of the node
 * @dense: the network that is imitated
 * @variants: of the node, one or more, whose equations are the same
 * @variant_count: of them
 * @targets: values of @dense, the node's outputs included
 * @inputs: values of all variants, up to the node
 * @samples: how many both have
 * @workers: threads
 */
struct reconstruct_layer {
	int index;
	const struct graph *dense;
	const struct reconstruct_variant *variants;
	int variant_count;
	const struct graph_walk *targets;
	const struct graph_walk *inputs;
	int samples;
	int workers;
};

/* The node, which is the same in all variants. */
const struct graph_node *
reconstruct_layer_node(const struct reconstruct_layer *layer);

/**
 * struct reconstruct_rows - where the rows of a problem are in a variant
 * @context: handed to both
 * @load: weights and mask of the variant into the problem
 * @store: the way back
 */
struct reconstruct_rows {
	void *context;
	void (*load)(const void *context,
		     const struct reconstruct_variant *variant,
		     struct layer_problem *problem);
	void (*store)(const void *context,
		      const struct reconstruct_variant *variant,
		      const struct layer_problem *problem);
};

/* Solve a problem with all its observations for each variant. 0, or what a solver returns. */
int reconstruct_layer_solve(const struct reconstruct_layer *layer,
			    const struct layer_problem *problem,
			    const struct reconstruct_rows *rows);

/* May this constant be changed for the node's sake, or do others read it as well? */
bool reconstruct_layer_owns(const struct reconstruct_layer *layer, int tensor);

/* reconstruct_linear.c: convolutions, transposed ones, matrices. 0 or −ENOMEM … */
int reconstruct_linear(const struct reconstruct_layer *layer);

/* reconstruct_recurrent.c: LSTM, GRU */
int reconstruct_recurrent(const struct reconstruct_layer *layer);

#endif
