/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/calibrate.h"
#include "compress/calibration_patches.h"
#include "compress/compress.h"
#include "compress/equalize.h"
#include "compress/lower.h"
#include "compress/parallel.h"
#include "compress/prune_cost.h"
#include "compress/prune_cycles.h"
#include "compress/reconstruct.h"
#include "compress/structured.h"
#include "core/error.h"

uint64_t compress_dense_bytes(const struct graph *graph)
{
	uint64_t bytes = 0;

	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].data)
			bytes += sizeof(float) *
				 (uint64_t)graph_shape_count(
					 &graph->tensors[t].shape);
	return bytes;
}

/* ---- pruning ---- */

static const struct weight_format *
format_of(const struct compress_options *options, int tensor)
{
	if (options->formats)
		return &options->formats[tensor];
	return options->choices ? &options->choices->layers[tensor].format :
				  &options->format;
}

static struct weight_format *
make_formats(const struct graph *graph, const struct compress_options *options)
{
	struct weight_format *formats =
		calloc((size_t)graph->tensor_count + 1, sizeof(*formats));

	for (int t = 0; formats && t < graph->tensor_count; t++)
		formats[t] = *format_of(options, t);
	return formats;
}

static int find_costs(const struct graph *graph,
		      const struct compress_options *options,
		      const struct calibration_data *data, double *own,
		      struct prune_budget *budget)
{
	if (options->budget == COMPRESS_COSTS)
		budget->costs = options->costs;
	if (options->budget != COMPRESS_MACS &&
	    options->budget != COMPRESS_CYCLES)
		return 0;
	budget->costs = own;
	return options->budget == COMPRESS_MACS ?
		       prune_cost_macs(graph, data, own) :
		       prune_cost_cycles(graph, data, options->device,
					 options->sparsity, own);
}

static int reconstruct(const struct graph *dense, struct graph *graph,
		       const struct compress_options *options,
		       const struct calibration_data *data,
		       struct prune_mask *mask)
{
	const struct reconstruct_options how = {
		.workers = options->workers, .progress = options->progress
	};

	return reconstruct_least_squares(dense, graph, mask, data, &how);
}

static const struct prune_method *
chosen_method(const struct compress_options *options)
{
	return options->selection ? options->selection :
				    prune_method_find("magnitude");
}

static int apply_method(const struct compress_options *options,
			const struct prune_method_context *context,
			struct graph *graph, struct prune_mask *mask)
{
	int ret;

	if (options->choices)
		return choices_prune(options->choices, context, graph, mask);
	if (!options->threshold.value)
		return prune_method_apply(chosen_method(options), context,
					  graph, mask);
	ret = prune_threshold_select(graph, &options->threshold, mask);
	if (!ret)
		prune_apply(graph, mask);
	return ret;
}

/* @budget: of this round; @mask: what was left */
static int select_once(const struct graph *dense, struct graph *graph,
		       const struct compress_options *options,
		       const struct calibration_data *data,
		       const struct prune_budget *budget,
		       struct prune_mask *mask)
{
	struct graph *before = graph_clone(graph);
	struct weight_format *formats = make_formats(graph, options);
	const struct prune_method_context context = {
		.formats = options->order == COMPRESS_JOINT ? formats : NULL,
		.graph = before,
		.data = data,
		.budget = budget,
		.seed = options->seed,
		.workers = options->workers,
		.progress = options->progress,
	};
	int ret;

	if (!before || !formats)
		ret = accel_error(-ENOMEM, "out of memory while pruning");
	else
		ret = apply_method(options, &context, graph, mask);
	free(formats);
	graph_destroy(before);
	if (!ret && options->reconstruct)
		ret = reconstruct(dense, graph, options, data, mask);
	return ret;
}

/* Much at first, where it costs little (the cubic ramp of Zhu and Gupta, 2017). */
static int select_in_rounds(const struct graph *dense, struct graph *graph,
			    const struct compress_options *options,
			    const struct calibration_data *data,
			    const struct prune_budget *budget,
			    struct prune_mask *mask)
{
	int rounds = options->rounds > 1 ? options->rounds : 1, ret = 0;

	for (int round = 1; round <= rounds && !ret; round++) {
		double left = 1 - (double)round / rounds;
		struct prune_budget now = *budget;

		now.sparsity *= 1 - left * left * left;
		ret = select_once(dense, graph, options, data, &now, mask);
	}
	return ret;
}

/* Solvers change the weights once and for all. */
static int check_rounds(const struct compress_options *options)
{
	const struct prune_method *method = chosen_method(options);
	const struct compress_choices *choices = options->choices;

	if (options->rounds < 2)
		return 0;
	for (int t = 0; choices && t < choices->tensor_count; t++)
		if (choices->layers[t].method &&
		    !choices->layers[t].method->score)
			method = choices->layers[t].method;
	if (method->score)
		return 0;
	return accel_error(-ENOTSUP, "%s is no method for rounds: it solves",
			   method->name);
}

/* Scores that look at the whole network's result may leave a layer without a weight. */
static int select_weights(struct graph *graph,
			  const struct compress_options *options,
			  const struct calibration_data *data,
			  struct prune_mask *mask)
{
	struct graph *dense = graph_clone(graph);
	struct prune_budget budget = {
		.sparsity = options->choices ? 1 : options->sparsity,
		.scope = options->scope,
		.pattern = options->pattern,
		.floor = chosen_method(options)->needs_data,
	};
	double *costs = calloc((size_t)graph->tensor_count + 1, sizeof(*costs));
	int ret = -ENOMEM;

	if (!costs || !dense) {
		accel_error(ret, "out of memory while pruning");
		goto out;
	}
	ret = check_rounds(options);
	if (!ret)
		ret = find_costs(dense, options, data, costs, &budget);
	if (!ret)
		ret = select_in_rounds(dense, graph, options, data, &budget,
				       mask);
	if (!ret && !options->choices && chosen_method(options)->shrinks)
		ret = structured_shrink(graph, data, mask);
out:
	free(costs);
	graph_destroy(dense);
	return ret;
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

/*
 * Training and solvers may have rounded the weights to codes already, as they are; and
 * with fewer bits than eight, columns of one size are worth more than channels.
 */
static bool is_equalized(const struct graph *graph,
			 const struct compress_options *options,
			 const struct calibration_data *data)
{
	bool plain = !options->choices;

	for (int t = 0; t < graph->tensor_count; t++)
		plain = plain && weight_format_is_plain(format_of(options, t));
	return data && data->sample_count && !options->trained && plain &&
	       !(options->selection && options->selection->solve);
}

/* All that have a grid, by the data at hand. */
static int round_weights(struct graph *graph,
			 const struct compress_options *options,
			 const struct calibration_data *data,
			 struct prune_mask *mask)
{
	struct weight_format *formats = make_formats(graph, options);
	int workers = options->workers ? options->workers :
					 parallel_processors();
	int ret;

	if (!formats)
		ret = accel_error(-ENOMEM, "out of memory");
	else if (options->rounding != ROUNDING_NEAREST)
		ret = rounding_by_data(graph, options->rounding, mask, formats,
				       data, workers, options->progress);
	else
		ret = rounding_nearest(graph, mask, formats);
	free(formats);
	return ret;
}

/* The dense network becomes one of codes, of which some will go. */
static int quantize_first(struct graph *graph,
			  const struct compress_options *options,
			  const struct calibration_data *data,
			  struct prune_mask *mask)
{
	int ret = is_equalized(graph, options, data) ?
			  graph_equalize(graph, data, options->progress) :
			  0;

	return ret ? ret : round_weights(graph, options, data, mask);
}

static int prune(struct graph *graph, const struct compress_options *options,
		 const struct calibration_data *data, struct prune_mask *mask)
{
	int ret = 0;

	if (options->mask) {
		copy_mask(graph, options->mask, mask);
		prune_apply(graph, mask);
		return 0;
	}
	if (options->sparsity == COMPRESS_KEEP)
		return prune_keep(graph, mask);
	if (options->order == COMPRESS_QUANTIZE_FIRST)
		ret = quantize_first(graph, options, data, mask);
	return ret ? ret : select_weights(graph, options, data, mask);
}

static bool needs_data(const struct compress_options *options)
{
	bool method = options->choices ? choices_need_data(options->choices) :
					 chosen_method(options)->needs_data;

	if (options->order == COMPRESS_QUANTIZE_FIRST &&
	    options->rounding != ROUNDING_NEAREST)
		return true;
	return !options->mask && options->sparsity != COMPRESS_KEEP &&
	       (method || options->budget == COMPRESS_MACS ||
		options->budget == COMPRESS_CYCLES || options->reconstruct);
}

int compress_prune(struct graph *graph, const struct compress_options *options,
		   const struct calibration_data *data, struct prune_mask *mask)
{
	const struct calibration_patches squares = { .seed = options->seed };
	struct compress_options own = *options;
	struct calibration_data patches;
	int ret = compress_order_check(options);

	if (ret)
		return ret;
	if (!own.workers)
		own.workers = parallel_processors();
	if (!needs_data(options))
		return prune(graph, &own, data, mask);
	if (!data || !data->sample_count)
		return accel_error(
			-EINVAL,
			"%s: which weights matter shows on calibration data only",
			graph->name);
	if (!calibration_patches_apply(graph, data, &squares))
		return prune(graph, &own, data, mask);
	ret = calibration_patches_cut(&patches, graph, data, &squares);
	if (ret)
		return ret;
	ret = prune(graph, &own, &patches, mask);
	calibration_data_release(&patches);
	return ret;
}

/* ---- quantization ---- */

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
		.method = options->calibration,
		.progress = options->progress,
	};

	if (data)
		return calibration_run(graph, data, &known, ranges, means);
	for (int t = 0; t < graph->tensor_count; t++)
		ranges[t] = (struct quantize_range){ NAN, NAN };
	return 0;
}

static const char *method_name(const struct compress_options *options)
{
	if (options->mask && options->method)
		return options->method;
	if (options->sparsity == COMPRESS_KEEP)
		return "keep";
	if (options->choices)
		return choices_method_name(options->choices);
	return chosen_method(options)->name;
}

static bool is_reconstructed(const struct compress_options *options)
{
	return options->reconstruct && !options->mask &&
	       options->sparsity != COMPRESS_KEEP;
}

/* The format of all layers, or "mixed". */
static void print_formats(const struct compress_options *options,
			  const struct prune_mask *mask, char *text,
			  size_t size)
{
	bool first = true;
	char own[64];

	weight_format_print(&options->format, text, size);
	for (int t = 0; t < mask->tensor_count; t++) {
		if (!mask->keep[t])
			continue;
		weight_format_print(format_of(options, t), own, sizeof(own));
		if (!first && strcmp(text, own)) {
			snprintf(text, size, "mixed");
			return;
		}
		snprintf(text, size, "%s", own);
		first = false;
	}
}

/* Of a weight that is kept, on average; 8 for none. */
static double mean_bits(const struct graph *graph,
			const struct compress_options *options,
			const struct prune_mask *mask)
{
	double bits = 0, weights = 0;

	for (int t = 0; t < mask->tensor_count; t++) {
		int64_t count = graph_shape_count(&graph->tensors[t].shape);
		double kept = 0;

		for (int64_t i = 0; mask->keep[t] && i < count; i++)
			kept += mask->keep[t][i];
		bits += kept * weight_format_bits(format_of(options, t));
		weights += kept;
	}
	return weights > 0 ? bits / weights : 8;
}

/* What most models have nothing of. */
static void record_schedule(const struct compress_options *options,
			    json_t *text)
{
	char pattern[32];

	snprintf(pattern, sizeof(pattern), "%d:%d", options->pattern.keep,
		 options->pattern.of);
	if (options->pattern.of)
		json_object_set_new(text, "pattern", json_string(pattern));
	if (options->threshold.value > 0)
		json_object_set_new(text,
				    options->threshold.deviations ?
					    "threshold_deviations" :
					    "threshold",
				    json_real(options->threshold.value));
	if (options->rounds > 1)
		json_object_set_new(text, "rounds",
				    json_integer(options->rounds));
	if (options->rounding != ROUNDING_NEAREST)
		json_object_set_new(
			text, "rounding",
			json_string(rounding_name(options->rounding)));
	if (options->order != COMPRESS_PRUNE_FIRST)
		json_object_set_new(
			text, "order",
			json_string(compress_order_name(options->order)));
}

static char *provenance(const struct graph *graph,
			const struct compress_options *options,
			const struct prune_mask *mask,
			const struct calibration_data *data)
{
	int64_t total, kept = prune_count(graph, mask, &total);
	char *result, weights[64];
	json_t *text;

	print_formats(options, mask, weights, sizeof(weights));
	text = json_pack(
		"{s:s, s:f, s:s, s:s, s:s?, s:f, s:s, s:I, s:I, s:I, s:i}",
		"quantize", weights, "bits", mean_bits(graph, options, mask),
		"method", method_name(options), "reconstruct",
		is_reconstructed(options) ? "ls" : "none", "source",
		options->source, "sparsity",
		1 - (double)kept / (double)(total ? total : 1), "scope",
		options->scope == PRUNE_GLOBAL ? "global" : "layer", "nonzeros",
		(json_int_t)kept, "weights", (json_int_t)total, "seed",
		(json_int_t)options->seed, "calibration_samples",
		data ? data->sample_count : 0);
	record_schedule(options, text);
	result = json_dumps(text, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(text);
	return result;
}

static int quantize(const struct graph *graph,
		    const struct compress_options *options,
		    const struct calibration_data *data,
		    const struct prune_mask *mask, struct model **model)
{
	struct lower_options lower = {
		.input_range = options->input_range,
		.output_range = options->output_range,
		.mask = mask,
	};
	struct channel_means means;
	struct quantize_range *ranges =
		calloc((size_t)graph->tensor_count + 1, sizeof(*ranges));
	struct weight_format *formats = make_formats(graph, options);
	int ret = channel_means_create(&means, graph);

	if (ret || !ranges || !formats) {
		ret = accel_error(-ENOMEM, "out of memory");
		goto out;
	}
	lower.ranges = ranges;
	lower.formats = formats;
	lower.means = options->trained ? NULL : &means;
	ret = find_ranges(graph, options, data, ranges, &means);
	if (!ret)
		ret = graph_lower(graph, &lower, model);
	if (!ret) {
		(*model)->provenance = provenance(graph, options, mask, data);
		(*model)->dense_bytes = compress_dense_bytes(graph);
	}
out:
	channel_means_release(&means);
	free(formats);
	free(ranges);
	return ret;
}

/* On squares of pictures, where the network takes any size. */
static int round_on_patches(struct graph *graph,
			    const struct compress_options *options,
			    const struct calibration_data *data,
			    const struct prune_mask *mask)
{
	const struct calibration_patches squares = { .seed = options->seed };
	struct prune_mask *own = prune_mask_create(graph);
	struct calibration_data patches;
	int ret;

	if (!own)
		return accel_error(-ENOMEM, "out of memory");
	copy_mask(graph, mask, own);
	if (!calibration_patches_apply(graph, data, &squares)) {
		ret = round_weights(graph, options, data, own);
	} else {
		ret = calibration_patches_cut(&patches, graph, data, &squares);
		if (!ret)
			ret = round_weights(graph, options, &patches, own);
		if (!ret)
			calibration_data_release(&patches);
	}
	prune_mask_destroy(own);
	return ret;
}

static bool is_rounded(const struct compress_options *options,
		       const struct calibration_data *data)
{
	return options->rounding != ROUNDING_NEAREST && data &&
	       data->sample_count && !options->trained;
}

static bool equalizes(const struct graph *graph,
		      const struct compress_options *options,
		      const struct calibration_data *data)
{
	return options->order == COMPRESS_PRUNE_FIRST &&
	       is_equalized(graph, options, data);
}

int compress_round(struct graph *graph, const struct compress_options *options,
		   const struct calibration_data *data,
		   const struct prune_mask *mask)
{
	int ret = equalizes(graph, options, data) ?
			  graph_equalize(graph, data, options->progress) :
			  0;

	if (!ret && is_rounded(options, data))
		ret = round_on_patches(graph, options, data, mask);
	return ret;
}

int compress_quantize(const struct graph *graph,
		      const struct compress_options *options,
		      const struct calibration_data *data,
		      const struct prune_mask *mask, struct model **model)
{
	struct graph *copy;
	int ret;

	if (!equalizes(graph, options, data) && !is_rounded(options, data))
		return quantize(graph, options, data, mask, model);
	copy = graph_clone(graph);
	if (!copy)
		return accel_error(-ENOMEM, "out of memory for the graph");
	ret = compress_round(copy, options, data, mask);
	if (!ret)
		ret = quantize(copy, options, data, mask, model);
	graph_destroy(copy);
	return ret;
}

static int compress_copy(struct graph *graph,
			 const struct compress_options *options,
			 const struct calibration_data *data,
			 struct model **model)
{
	struct prune_mask *mask = prune_mask_create(graph);
	int ret;

	if (!mask)
		return accel_error(-ENOMEM, "out of memory");
	ret = compress_prune(graph, options, data, mask);
	if (!ret)
		ret = compress_quantize(graph, options, data, mask, model);
	prune_mask_destroy(mask);
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
	graph_destroy(copy);
	return ret;
}
