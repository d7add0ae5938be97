/* SPDX-License-Identifier: MIT */
#include "compress_arguments.h"

#include "command.h"

#include <compress/onnx_import.h>
#include <compress/point_search.h>
#include <compress/prune_pattern.h>
#include <accel/error.h>
#include <formats/atomic_file.h>

#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 100

/* Sketches that are drawn. */
#define SKETCHES_MAX 4096

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

/* A threshold is of magnitudes, and says all about what goes. */
static int check_threshold(const struct option_usage *usage,
			   struct compress_arguments *arguments)
{
	struct compress_options *options = &arguments->options;

	if (!arguments->threshold)
		return STATUS_OK;
	if (prune_threshold_parse(arguments->threshold, &options->threshold))
		return options_misuse(usage, "--threshold %s",
				      accel_last_error());
	if (strcmp(options->selection->name, "magnitude"))
		return options_misuse(usage,
				      "--threshold is of --method magnitude");
	if (arguments->pattern || arguments->recipe || arguments->rounds ||
	    arguments->recover || arguments->scope ||
	    options->budget != COMPRESS_SIZE)
		return options_misuse(
			usage,
			"--threshold excludes --pattern, --recipe, --rounds, --recover, --scope and --budget");
	options->scope = options->threshold.deviations ? PRUNE_PER_LAYER :
							 PRUNE_GLOBAL;
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
bool compress_arguments_have_sparse_parts(
	const struct compress_arguments *arguments)
{
	return arguments->dictionary || arguments->factors.sparse > 0;
}

static int check_sparse_parts(const struct option_usage *usage,
			      struct compress_arguments *arguments)
{
	if (!compress_arguments_have_sparse_parts(arguments))
		return STATUS_OK;
	if (arguments->pattern || arguments->threshold ||
	    (arguments->scope && arguments->options.scope == PRUNE_GLOBAL))
		return options_misuse(
			usage,
			"what is sparse already goes by layers: no --scope global, --pattern or --threshold");
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

/* What the device does not have is measured beside what it has. */
static int check_activations(const struct option_usage *usage,
			     const struct compress_arguments *arguments)
{
	bool dynamic = !strcmp(arguments->activations, "dynamic");

	if (!dynamic && strcmp(arguments->activations, "static"))
		return options_misuse(
			usage, "--activations %s: it takes static or dynamic",
			arguments->activations);
	if (dynamic && (arguments->target || arguments->recover))
		return options_misuse(
			usage,
			"--activations dynamic excludes --target and --recover");
	return STATUS_OK;
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
	if (!arguments->target &&
	    (arguments->fast || arguments->looks || arguments->search))
		return options_misuse(
			usage, "--fast, --search and --looks are for --target");
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
		{ &arguments->search, "bayesian" },
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
	arguments->search_kind = point_search_find(arguments->search);
	if (!arguments->search_kind)
		return options_misuse(usage, "--search %s: it takes %s",
				      arguments->search, point_search_names());
	if (arguments->sparsity || arguments->pattern || arguments->threshold ||
	    arguments->recipe || arguments->recover)
		return options_misuse(
			usage,
			"--target finds the sparsity; it excludes --sparsity, --pattern, --threshold, --recipe and --recover");
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
	if (arguments->sparsity && (arguments->pattern || arguments->threshold))
		return options_misuse(
			usage, "--%s and --sparsity exclude each other",
			arguments->pattern ? "pattern" : "threshold");
	if (!arguments->sparsity &&
	    (arguments->recipe || arguments->pattern || arguments->threshold))
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

int compress_arguments_check(const struct option_usage *usage,
			     struct compress_arguments *arguments)
{
	int status = check_exclusions(usage, arguments);

	fill_defaults(arguments);
	if (status == STATUS_OK)
		status = check_arguments(usage, arguments);
	if (status == STATUS_OK)
		status = check_method(usage, arguments);
	if (status == STATUS_OK)
		status = check_recipe(usage, arguments);
	if (status == STATUS_OK)
		status = check_pattern(usage, arguments);
	if (status == STATUS_OK)
		status = check_threshold(usage, arguments);
	if (status == STATUS_OK)
		status = check_order(usage, arguments);
	if (status == STATUS_OK)
		status = check_low_rank(usage, arguments);
	if (status == STATUS_OK)
		status = check_activations(usage, arguments);
	if (status == STATUS_OK)
		status = check_data(usage, arguments);
	return status == STATUS_OK ? check_files(arguments) : status;
}
