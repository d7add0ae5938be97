/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_LOWER_H
#define COMPRESS_LOWER_H

#include <stdbool.h>

#include "compress/channel_means.h"
#include "compress/graph.h"
#include "compress/prune.h"
#include "compress/quantize.h"
#include "compress/weight_format.h"
#include "model/model.h"

/**
 * struct lower_options - what the float graph does not say
 * @ranges: for each tensor of the graph, the values that it takes
 * @means: of what matrices multiply, to correct biases by; NULL: leave them
 * @formats: of the weights of each tensor; NULL: int8 for all
 * @mask: kept positions of the weights; NULL: those that are not zero
 * @input_range: of image inputs, black and white; low = high: unknown
 * @output_range: of image outputs
 */
struct lower_options {
	const struct quantize_range *ranges;
	const struct channel_means *means;
	const struct weight_format *formats;
	const struct prune_mask *mask;
	struct quantize_range input_range;
	struct quantize_range output_range;
};

/**
 * graph_lower() - float graph to quantized model
 * @graph: valid
 * @options: ranges
 * @model: result, for model_destroy()
 *
 * A tensor for which the graph has a recorded quantization gets that, whatever
 * its range.
 *
 * Return: 0; −ENOTSUP when the device's operations cannot express a node, with a
 * text that names the node and the reason; −ENOMEM; −EINVAL.
 */
int graph_lower(const struct graph *graph, const struct lower_options *options,
		struct model **model);

/**
 * lower_quantizations() - which tensors become codes on the way, and how
 * @graph: as for graph_lower()
 * @options: likewise
 * @quantized: result, graph->tensor_count of them: are this tensor's values rounded
 *	to int8, in memory or within a layer?
 * @quantization: result, as many: of those
 *
 * For training that is to get used to it. Tensors that are views of others, or lie
 * between nodes that one layer does, are not rounded themselves.
 *
 * Return: as graph_lower().
 */
int lower_quantizations(const struct graph *graph,
			const struct lower_options *options, bool *quantized,
			struct golden_quantization *quantization);

#endif
