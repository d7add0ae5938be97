/* SPDX-License-Identifier: MIT */
/* Equations of one layer: what reconstruct.c hands to who knows its operator. */
#ifndef COMPRESS_RECONSTRUCT_LAYER_H
#define COMPRESS_RECONSTRUCT_LAYER_H

#include <compress/graph.h>
#include <compress/graph_walk.h>
#include <compress/layer_problem.h>
#include <compress/prune.h>

/**
 * struct reconstruct_layer - a node whose weights are pruned
 * @index: of the node
 * @dense: the network that is imitated
 * @pruned: its weights and biases are changed
 * @mask: of @pruned; is changed where the solver does
 * @targets: values of @dense, the node's outputs included
 * @inputs: values of @pruned, up to the node
 * @samples: how many both have
 * @solver: of its equations
 * @workers: threads
 */
struct reconstruct_layer {
	int index;
	const struct graph *dense;
	struct graph *pruned;
	struct prune_mask *mask;
	const struct graph_walk *targets;
	const struct graph_walk *inputs;
	int samples;
	const struct layer_solver *solver;
	int workers;
};

/* May this constant be changed for the node's sake, or do others read it as well? */
bool reconstruct_layer_owns(const struct reconstruct_layer *layer, int tensor);

/* reconstruct_linear.c: convolutions, transposed ones, matrices. 0 or −ENOMEM … */
int reconstruct_linear(const struct reconstruct_layer *layer);

/* reconstruct_recurrent.c: LSTM, GRU */
int reconstruct_recurrent(const struct reconstruct_layer *layer);

#endif
