/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_BATCH_H
#define TRAIN_BATCH_H

#include <compress/graph.h>
#include <train/parameters.h>
#include <train/tape.h>

/**
 * DOC: A batch over several workers
 *
 * A batch is cut into shards of one size. Each shard goes forth and back on a tape
 * of its own; the shards' gradients are added in their order. So the sums have one
 * order however many threads do the work: same bits with one worker as with two.
 * (A single worker takes the shards in turn on one tape.)
 */

struct batch;
struct team;

/**
 * typedef batch_loss - what is minimised, on one shard
 * @context: from the options
 * @shard: 0 … shards − 1
 * @tape: after tape_forward(); add gradients at tape_seed()
 *
 * Called by several threads at once, for different shards. Return: the loss of the
 * shard, already divided by the number of elements of the *whole* batch, so that
 * losses and gradients of shards add up; NaN for failure.
 */
typedef double (*batch_loss)(void *context, int shard, struct tape *tape);

/**
 * struct batch_options - how to cut and run
 * @shards: parts of a batch, ≥ 1; the result depends on it
 * @workers: threads, 1 … shards; the result does not depend on it
 * @loss: what is minimised
 * @loss_context: handed to it
 * @tape: as for tape_create(); wanted[] of the parameters is added. The transform
 *	is called by several threads at once
 */
struct batch_options {
	int shards;
	int workers;
	batch_loss loss;
	void *loss_context;
	struct tape_options tape;
};

/* inputs: shapes of one *shard*. 0, or as tape_create(). */
int batch_create(struct batch **out, const struct graph *graph,
		 const struct parameters *parameters,
		 const struct graph_shape *inputs,
		 const struct batch_options *options);

/* As tape_replace_constant(), on every tape. */
void batch_replace_constant(struct batch *batch, int tensor,
			    const float *values);

/**
 * batch_run() - loss and gradient of one batch
 * @batch: to run
 * @inputs: [shards][graph->input_count] arrays
 * @gradient: result, parameters->total floats; zeros if the loss is not finite;
 *	NULL: only the loss
 * @loss: result
 *
 * Return: 0, or what a worker met first, by order of shards.
 */
int batch_run(struct batch *batch, const float *const *inputs, float *gradient,
	      double *loss);

/*
 * Its workers, for what else a step does with the parameters, between runs; NULL if
 * the caller is the only one.
 */
struct team *batch_team(const struct batch *batch);

void batch_destroy(struct batch *batch);

#endif
