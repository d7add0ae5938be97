/* SPDX-License-Identifier: MIT */
/*
 * A graph run node by node on all samples at once: between two nodes somebody may
 * look at values and change weights. Values are freed by who has read them last.
 */
#ifndef COMPRESS_GRAPH_WALK_H
#define COMPRESS_GRAPH_WALK_H

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/operator.h>

struct graph_walk;

/*
 * graph and data stay the caller's, and must outlive the walk; workers: threads,
 * each with samples of its own. 0, −EINVAL if the data do not fit, −ENOMEM,
 * −EOVERFLOW, −ENOSYS.
 */
int graph_walk_create(struct graph_walk **out, const struct graph *graph,
		      const struct calibration_data *data, int workers);

/* Compute a node's outputs, whose inputs are there. 0, −ENOMEM, −EOVERFLOW. */
int graph_walk_run(struct graph_walk *walk, int node);

/* Free what no node after this one reads. */
void graph_walk_leave(struct graph_walk *walk, int node);

int graph_walk_samples(const struct graph_walk *walk);

/* A tensor of a sample; values are NULL if they are not there. */
struct operator_value graph_walk_value(const struct graph_walk *walk,
				       int sample, int tensor);

/* Those of all tensors of a sample, likewise. */
const float *const *graph_walk_values(const struct graph_walk *walk,
				      int sample);

/*
 * All hidden states of a recurrent node, [T,N,D·H], which are there between its run
 * and leave, also if the graph has no tensor for them.
 */
const float *graph_walk_sequence(const struct graph_walk *walk, int sample,
				 int node);

/* NULL is allowed. */
void graph_walk_destroy(struct graph_walk *walk);

#endif
