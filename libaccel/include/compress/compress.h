/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_COMPRESS_H
#define COMPRESS_COMPRESS_H

#include "compress/calibration_data.h"
#include "compress/graph.h"
#include "compress/prune.h"
#include "compress/quantize.h"
#include "model/model.h"

/** COMPRESS_KEEP - for sparsity: prune nothing, keep the zeros that are there */
#define COMPRESS_KEEP (-1.0)

/**
 * struct compress_options - how to compress
 * @sparsity: part of the weights to prune, 0 … 1, or COMPRESS_KEEP
 * @scope: what @sparsity refers to
 * @input_range: of image inputs, black and white; low = high: unknown
 * @output_range: of image outputs
 * @seed: of the calibration's latents; only recorded
 * @source: name of the file that was imported, or NULL; only recorded
 * @mask: kept positions that somebody has chosen; @sparsity and @scope are then only
 *	recorded. NULL: magnitude decides
 * @method: what chose @mask, only recorded
 * @trained: biases have been trained with int8 weights, and need no correction
 */
struct compress_options {
	double sparsity;
	enum prune_scope scope;
	struct quantize_range input_range;
	struct quantize_range output_range;
	uint64_t seed;
	const char *source;
	const struct prune_mask *mask;
	const char *method;
	bool trained;
};

/**
 * compress_model() - from a float graph to a sparse int8 model
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

#endif
