/* SPDX-License-Identifier: MIT */
/*
 * accel compress: from an ONNX file to a model. The steps are the library's; here is what they
 * start from: options, calibration data, and where the result goes.
 */
#include "command.h"
#include "compress_arguments.h"
#include "compress_data.h"
#include "evaluate.h"
#include "evaluation_report.h"
#include "inputs.h"
#include "progress.h"
#include "range_study.h"
#include "recovery.h"
#include "summary.h"
#include "provenance.h"
#include "whole_layers.h"

#include <compress/choice_recipe.h>
#include <compress/compress_progress.h>
#include <compress/export_graph.h>
#include <compress/onnx_import.h>
#include <compress/parallel.h>
#include <core/deadline.h>
#include <core/error.h>
#include <model/file.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a report: other latents than those of the calibration. */
#define REPORT_LATENTS 64
/* Enough for figures of distributions. */
#define REPORT_PICTURES 2048
#define REPORT_SEED 1000003

/* Does every tensor that a node computes bring its quantization along? */
static bool is_quantized(const struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].quantization &&
		    !graph_tensor_is_constant(graph, t))
			return true;
	return false;
}

/** struct waiting - the line for one part of the work after the other */
struct waiting {
	struct progress line;
	const char *part;
};

static void report_part(void *context, const char *part, int done, int total)
{
	struct waiting *waiting = context;

	if (part != waiting->part) {
		if (waiting->part)
			progress_end(&waiting->line);
		progress_start(&waiting->line, part);
	}
	waiting->part = part;
	progress_update(&waiting->line, done, total);
}

static int prune(const struct compress_arguments *arguments,
		 struct graph *graph, const struct calibration_data *data,
		 struct prune_mask *mask)
{
	struct compress_options options = arguments->options;
	struct waiting waiting = { .part = NULL };
	const struct compress_progress progress = { report_part, &waiting };
	uint64_t start = monotonic_ns();
	int ret;

	options.progress = &progress;
	ret = compress_prune(graph, &options, data, mask);
	if (!waiting.part)
		return ret;
	progress_end(&waiting.line);
	if (!ret)
		fprintf(stderr, "pruned in %.1f s\n",
			(double)(monotonic_ns() - start) / 1e9);
	return ret;
}

static int quantize(const struct compress_arguments *arguments,
		    const struct graph *graph,
		    const struct calibration_data *data,
		    const struct prune_mask *mask, struct model **model)
{
	struct compress_options options = arguments->options;
	struct waiting waiting = { .part = NULL };
	const struct compress_progress progress = { report_part, &waiting };
	int ret;

	options.progress = &progress;
	ret = compress_quantize(graph, &options, data, mask, model);
	if (waiting.part)
		progress_end(&waiting.line);
	return ret;
}

/* Layers become several, where that was asked for, before anything goes. */
static int split_layers(struct compress_arguments *arguments,
			struct graph *graph,
			const struct calibration_data *data)
{
	struct compress_choices *choices = arguments->choices;
	struct low_rank_report report;
	bool any = false;
	int ret;

	for (int t = 0; choices && t < choices->tensor_count; t++)
		any |= !low_rank_is_none(&choices->layers[t].low_rank);
	if (!any)
		return 0;
	ret = low_rank_split(graph, choices, data, parallel_processors(),
			     &report);
	if (ret)
		return ret;
	fprintf(stderr, "low rank: layers split: %d", report.split);
	if (report.small)
		fprintf(stderr, "; would not get smaller: %d", report.small);
	if (report.other)
		fprintf(stderr,
			"; left whole, being recurrent, grouped or shared: %d",
			report.other);
	fputc('\n', stderr);
	return 0;
}

/* Infinite where nothing was lost, which JSON has no number for. */
static json_t *decibels(double psnr)
{
	return isfinite(psnr) ? json_real(psnr) : json_null();
}

/* The file says it, as all else that is known of how it was made. */
static int record_study(const struct range_study *study, struct model *model)
{
	json_t *own =
		json_pack("{s:o, s:o, s:o, s:i}", "binary32",
			  decibels(study->psnr[RANGE_STUDY_BINARY32]), "static",
			  decibels(study->psnr[RANGE_STUDY_STATIC]), "dynamic",
			  decibels(study->psnr[RANGE_STUDY_DYNAMIC]), "runs",
			  study->runs);
	int ret = provenance_set(model, "activations_psnr", own);

	if (ret)
		return ret;
	fprintf(stderr,
		"activations: %.2f dB in binary32, %.2f dB with static ranges, %.2f dB with those of each of %d runs\n",
		study->psnr[RANGE_STUDY_BINARY32],
		study->psnr[RANGE_STUDY_STATIC],
		study->psnr[RANGE_STUDY_DYNAMIC], study->runs);
	return 0;
}

static int study_ranges(const struct compress_arguments *arguments,
			const struct graph *graph,
			const struct calibration_data *data,
			const struct prune_mask *mask, struct model *model)
{
	struct calibration_data others;
	struct range_study_request request = {
		.dense = arguments->dense,
		.pruned = graph,
		.mask = mask,
		.options = &arguments->options,
		.calibration = data,
		.held_out = data,
	};
	struct range_study study;
	int ret = 0;

	if (!arguments->calibrate.count) {
		ret = compress_data_load_others(arguments, arguments->dense,
						&others);
		request.held_out = &others;
	}
	if (ret)
		return ret;
	ret = range_study_run(&request, &study);
	if (!arguments->calibrate.count)
		calibration_data_release(&others);
	return ret ? ret : record_study(&study, model);
}

/* Pruned in binary32, which may be wanted as well, then quantized. */
static int prune_and_quantize(const struct compress_arguments *arguments,
			      struct graph *graph,
			      const struct calibration_data *data,
			      struct model **model)
{
	struct prune_mask *mask = prune_mask_create(graph);
	json_t *whole = NULL;
	int ret = mask ? whole_layers_tell(graph, arguments->options.selection,
					   data, &whole) :
			 accel_error(-ENOMEM, "no memory to prune");

	if (!ret)
		ret = prune(arguments, graph, data, mask);
	if (!ret && arguments->float_output)
		ret = export_graph(graph, arguments->float_output);
	if (!ret)
		ret = quantize(arguments, graph, data, mask, model);
	if (!ret && whole)
		ret = provenance_set(*model, "whole_layers",
				     json_incref(whole));
	if (!ret && arguments->dense)
		ret = study_ranges(arguments, graph, data, mask, *model);
	json_decref(whole);
	prune_mask_destroy(mask);
	return ret;
}

/* Without a recipe or sparse parts, all layers are treated alike. */
static int split_and_compress(const struct compress_arguments *arguments,
			      struct graph *graph,
			      const struct calibration_data *data,
			      struct model **model)
{
	struct compress_arguments own = *arguments;
	bool alike = !own.recipe &&
		     (!compress_arguments_have_sparse_parts(&own) ||
		      own.options.sparsity == COMPRESS_KEEP);
	int ret = split_layers(&own, graph, data);

	own.options.choices = alike ? NULL : own.choices;
	return ret ? ret : prune_and_quantize(&own, graph, data, model);
}

/* What accel distill does with its defaults. */
static int recover(const struct compress_arguments *arguments,
		   struct graph *graph, const struct calibration_data *data,
		   struct model **model)
{
	const struct compress_options *options = &arguments->options;
	const struct recovery recovery = {
		.output = arguments->output,
		.source = options->source,
		.sparsity = options->sparsity,
		.oneshot = options->selection->needs_data,
		.float_output = arguments->float_output,
		.seed = options->seed,
		.input_range = options->input_range,
		.output_range = options->output_range,
	};
	bool files = arguments->calibrate.count || arguments->sketches;
	int ret = recovery_run(&recovery, graph, graph, files ? data : NULL,
			       model);

	/* from here on it would be as quick to begin again */
	recovery_end(&recovery);
	return ret;
}

/* ---- to a target ---- */

static int run_target(const struct compress_arguments *arguments,
		      struct target_request *request, const struct graph *graph,
		      const struct calibration_data *data, struct model **model)
{
	struct automatic_result result;
	int ret = arguments->features ? onnx_import(arguments->features,
						    &request->classifier) :
					0;

	if (!ret)
		ret = target_run(request, graph, data, &result);
	graph_destroy(request->classifier);
	if (ret)
		return ret;
	if (arguments->float_output)
		ret = export_graph(result.graph, arguments->float_output);
	*model = result.model;
	*arguments->told = result.report;
	result.model = NULL;
	result.report = NULL;
	automatic_release(&result);
	return ret;
}

static int compress_to_target(const struct compress_arguments *arguments,
			      const struct graph *graph,
			      const struct calibration_data *data,
			      struct model **model)
{
	struct calibration_data held_out;
	struct target_request request = {
		.text = arguments->target,
		.target = arguments->bound,
		.model = arguments->input,
		.output = arguments->output,
		.options = &arguments->options,
		.search = arguments->search_kind,
		.looks = arguments->looks ? (int)arguments->looks : 0,
		.fast = arguments->fast,
		.compact = arguments->compact,
		.packing = &arguments->packing,
	};
	int ret;

	if (arguments->calibrate.count)
		return run_target(arguments, &request, graph, data, model);
	ret = compress_data_load_others(arguments, graph, &held_out);
	if (ret)
		return ret;
	request.held_out = &held_out;
	ret = run_target(arguments, &request, graph, data, model);
	calibration_data_release(&held_out);
	return ret;
}

static bool has_float_weights(const struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++)
		if (prune_applies(graph, t) && !graph->tensors[t].quantization)
			return true;
	return false;
}

/* Integers are what rounding is to make, and without data it knows nothing of a layer. */
static int check_rounding(const struct compress_arguments *arguments,
			  const struct graph *graph, bool has_data)
{
	if (arguments->options.rounding == ROUNDING_NEAREST ||
	    (has_data && has_float_weights(graph)))
		return 0;
	if (!has_float_weights(graph))
		return accel_error(
			-EINVAL,
			"%s: its weights are integers already: leave out --rounding %s",
			graph->name, arguments->rounding);
	return accel_error(
		-EINVAL,
		"--rounding %s needs --calibrate or --latents for a network that brings its ranges along",
		arguments->rounding);
}

/* Codes that a file brings along stay what they are. */
static int check_format(const struct compress_arguments *arguments,
			const struct graph *graph)
{
	if (weight_format_is_plain(&arguments->options.format) ||
	    has_float_weights(graph))
		return 0;
	return accel_error(
		-EINVAL,
		"%s: its weights are integers already: leave out --quantize %s, or compress the network that it was made from",
		graph->name, arguments->quantize);
}

/* A quantized network knows its ranges, and is calibrated only on request. */
static int compress_graph(const struct compress_arguments *arguments,
			  struct graph *graph, struct model **model)
{
	struct calibration_data data;
	bool has_data = !is_quantized(graph) || arguments->recover ||
			arguments->target || arguments->dense ||
			arguments->calibrate.count || arguments->latents ||
			arguments->sketches;
	int ret = check_format(arguments, graph);

	if (!ret)
		ret = check_rounding(arguments, graph, has_data);
	if (ret)
		return ret;
	if (!has_data)
		return split_and_compress(arguments, graph, NULL, model);
	ret = compress_data_load(arguments, graph, &data);
	if (ret)
		return ret;
	ret = arguments->target ?
		      compress_to_target(arguments, graph, &data, model) :
	      arguments->recover ?
		      recover(arguments, graph, &data, model) :
		      split_and_compress(arguments, graph, &data, model);
	calibration_data_release(&data);
	return ret;
}

/* Mistakes in a recipe show before any work is done. */
static int choose_and_compress(const struct compress_arguments *arguments,
			       struct graph *graph, struct model **model)
{
	const struct layer_choice otherwise = {
		.method = arguments->options.selection,
		.sparsity = arguments->options.sparsity,
		.format = arguments->options.format,
		.low_rank = arguments->factors,
	};
	struct compress_arguments chosen = *arguments;
	struct compress_choices *choices = NULL;
	int ret = 0;

	if (arguments->recipe)
		ret = choice_recipe_read(&choices, arguments->recipe, graph,
					 &otherwise);
	else if (!low_rank_is_none(&arguments->factors))
		choices = choices_create(graph, &otherwise);
	if (!ret && !choices && !low_rank_is_none(&arguments->factors))
		ret = accel_error(-ENOMEM, "no memory for a low rank");
	chosen.choices = choices;
	if (!ret)
		ret = compress_graph(&chosen, graph, model);
	choices_destroy(choices);
	return ret;
}

/*
 * On the pictures that it was calibrated with, or on latents and sketches that it was not.
 */
static int write_report(const struct compress_arguments *arguments)
{
	const char *features = arguments->features;
	const struct evaluate_request request = {
		.dense = arguments->input,
		.model = arguments->output,
		.report = arguments->report,
		.command = arguments->command,
		.features = features,
		.sketches = arguments->sketches,
		.source = {
			.files = arguments->calibrate,
			.layout = arguments->layout,
			.range = arguments->options.input_range,
			.seed = arguments->options.seed + REPORT_SEED,
			.batch = features ? REPORT_PICTURES : REPORT_LATENTS,
			.fill = true,
		},
		.range = arguments->options.output_range,
	};

	return evaluate_report(&request);
}

/* The file says what it is; how it came about is longer than a small model. */
static void tell_all(const struct compress_arguments *arguments,
		     struct model *model)
{
	if (!*arguments->told)
		return;
	free(model->provenance);
	model->provenance = *arguments->told;
	*arguments->told = NULL;
}

/* bytes: of the weights as they came, before layers are several */
static int import(const struct compress_arguments *arguments,
		  struct graph **graph, uint64_t *bytes)
{
	int ret = arguments->weights ?
			  onnx_import_weights(arguments->input,
					      arguments->weights, graph) :
			  onnx_import(arguments->input, graph);

	if (!ret)
		*bytes = compress_dense_bytes(*graph);
	return ret;
}

static int study_and_compress(const struct compress_arguments *arguments,
			      struct graph *graph, struct model **model)
{
	struct compress_arguments own = *arguments;
	struct graph *dense;
	int ret;

	if (strcmp(arguments->activations, "dynamic"))
		return choose_and_compress(arguments, graph, model);
	dense = graph_clone(graph);
	own.dense = dense;
	ret = dense ? choose_and_compress(&own, graph, model) :
		      accel_error(-ENOMEM, "no memory for the dense network");
	graph_destroy(dense);
	return ret;
}

static int compress_file(const struct compress_arguments *arguments)
{
	struct graph *graph = NULL;
	struct model *model = NULL;
	uint64_t bytes;
	int ret = import(arguments, &graph, &bytes);

	if (!ret)
		ret = study_and_compress(arguments, graph, &model);
	if (!ret) {
		model->dense_bytes = bytes;
		ret = arguments->compact ?
			      compact_write(model, &arguments->packing,
					    arguments->output) :
			      model_file_write(model, arguments->output);
	}
	if (!ret) {
		tell_all(arguments, model);
		ret = summary_report(model, arguments->output, arguments->json);
	}
	if (!ret && arguments->report)
		ret = write_report(arguments);
	graph_destroy(graph);
	model_destroy(model);
	return ret;
}

static int compress_checked(const struct option_usage *usage,
			    struct compress_arguments *line)
{
	int status = compress_arguments_check(usage, line);

	if (status != STATUS_OK)
		return status;
	line->options.source = strrchr(line->input, '/') ?
				       strrchr(line->input, '/') + 1 :
				       line->input;
	return compress_file(line) ? command_fail("compress") : STATUS_OK;
}

static int compress_with(const struct option *options,
			 struct compress_arguments *line, int count,
			 char **arguments)
{
	char notes[4096];
	const struct option_usage usage = {
		.command = "compress",
		.synopsis =
			"MODEL.onnx -o OUT.safetensors --sparsity S|keep|--target BOUND [OPTION ...]",
		.about =
			"Prunes and quantizes a network to a sparse int8 model.",
		.options = options,
		.notes = notes,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	snprintf(
		notes, sizeof(notes),
		"Methods, and what part they take where no --scope is given:\n%s",
		prune_method_lines());
	if (options_parse(&usage, count, arguments, &line->input, &status))
		status = compress_checked(&usage, line);
	return status;
}

static int parse_and_compress(struct compress_arguments *line, int count,
			      char **arguments)
{
	const struct option options[] = {
		{ "output", 'o', OPTION_TEXT, &line->output, "FILE",
		  "the model to write" },
		{ "weights", 0, OPTION_TEXT, &line->weights, "FILE.safetensors",
		  "take the weights of the same names from here" },
		{ "sparsity", 0, OPTION_TEXT, &line->sparsity, "S|keep",
		  "part of the weights that goes, or: the zeros that are there" },
		{ "target", 0, OPTION_TEXT, &line->target, "BOUND",
		  "or find it: " TARGET_FORMS },
		{ "fast", 0, OPTION_FLAG, &line->fast, NULL,
		  "with a target of quality, save cycles rather than bytes" },
		{ "search", 0, OPTION_TEXT, &line->search,
		  "bayesian|grid|random",
		  "for what does not add up on the way to a target (bayesian)" },
		{ "looks", 0, OPTION_COUNT, &line->looks, "N",
		  "networks that the search for a target may try (12)" },
		{ "features", 0, OPTION_TEXT, &line->features, "FILE.onnx",
		  "a classifier: for --target fid, and FID in the report" },
		{ "scope", 0, OPTION_TEXT, &line->scope, "layer|global",
		  "the part of each layer, or of all weights (as the method likes)" },
		{ "method", 0, OPTION_TEXT, &line->method, "NAME",
		  prune_method_names() },
		{ "recipe", 0, OPTION_TEXT, &line->recipe, "FILE.json",
		  "methods and sparsities of single layers" },
		{ "pattern", 0, OPTION_TEXT, &line->pattern, "N:M",
		  "N of each M neighbours along the input stay, in place of --sparsity" },
		{ "threshold", 0, OPTION_TEXT, &line->threshold, "T[:std]",
		  "magnitudes above it stay, in place of --sparsity; of each layer's deviation" },
		{ "low-rank", 0, OPTION_TEXT, &line->low_rank,
		  "RANK|RATIO[:whitened][:global][:sparse[:PART]]",
		  "first make two layers of each, of that rank or part of the weights" },
		{ "dictionary", 0, OPTION_TEXT, &line->dictionary, "ATOMS:N",
		  "or of so many atoms, and N of them in each column" },
		{ "rounds", 0, OPTION_COUNT, &line->rounds, "N",
		  "prune little by little, looking again each time (1)" },
		{ "reconstruct", 0, OPTION_TEXT, &line->reconstruct, "none|ls",
		  "ls: the others take over for them, by least squares (none)" },
		{ "budget", 0, OPTION_TEXT, &line->budget, "size|macs|cycles",
		  "what the part of all weights is of (size)" },
		{ "quantize", 0, OPTION_TEXT, &line->quantize, "FORMAT",
		  "int8 (default), int4, int4:group:32:mse, codebook:16, fp8 ..." },
		{ "rounding", 0, OPTION_TEXT, &line->rounding,
		  "nearest|gptq|adaround",
		  "what one weight loses, others give back; or up and down is learned (nearest)" },
		{ "order", 0, OPTION_TEXT, &line->order, "pq|qp|joint",
		  "prune, then round; the other way round; or both in one sweep (pq)" },
		{ "activations", 0, OPTION_TEXT, &line->activations,
		  "static|dynamic",
		  "dynamic: say what ranges of each run would bring; the device has static ones" },
		{ "calibration", 0, OPTION_TEXT, &line->calibration, "METHOD",
		  "of activations: minmax (default), percentile[:P], kl or mse" },
		{ "recover", 0, OPTION_FLAG, &line->recover, NULL,
		  "train what is left for five minutes, as accel distill" },
		{ "float", 0, OPTION_TEXT, &line->float_output, "FILE.onnx",
		  "write the pruned network before it is quantized, too" },
		{ "report", 0, OPTION_TEXT, &line->report, "FILE.html",
		  "a page about what it cost and brought, and FILE.json" },
		{ "calibrate", 0, OPTION_LIST, &line->calibrate, "[NAME=]FILE",
		  "inputs: .npy, PNG or a folder of them" },
		{ "latents", 0, OPTION_COUNT, &line->latents, "N",
		  "or sample so many (512)" },
		{ "sample", 0, OPTION_TEXT, &line->sample, "strokes:N",
		  "or let a decoder of strokes draw so many sketches" },
		{ "seed", 0, OPTION_SEED, &line->options.seed, "S",
		  "of the latents, and all else that is random (0)" },
		INPUTS_PICTURE_OPTIONS(line->layout, line->options.input_range,
				       line->options.output_range),
		{ "compact", 0, OPTION_FLAG, &line->compact, NULL,
		  "write it as small as can be; with --config packed for a device" },
		PACKING_CONFIG_OPTION(line->packing),
		{ "json", 0, OPTION_FLAG, &line->json, NULL,
		  "print the summary as JSON" },
		{ .name = NULL },
	};

	return compress_with(options, line, count, arguments);
}

int command_compress(int count, char **arguments)
{
	char *told = NULL;
	struct compress_arguments line = {
		.told = &told,
		.rounding = "nearest",
		.order = "pq",
		.activations = "static",
	};
	char *command = evaluation_report_command(count, arguments);
	int status;

	line.command = command ? command : "accel compress";
	status = parse_and_compress(&line, count, arguments);
	free(command);
	free(told);
	return status;
}
