/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_NORMALIZATION_H
#define TRAIN_NORMALIZATION_H

#include <stdbool.h>

#include <compress/graph.h>

/**
 * DOC: Batch normalization outside of training
 *
 * In training a channel is normalized by its mean and variance in the batch; afterwards
 * by those that it has over the data. They are measured when they are wanted, on some
 * batches with the weights of that time (Wu and Johnson, 2021), and not averaged over
 * the weights of many steps: so there is no state besides the weights.
 */

/* Has it nodes that normalize by the batch? */
bool normalization_is_in(const struct graph *graph);

/*
 * Fill the inputs of batch number @batch; shapes as given to normalization_settle().
 */
typedef void (*normalization_fill)(void *context, int batch,
				   float *const *inputs);

/**
 * normalization_settle() - a copy in which every normalization is a fixed affine one
 * @graph: with the weights that count
 * @samples: of each batch
 * @batches: how many
 * @fill: the data
 * @context: handed to it
 * @settled: result, tensors with the same indices, for graph_destroy()
 */
int normalization_settle(const struct graph *graph, int64_t samples,
			 int batches, normalization_fill fill, void *context,
			 struct graph **settled);

#endif
