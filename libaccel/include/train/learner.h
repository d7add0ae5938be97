/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include <compress/graph.h>
#include <train/batch.h>
#include <train/optimizer.h>
#include <train/parameters.h>

/**
 * struct learner - a graph, and all that training changes about it
 * @graph: belongs to the learner; holds the present weights
 * @parameters: those that are trained
 * @optimizer: its state
 * @values: the present weights as a vector
 * @gradient: of the last batch
 * @batch: how gradients come about
 * @keep: 0 for weights that stay as they are; NULL: all may change
 */
struct learner {
	struct graph *graph;
	struct parameters parameters;
	struct optimizer optimizer;
	float *values;
	float *gradient;
	struct batch *batch;
	uint8_t *keep;
};

/**
 * struct learner_options - how a learner learns
 * @optimizer: by which method
 * @shards: of a batch
 * @workers: threads
 * @prefix: only constants whose names begin so are trained; "" for all
 * @loss: what is minimised; all of the graph's outputs may be seeded
 * @context: of @loss
 */
struct learner_options {
	struct optimizer_options optimizer;
	int shards;
	int workers;
	const char *prefix;
	batch_loss loss;
	void *context;
};

/*
 * Takes the graph over, also when it fails. inputs: shapes of one shard. 0 or
 * -errno; the learner goes back with learner_release() in either case.
 */
int learner_create(struct learner *learner, struct graph *graph,
		   const struct graph_shape *inputs,
		   const struct learner_options *options);
void learner_release(struct learner *learner);

/* Loss and gradient of a batch; nothing else changes. */
int learner_gradient(struct learner *learner, const float *const *inputs,
		     double *loss);

/* Change the weights by the last gradient. False if it was not finite: then
 * nothing has changed. */
bool learner_update(struct learner *learner, float rate);

/* Weights of linear and recurrent layers that are zero now stay so: 0 or −ENOMEM. */
int learner_keep_zeros(struct learner *learner);

/* Write a vector of weights into the graph. */
void learner_store(struct learner *learner, const float *values);

/* The weights to keep: the moving average if there is one. */
const float *learner_result(const struct learner *learner);

#endif
