/* SPDX-License-Identifier: MIT */
/*
 * accel compress: from an ONNX file to a model. The steps are the library's; here is what they
 * start from: options, calibration data, and where the result goes.
 */
#include "binding.h"
#include "command.h"
#include "evaluate.h"
#include "evaluation_report.h"
#include "options.h"
#include "packing.h"
#include "progress.h"
#include "recovery.h"
#include "summary.h"
#include "target.h"

#include <compress/choice_recipe.h>
#include <compress/compress.h>
#include <compress/compress_progress.h>
#include <compress/export_graph.h>
#include <compress/low_rank.h>
#include <compress/onnx_import.h>
#include <compress/parallel.h>
#include <compress/prune_pattern.h>
#include <compress/sketches.h>
#include <accel/error.h>
#include <core/deadline.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <model/file.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENTS_DEFAULT 512

/* Of a report: other latents than those of the calibration. */
#define REPORT_LATENTS 64
/* Enough for figures of distributions. */
#define REPORT_PICTURES 2048
#define REPORT_SEED 1000003
#define ROUNDS_MAX 100
/* To measure results on, of a seed of their own. */
#define HELD_OUT_LATENTS 256

/* Sketches that are drawn: most are shorter, and good ones rather than odd ones. */
#define SKETCHES_MAX 4096
#define SKETCH_STEPS 100
#define SKETCH_TEMPERATURE 0.7

/** struct compress_arguments - the command line */
struct compress_arguments {
	const char *input;
	const char *weights;
	const char *output;
	const char *sparsity;
	const char *scope;
	const char *method;
	const char *reconstruct;
	const char *budget;
	const char *recipe;
	const char *pattern;
	const char *low_rank;
	const char *dictionary;
	struct low_rank factors;
	struct compress_choices *choices;
	int64_t rounds;
	const char *quantize;
	const char *calibration;
	const char *rounding;
	const char *order;
	const char *sample;
	const char *float_output;
	const char *report;
	const char *command;
	const char *target;
	const char *features;
	struct automatic_target bound;
	int64_t looks;
	bool fast;
	char **told; /* all that there is to say of a target's model */
	struct option_list calibrate;
	int64_t sketches;
	int64_t latents;
	enum array_layout layout;
	bool json;
	bool compact;
	bool recover;
	struct packing_options packing;
	struct compress_options options;
};

/* 1 would leave nothing, which no layer survives. */
static bool parse_sparsity(const char *text, double *sparsity)
{
	char *end;

	if (!strcmp(text, "keep")) {
		*sparsity = COMPRESS_KEEP;
		return true;
	}
	*sparsity = strtod(text, &end);
	return end != text && !*end && *sparsity >= 0 && *sparsity < 1;
}

/* Some scores are one measure for all layers; magnitudes are not. */
static bool parse_scope(const char *text, struct compress_options *options)
{
	if (!text) {
		options->scope = options->selection->scope;
		return true;
	}
	options->scope = strcmp(text, "global") ? PRUNE_PER_LAYER :
						  PRUNE_GLOBAL;
	return !strcmp(text, "layer") || !strcmp(text, "global");
}

static bool parse_reconstruct(const char *text, bool *reconstruct)
{
	*reconstruct = !strcmp(text, "ls");
	return *reconstruct || !strcmp(text, "none");
}

static bool parse_budget(const char *text, enum compress_budget *budget)
{
	static const char *const names[] = {
		[COMPRESS_SIZE] = "size",
		[COMPRESS_MACS] = "macs",
		[COMPRESS_CYCLES] = "cycles",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		*budget = (enum compress_budget)i;
		if (!strcmp(text, names[i]))
			return true;
	}
	return false;
}

/* strokes:N */
static bool parse_sample(const char *text, int64_t *count)
{
	static const char strokes[] = "strokes:";
	size_t length = sizeof(strokes) - 1;
	char *end;

	if (!text)
		return true;
	if (strncmp(text, strokes, length))
		return false;
	*count = strtoll(text + length, &end, 10);
	return end != text + length && !*end && *count > 0 &&
	       *count <= SKETCHES_MAX;
}

/* How the weights are chosen that go, and what is done about it. */
static int check_method(const struct option_usage *usage,
			struct compress_arguments *arguments)
{
	struct compress_options *options = &arguments->options;

	options->selection = prune_method_find(arguments->method);
	if (!options->selection)
		return options_misuse(usage, "--method %s: it takes %s",
				      arguments->method, prune_method_names());
	if (!parse_scope(arguments->scope, options))
		return options_misuse(usage,
				      "--scope %s: it takes layer or global",
				      arguments->scope);
	if (!parse_reconstruct(arguments->reconstruct, &options->reconstruct))
		return options_misuse(usage,
				      "--reconstruct %s: it takes none or ls",
				      arguments->reconstruct);
	if (!parse_budget(arguments->budget, &options->budget))
		return options_misuse(
			usage, "--budget %s: it takes size, macs or cycles",
			arguments->budget);
	if (calibration_method_parse(arguments->calibration,
				     &options->calibration))
		return options_misuse(usage, "%s", accel_last_error());
	if (compress_order_parse(arguments->order, &options->order))
		return options_misuse(usage, "--order %s", accel_last_error());
	if (rounding_parse(arguments->rounding, &options->rounding))
		return options_misuse(usage, "--rounding %s",
				      accel_last_error());
	if (weight_format_parse(arguments->quantize, &options->format))
		return options_misuse(usage, "--quantize: %s",
				      accel_last_error());
	if (options->rounding != ROUNDING_NEAREST && arguments->recover)
		return options_misuse(
			usage,
			"--rounding %s excludes --recover, which trains the codes",
			arguments->rounding);
	if (options->budget != COMPRESS_SIZE && options->scope != PRUNE_GLOBAL)
		return options_misuse(usage,
				      "--budget %s is for --scope global",
				      arguments->budget);
	if (options->sparsity == COMPRESS_KEEP && options->reconstruct)
		return options_misuse(
			usage,
			"--reconstruct ls needs a --sparsity: of zeros that are there, what they replaced is not known");
	return STATUS_OK;
}

/* A recipe is for each layer, and leaves nothing to whole networks. */
static int check_recipe(const struct option_usage *usage,
			struct compress_arguments *arguments)
{
	struct compress_options *options = &arguments->options;

	if (!arguments->recipe)
		return STATUS_OK;
	if (arguments->scope && options->scope == PRUNE_GLOBAL)
		return options_misuse(
			usage, "--recipe goes by layers: no --scope global");
	if (options->sparsity == COMPRESS_KEEP || arguments->recover)
		return options_misuse(
			usage,
			"--recipe excludes --recover and --sparsity keep");
	options->scope = PRUNE_PER_LAYER;
	return STATUS_OK;
}

/* Patterns are the same everywhere, and take no more than one round. */
static int check_pattern(const struct option_usage *usage,
			 struct compress_arguments *arguments)
{
	struct compress_options *options = &arguments->options;
	struct prune_budget budget = { .sparsity = 0 };

	if (arguments->rounds > ROUNDS_MAX)
		return options_misuse(usage, "--rounds: at most %d",
				      ROUNDS_MAX);
	options->rounds = (int)arguments->rounds;
	if (arguments->rounds &&
	    (options->sparsity == COMPRESS_KEEP || arguments->recover))
		return options_misuse(
			usage,
			"--rounds excludes --recover and --sparsity keep");
	if (options->rounds > 1 && !options->selection->score)
		return options_misuse(
			usage, "--rounds is not for --method %s: it solves",
			arguments->method);
	if (!arguments->pattern)
		return STATUS_OK;
	if (prune_pattern_parse(arguments->pattern, &options->pattern))
		return options_misuse(usage, "--pattern %s",
				      accel_last_error());
	if (arguments->scope || arguments->recipe || arguments->rounds ||
	    arguments->recover)
		return options_misuse(
			usage,
			"--pattern excludes --scope, --recipe, --rounds and --recover");
	options->scope = PRUNE_PER_LAYER;
	budget.pattern = options->pattern;
	if (prune_method_check(options->selection, &budget))
		return options_misuse(usage, "--pattern: %s",
				      accel_last_error());
	return STATUS_OK;
}

/* Codes that are chosen before the end have to stay what they are. */
static int check_order(const struct option_usage *usage,
		       struct compress_arguments *arguments)
{
	struct compress_options *options = &arguments->options;

	if (options->order == COMPRESS_PRUNE_FIRST)
		return STATUS_OK;
	if (arguments->recover || arguments->target)
		return options_misuse(
			usage,
			"--order %s excludes --recover and --target, which round for themselves",
			arguments->order);
	/* a recipe's methods are known when it is read */
	if (!arguments->recipe && compress_order_check(options))
		return options_misuse(usage, "--%s", accel_last_error());
	return STATUS_OK;
}

/* What is sparse already stays as it is, whatever goes elsewhere. */
static bool has_sparse_parts(const struct compress_arguments *arguments)
{
	return arguments->dictionary || arguments->factors.sparse > 0;
}

static int check_sparse_parts(const struct option_usage *usage,
			      struct compress_arguments *arguments)
{
	if (!has_sparse_parts(arguments))
		return STATUS_OK;
	if (arguments->pattern ||
	    (arguments->scope && arguments->options.scope == PRUNE_GLOBAL))
		return options_misuse(
			usage,
			"what is sparse already goes by layers: no --scope global or --pattern");
	arguments->options.scope = PRUNE_PER_LAYER;
	return STATUS_OK;
}

/* Both layers of a pair are layers to all that comes after. */
static int check_low_rank(const struct option_usage *usage,
			  struct compress_arguments *arguments)
{
	if (!arguments->low_rank && !arguments->dictionary)
		return STATUS_OK;
	if (arguments->low_rank && arguments->dictionary)
		return options_misuse(
			usage,
			"--low-rank and --dictionary exclude each other");
	if (arguments->low_rank &&
	    low_rank_parse(arguments->low_rank, &arguments->factors))
		return options_misuse(usage, "--low-rank %s",
				      accel_last_error());
	if (arguments->dictionary &&
	    low_rank_parse_dictionary(arguments->dictionary,
				      &arguments->factors))
		return options_misuse(usage, "--dictionary %s: %s",
				      arguments->dictionary,
				      accel_last_error());
	if (arguments->recover || arguments->target)
		return options_misuse(
			usage,
			"--low-rank and --dictionary exclude --recover and --target");
	return check_sparse_parts(usage, arguments);
}

/* What the network is run on. */
static int check_data(const struct option_usage *usage,
		      struct compress_arguments *arguments)
{
	if (!parse_sample(arguments->sample, &arguments->sketches))
		return options_misuse(usage, "--sample %s: it takes strokes:N",
				      arguments->sample);
	if (!!arguments->calibrate.count + !!arguments->latents +
		    !!arguments->sketches >
	    1)
		return options_misuse(
			usage,
			"--calibrate, --latents and --sample exclude each other");
	return STATUS_OK;
}

/* After the work there has to be a place for what came of it, and eyes to see it with. */
static int check_files(const struct compress_arguments *arguments)
{
	const char *const paths[] = { arguments->output,
				      arguments->float_output,
				      arguments->report };
	struct graph *classifier = NULL;
	int ret = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths) && !ret; i++)
		if (paths[i])
			ret = atomic_file_check(paths[i]);
	if (!ret && arguments->features)
		ret = onnx_import(arguments->features, &classifier);
	graph_destroy(classifier);
	return ret ? command_fail("compress") : STATUS_OK;
}

/* A classifier compares sets of pictures, and a few files or sketches are none. */
static bool report_lacks_features(const struct compress_arguments *arguments)
{
	return arguments->report && arguments->features &&
	       (arguments->calibrate.count || arguments->sample);
}

/* What would be passed over in silence is refused. */
static int check_exclusions(const struct option_usage *usage,
			    const struct compress_arguments *arguments)
{
	bool chosen = arguments->scope || arguments->reconstruct ||
		      arguments->budget;

	if (report_lacks_features(arguments))
		return options_misuse(
			usage,
			"--features in a report is for pictures made of latents; it excludes --calibrate and --sample");
	if (arguments->target &&
	    (chosen || arguments->method || arguments->rounds))
		return options_misuse(
			usage,
			"--target chooses methods itself; it excludes --method, --scope, --reconstruct, --budget and --rounds");
	if (!arguments->target && (arguments->fast || arguments->looks))
		return options_misuse(usage,
				      "--fast and --looks are for --target");
	if (!arguments->recover)
		return STATUS_OK;
	if (chosen || arguments->quantize || arguments->calibration)
		return options_misuse(
			usage,
			"--recover trains what is left as accel distill does; it excludes --scope, --reconstruct, --budget, --quantize and --calibration");
	if (arguments->method && strcmp(arguments->method, "gn"))
		return options_misuse(
			usage,
			"--recover begins with all weights, or with the mask of --method gn, and of no other");
	return STATUS_OK;
}

/* What was not said. */
static void fill_defaults(struct compress_arguments *arguments)
{
	const struct {
		const char **text;
		const char *value;
	} defaults[] = {
		{ &arguments->method, "magnitude" },
		{ &arguments->reconstruct, "none" },
		{ &arguments->budget, "size" },
		{ &arguments->quantize, "int8" },
		{ &arguments->calibration, "minmax" },
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		if (!*defaults[i].text)
			*defaults[i].text = defaults[i].value;
}

/* A target says it all: what else would say how sparse contradicts it. */
static int check_target(const struct option_usage *usage,
			struct compress_arguments *arguments)
{
	if (target_parse(arguments->target, &arguments->bound))
		return options_misuse(usage, "--target %s", accel_last_error());
	if (arguments->sparsity || arguments->pattern || arguments->recipe ||
	    arguments->recover)
		return options_misuse(
			usage,
			"--target finds the sparsity; it excludes --sparsity, --pattern, --recipe and --recover");
	if (arguments->bound.quantity == AUTOMATIC_FID && !arguments->features)
		return options_misuse(
			usage,
			"--target fid needs --features CLASSIFIER.onnx to see pictures with");
	if (arguments->packing.config && !arguments->compact)
		return options_misuse(usage, "--config is for --compact");
	return STATUS_OK;
}

static int check_arguments(const struct option_usage *usage,
			   struct compress_arguments *arguments)
{
	struct compress_options *options = &arguments->options;

	if (!arguments->output)
		return options_misuse(usage, "where to? Give -o FILE");
	if (arguments->target)
		return check_target(usage, arguments);
	if (arguments->sparsity && arguments->pattern)
		return options_misuse(
			usage, "--pattern and --sparsity exclude each other");
	if (!arguments->sparsity && (arguments->recipe || arguments->pattern))
		arguments->sparsity = "0";
	if (!arguments->sparsity)
		return options_misuse(
			usage,
			"how sparse? Give --sparsity 0.8, or keep for the zeros that are there");
	if (arguments->recover && !strcmp(arguments->sparsity, "keep"))
		return options_misuse(
			usage, "--recover needs a number for --sparsity");
	if (!parse_sparsity(arguments->sparsity, &options->sparsity))
		return options_misuse(
			usage,
			"--sparsity %s: it takes a number from 0 to below 1, or keep",
			arguments->sparsity);
	if (arguments->packing.config && !arguments->compact)
		return options_misuse(usage, "--config is for --compact");
	return STATUS_OK;
}

/* Does every tensor that a node computes bring its quantization along? */
static bool is_quantized(const struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].quantization &&
		    !graph_tensor_is_constant(graph, t))
			return true;
	return false;
}

/* @paths: one for each input, of the command line; @names: room for as many */
static int bind_files(const struct compress_arguments *arguments,
		      const struct graph *graph, const char **names,
		      const char **paths)
{
	const struct binding_ports ports = { names,
					     (uint32_t)graph->input_count,
					     "input" };
	int ret;

	for (int i = 0; i < graph->input_count; i++)
		names[i] = graph->tensors[graph->inputs[i]].name;
	ret = binding_resolve(&ports, &arguments->calibrate, paths);
	if (!ret && !paths[0])
		ret = accel_error(
			-EINVAL, "%s: the first input; give --calibrate for it",
			names[0]);
	return ret;
}

/* A network of several inputs has a file for each but its recurrent states. */
static int load_files(const struct compress_arguments *arguments,
		      const struct graph *graph, struct calibration_data *data)
{
	size_t count = (size_t)graph->input_count + 1;
	const char **names = calloc(count, sizeof(*names));
	const char **paths = calloc(count, sizeof(*paths));
	const struct calibration_source source = {
		.layout = arguments->layout,
		.range = arguments->options.input_range,
		.others = paths,
	};
	int ret = names && paths ?
			  bind_files(arguments, graph, names, paths) :
			  accel_error(-ENOMEM, "no memory for the inputs");

	if (!ret)
		ret = calibration_data_read(data, graph, paths[0], &source);
	free(names);
	free(paths);
	return ret;
}

/* A decoder of strokes draws what it is calibrated with. */
static int draw_sketches(const struct compress_arguments *arguments,
			 const struct graph *graph,
			 struct calibration_data *data)
{
	const struct sketches_options options = {
		.count = (size_t)arguments->sketches,
		.steps = SKETCH_STEPS,
		.temperature = SKETCH_TEMPERATURE,
		.seed = arguments->options.seed,
	};
	struct sketches sketches;
	int ret = sketches_sample(&sketches, graph, &options);

	if (ret)
		return ret;
	ret = sketches_calibrate(&sketches, graph, data);
	sketches_release(&sketches);
	return ret;
}

/* Files if there are any, else latents: generators need no data. */
static int load_data(const struct compress_arguments *arguments,
		     const struct graph *graph, struct calibration_data *data)
{
	if (arguments->calibrate.count)
		return load_files(arguments, graph, data);
	if (arguments->sketches)
		return draw_sketches(arguments, graph, data);
	return calibration_data_sample(data, graph,
				       arguments->latents ? arguments->latents :
							    LATENTS_DEFAULT,
				       arguments->options.seed);
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

/* Pruned in binary32, which may be wanted as well, then quantized. */
static int prune_and_quantize(const struct compress_arguments *arguments,
			      struct graph *graph,
			      const struct calibration_data *data,
			      struct model **model)
{
	struct prune_mask *mask = prune_mask_create(graph);
	int ret = mask ? prune(arguments, graph, data, mask) :
			 accel_error(-ENOMEM, "no memory to prune");

	if (!ret && arguments->float_output)
		ret = export_graph(graph, arguments->float_output);
	if (!ret)
		ret = quantize(arguments, graph, data, mask, model);
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
	bool alike = !own.recipe && (!has_sparse_parts(&own) ||
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

/* What is sampled can be sampled again: layers are not measured on what repairs them. */
static int load_held_out(const struct compress_arguments *arguments,
			 const struct graph *graph,
			 struct calibration_data *data)
{
	struct compress_arguments others = *arguments;

	others.options.seed++;
	others.latents = HELD_OUT_LATENTS;
	return load_data(&others, graph, data);
}

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
		.looks = arguments->looks ? (int)arguments->looks : 0,
		.fast = arguments->fast,
		.compact = arguments->compact,
		.packing = &arguments->packing,
	};
	int ret;

	if (arguments->calibrate.count)
		return run_target(arguments, &request, graph, data, model);
	ret = load_held_out(arguments, graph, &held_out);
	if (ret)
		return ret;
	request.held_out = &held_out;
	ret = run_target(arguments, &request, graph, data, model);
	calibration_data_release(&held_out);
	return ret;
}

/* A quantized network knows its ranges, and is calibrated only on request. */
static int compress_graph(const struct compress_arguments *arguments,
			  struct graph *graph, struct model **model)
{
	struct calibration_data data;
	int ret;

	if (is_quantized(graph) && !arguments->recover && !arguments->target &&
	    !arguments->calibrate.count && !arguments->latents &&
	    !arguments->sketches)
		return split_and_compress(arguments, graph, NULL, model);
	ret = load_data(arguments, graph, &data);
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

static int compress_file(const struct compress_arguments *arguments)
{
	struct graph *graph = NULL;
	struct model *model = NULL;
	uint64_t bytes;
	int ret = import(arguments, &graph, &bytes);

	if (!ret)
		ret = choose_and_compress(arguments, graph, &model);
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
	int status = check_exclusions(usage, line);

	fill_defaults(line);
	if (status == STATUS_OK)
		status = check_arguments(usage, line);
	if (status == STATUS_OK)
		status = check_method(usage, line);
	if (status == STATUS_OK)
		status = check_recipe(usage, line);
	if (status == STATUS_OK)
		status = check_pattern(usage, line);
	if (status == STATUS_OK)
		status = check_order(usage, line);
	if (status == STATUS_OK)
		status = check_low_rank(usage, line);
	if (status == STATUS_OK)
		status = check_data(usage, line);
	if (status == STATUS_OK)
		status = check_files(line);
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
	const struct option_usage usage = {
		.command = "compress",
		.synopsis =
			"MODEL.onnx -o OUT.safetensors --sparsity S|keep|--target BOUND [OPTION ...]",
		.about =
			"Prunes and quantizes a network to a sparse int8 model.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

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
		{ "layout", 0, OPTION_LAYOUT, &line->layout, "nchw|nhwc",
		  "of .npy images where both fit (nchw)" },
		{ "input-range", 0, OPTION_RANGE, &line->options.input_range,
		  "LO:HI", "black and white of input images" },
		{ "output-range", 0, OPTION_RANGE, &line->options.output_range,
		  "LO:HI", "black and white of output images" },
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
	};
	char *command = evaluation_report_command(count, arguments);
	int status;

	line.command = command ? command : "accel compress";
	status = parse_and_compress(&line, count, arguments);
	free(command);
	free(told);
	return status;
}
