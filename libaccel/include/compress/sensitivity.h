/* SPDX-License-Identifier: MIT */
/*
 * What the network's result loses when one weight matrix alone is pruned and repaired,
 * or rounded: the mean squared error of the outputs, measured for each sparsity and
 * method, and for each format.
 */
#ifndef COMPRESS_SENSITIVITY_H
#define COMPRESS_SENSITIVITY_H

#include <signal.h>
#include <stdint.h>

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/weight_format.h>

#define SENSITIVITY_METHODS_MAX 8

/** struct sensitivity_scores - those that one method gives to each tensor's weights */
struct sensitivity_scores {
	const char *method;
	const float *const *scores;
};

/**
 * struct sensitivity_options - what to try
 * @scores: of the methods
 * @methods: how many, ≤ SENSITIVITY_METHODS_MAX
 * @kept: parts of the weights that stay, falling, in (0, 1)
 * @kept_count: of @kept
 * @formats: that all weights are rounded to by gptq
 * @format_count: of @formats
 * @workers: threads; the result does not depend on it
 * @stop: set by a signal's handler: give up; or NULL
 * @observer: called by one thread at a time when @done of @total are measured; or NULL
 * @observer_context: handed to it
 */
struct sensitivity_options {
	const struct sensitivity_scores *scores;
	int methods;
	const double *kept;
	int kept_count;
	const struct weight_format *formats;
	int format_count;
	int workers;
	const volatile sig_atomic_t *stop;
	void (*observer)(void *context, int done, int total);
	void *observer_context;
};

/**
 * struct sensitivity_layer - a weight matrix
 * @tensor: of the graph
 * @node: the first that reads it
 * @weights: elements
 * @losses: [methods][kept_count], mean squared error of the outputs
 * @format_losses: [format_count], likewise; INFINITY for a matrix that has no grid
 */
struct sensitivity_layer {
	int tensor;
	int node;
	int64_t weights;
	double *losses;
	double *format_losses;
};

/**
 * struct sensitivity - of all prunable matrices, in the order of their tensors
 * @layers: see above
 * @count: of @layers
 * @methods: as in the options
 * @kept_count: likewise
 * @format_count: likewise
 */
struct sensitivity {
	struct sensitivity_layer *layers;
	int count;
	int methods;
	int kept_count;
	int format_count;
};

/*
 * Find the layers; losses are not known yet, and 0. For sensitivity_release(). 0,
 * −EINVAL if the graph has no prunable matrix, −ENOMEM.
 */
int sensitivity_create(struct sensitivity *sensitivity,
		       const struct graph *graph, int methods, int kept_count,
		       int format_count);

/*
 * Measure: repair on @data, and look at the loss on @check, which may be the same; with few
 * samples it should not, or a repair looks better than it is. What comes before a layer, and
 * its equations, are computed once for all that is tried with it. Memory goes with the outputs
 * and one layer's inputs on all samples, and a copy of the layer for each candidate. 0, −EINTR
 * when stopped, −ENOMEM, −EINVAL for data that do not fit.
 */
int sensitivity_measure(struct sensitivity *sensitivity,
			const struct graph *graph,
			const struct calibration_data *data,
			const struct calibration_data *check,
			const struct sensitivity_options *options);

/* Elements that stay: a part of them, but one at least. */
int64_t sensitivity_keep_count(int64_t weights, double kept);

void sensitivity_release(struct sensitivity *sensitivity);

#endif
