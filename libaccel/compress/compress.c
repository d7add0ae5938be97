/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/calibrate.h"
#include "compress/compress.h"
#include "compress/lower.h"
#include "core/error.h"

/* What the weights take as they came: the other side of the compression ratio. */
static uint64_t dense_bytes(const struct graph *graph)
{
	uint64_t bytes = 0;

	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].data)
			bytes += sizeof(float) *
				 (uint64_t)graph_shape_count(
					 &graph->tensors[t].shape);
	return bytes;
}

static void copy_mask(const struct graph *graph, const struct prune_mask *from,
		      struct prune_mask *to)
{
	for (int t = 0; t < to->tensor_count; t++)
		if (to->keep[t])
			memcpy(to->keep[t], from->keep[t],
			       (size_t)graph_shape_count(
				       &graph->tensors[t].shape));
}

static int prune(struct graph *graph, const struct compress_options *options,
		 struct prune_mask *mask)
{
	int ret = 0;

	if (options->mask) {
		copy_mask(graph, options->mask, mask);
		prune_apply(graph, mask);
		return 0;
	}
	if (options->sparsity == COMPRESS_KEEP)
		return prune_keep(graph, mask);
	ret = prune_magnitude(graph, options->sparsity, options->scope, mask);
	if (!ret)
		prune_apply(graph, mask);
	return ret;
}

/* Without data a range is not a number, and lowering asks for none it lacks. */
static int find_ranges(const struct graph *graph,
		       const struct compress_options *options,
		       const struct calibration_data *data,
		       struct quantize_range *ranges,
		       struct channel_means *means)
{
	const struct calibration_options known = {
		.input_range = options->input_range,
		.output_range = options->output_range,
	};

	if (data)
		return calibration_run(graph, data, &known, ranges, means);
	for (int t = 0; t < graph->tensor_count; t++)
		ranges[t] = (struct quantize_range){ NAN, NAN };
	return 0;
}

static const char *method(const struct compress_options *options)
{
	if (options->mask && options->method)
		return options->method;
	return options->sparsity == COMPRESS_KEEP ? "keep" : "magnitude";
}

static char *provenance(const struct graph *graph,
			const struct compress_options *options,
			const struct prune_mask *mask,
			const struct calibration_data *data)
{
	int64_t total, kept = prune_count(graph, mask, &total);
	json_t *text;
	char *result;

	text = json_pack("{s:s, s:s?, s:f, s:s, s:I, s:I, s:I, s:i}", "method",
			 method(options), "source", options->source, "sparsity",
			 1 - (double)kept / (double)(total ? total : 1),
			 "scope",
			 options->scope == PRUNE_GLOBAL ? "global" : "layer",
			 "nonzeros", (json_int_t)kept, "weights",
			 (json_int_t)total, "seed", (json_int_t)options->seed,
			 "calibration_samples", data ? data->sample_count : 0);
	result = json_dumps(text, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(text);
	return result;
}

static int compress_copy(struct graph *graph,
			 const struct compress_options *options,
			 const struct calibration_data *data,
			 struct model **model)
{
	struct lower_options lower = {
		.input_range = options->input_range,
		.output_range = options->output_range,
	};
	struct prune_mask *mask = prune_mask_create(graph);
	struct channel_means means;
	struct quantize_range *ranges =
		calloc((size_t)graph->tensor_count + 1, sizeof(*ranges));
	int ret = channel_means_create(&means, graph);

	if (ret || !mask || !ranges) {
		ret = accel_error(-ENOMEM, "out of memory");
		goto out;
	}
	lower.ranges = ranges;
	lower.mask = mask;
	lower.means = options->trained ? NULL : &means;
	ret = prune(graph, options, mask);
	if (!ret)
		ret = find_ranges(graph, options, data, ranges, &means);
	if (!ret)
		ret = graph_lower(graph, &lower, model);
	if (!ret)
		(*model)->provenance = provenance(graph, options, mask, data);
out:
	prune_mask_destroy(mask);
	channel_means_release(&means);
	free(ranges);
	return ret;
}

int compress_model(const struct graph *graph,
		   const struct compress_options *options,
		   const struct calibration_data *data, struct model **model)
{
	struct graph *copy = graph_clone(graph);
	int ret;

	if (!copy)
		return accel_error(-ENOMEM, "out of memory for the graph");
	ret = compress_copy(copy, options, data, model);
	if (!ret)
		(*model)->dense_bytes = dense_bytes(graph);
	graph_destroy(copy);
	return ret;
}
