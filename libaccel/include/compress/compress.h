/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_COMPRESS_H
#define COMPRESS_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "compress/calibration_data.h"
#include "compress/calibration_method.h"
#include "compress/choice.h"
#include "compress/compress_order.h"
#include "compress/graph.h"
#include "compress/prune.h"
#include "compress/prune_method.h"
#include "compress/prune_threshold.h"
#include "compress/quantize.h"
#include "compress/rounding.h"
#include "compress/weight_format.h"
#include "model/model.h"

struct compress_progress;

/** COMPRESS_KEEP - for sparsity: prune nothing, keep the zeros that are there */
#define COMPRESS_KEEP (-1.0)

/**
 * enum compress_budget - what a sparsity of all weights is a part of
 * @COMPRESS_SIZE: their number
 * @COMPRESS_MACS: the multiplications of a run over the first sample
 * @COMPRESS_CYCLES: what it takes on a simulated device; see prune_cycles.h
 * @COMPRESS_COSTS: the costs that the options give
 */
enum compress_budget {
	COMPRESS_SIZE,
	COMPRESS_MACS,
	COMPRESS_CYCLES,
	COMPRESS_COSTS,
};

/**
 * struct compress_options - how to compress
 * @sparsity: part of the weights to prune, 0 … 1, or COMPRESS_KEEP
 * @scope: what @sparsity refers to
 * @selection: which weights go; NULL: the smallest
 * @choices: what is done to each layer, in place of @sparsity, @scope and @selection;
 *	NULL: they apply
 * @pattern: in place of @sparsity, @scope and @budget; see struct prune_pattern
 * @threshold: in place of @sparsity, @scope, @selection and all that they go with
 * @rounds: prune little by little, each time looking again at what is left, and with
 *	@reconstruct repairing it (0: at once); for methods that score
 * @budget: of PRUNE_GLOBAL
 * @device: for COMPRESS_CYCLES, URI of the simulator; NULL: "sim:"
 * @costs: for COMPRESS_COSTS; see struct prune_budget
 * @reconstruct: let the weights that stay take over for those that went, by least
 *	squares; see reconstruct.h
 * @format: of all weights
 * @formats: of each tensor of the graph, in place of @format; NULL: it applies
 * @rounding: to its codes
 * @order: of both; layers without a grid (weight_grid.h) are rounded at the end in any case
 * @calibration: how activations' ranges are found
 * @workers: threads; 0: one for each processor. The result does not depend on it
 * @input_range: of image inputs, black and white; low = high: unknown
 * @output_range: of image outputs
 * @seed: of patches of pictures and of random signs; recorded
 * @source: name of the file that was imported, or NULL; only recorded
 * @mask: kept positions that somebody has chosen; @sparsity and @scope are then only
 *	recorded. NULL: @selection decides
 * @method: what chose @mask, only recorded
 * @trained: biases have been trained with int8 weights, and need no correction
 * @progress: of scores, least squares, calibration, or NULL; see compress_progress.h
 */
struct compress_options {
	double sparsity;
	enum prune_scope scope;
	const struct prune_method *selection;
	const struct compress_choices *choices;
	struct prune_pattern pattern;
	struct prune_threshold threshold;
	int rounds;
	enum compress_budget budget;
	const char *device;
	const double *costs;
	bool reconstruct;
	struct weight_format format;
	const struct weight_format *formats;
	enum rounding_method rounding;
	enum compress_order order;
	struct calibration_method calibration;
	int workers;
	struct quantize_range input_range;
	struct quantize_range output_range;
	uint64_t seed;
	const char *source;
	const struct prune_mask *mask;
	const char *method;
	bool trained;
	const struct compress_progress *progress;
};

/**
 * compress_prune() - the first half: a sparse float graph
 * @graph: its weights, and with @options->reconstruct also its biases, are changed;
 *	a method that shrinks makes it narrower
 * @options: how
 * @data: for the methods that need any; may be NULL for the others
 * @mask: result, from prune_mask_create(); of @graph as it is then
 *
 * Pictures for networks that take any size are cut to patches first.
 *
 * Return: 0; −EINVAL for a sparsity that empties a layer, values that are not finite,
 * data that do not fit or are missing; −ENOTSUP for an order that the method does not
 * allow; −ENOMEM.
 */
int compress_prune(struct graph *graph, const struct compress_options *options,
		   const struct calibration_data *data,
		   struct prune_mask *mask);

/**
 * compress_round() - the weights that compress_quantize() makes, as real numbers
 * @graph: pruned; channels are made alike and weights rounded as @options say. Those that
 *	take the nearest code when they are lowered stay as they are
 * @options: how
 * @data: as for compress_model()
 * @mask: of the graph, already applied
 *
 * Return: as compress_model().
 */
int compress_round(struct graph *graph, const struct compress_options *options,
		   const struct calibration_data *data,
		   const struct prune_mask *mask);

/**
 * compress_quantize() - the second half: an int8 model of a sparse graph
 * @graph: is not changed
 * @options: how; those of pruning are only recorded
 * @data: as for compress_model()
 * @mask: of the graph, already applied
 * @model: result, for model_destroy()
 *
 * Return: as compress_model().
 */
int compress_quantize(const struct graph *graph,
		      const struct compress_options *options,
		      const struct calibration_data *data,
		      const struct prune_mask *mask, struct model **model);

/**
 * compress_model() - from a float graph to a sparse int8 model: both halves
 * @graph: as imported; is not changed
 * @options: how
 * @data: to calibrate with, for the graph's inputs; NULL for a graph that has
 *	recorded quantizations (QDQ)
 * @model: result, for model_destroy()
 *
 * The same arguments give the same model, bit by bit.
 *
 * Return: 0; −EINVAL for a sparsity that empties a layer, values that are not
 * finite or data that do not fit; −ENOTSUP for what the device cannot express, with
 * a text that names the node; −ENOMEM.
 */
int compress_model(const struct graph *graph,
		   const struct compress_options *options,
		   const struct calibration_data *data, struct model **model);

/* What the weights take as they came: the other side of the compression ratio. */
uint64_t compress_dense_bytes(const struct graph *graph);

#endif
