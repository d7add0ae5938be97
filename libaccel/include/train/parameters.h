/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_PARAMETERS_H
#define TRAIN_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <compress/graph.h>
#include <compress/prune.h>

/**
 * struct parameter - one constant of a graph that is trained
 * @tensor: of the graph; its data are the values
 * @first: where it begins in vectors over all parameters
 * @count: elements
 * @prunable: a matrix of a linear or recurrent layer, see struct prune_mask
 */
struct parameter {
	int tensor;
	size_t first;
	size_t count;
	bool prunable;
};

/**
 * struct parameters - all that is trained of a graph, as one vector
 * @list: in the order of the graph's tensors
 * @count: length of @list
 * @total: elements of all of them
 */
struct parameters {
	struct parameter *list;
	int count;
	size_t total;
};

/*
 * Weights, biases, slopes, scales and shifts: every constant that a node reads as
 * one, but those of structural nodes. 0 or −ENOMEM.
 */
int parameters_find(struct parameters *parameters, const struct graph *graph);

void parameters_release(struct parameters *parameters);

/* Between the graph's constants and one vector of parameters->total floats. */
void parameters_load(const struct parameters *parameters,
		     const struct graph *graph, float *vector);
void parameters_store(const struct parameters *parameters, struct graph *graph,
		      const float *vector);

/* Zero the elements of a vector that a mask prunes. */
void parameters_mask(const struct parameters *parameters,
		     const struct prune_mask *mask, float *vector);

#endif
