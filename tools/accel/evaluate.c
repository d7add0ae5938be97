/* SPDX-License-Identifier: MIT */
/*
 * accel evaluate: what compression cost in quality and brought in size and time, for any number
 * of models of one network.
 */
#include "command.h"
#include "evaluate.h"
#include "evaluation.h"
#include "evaluation_report.h"
#include "execute.h"
#include "folder.h"
#include "options.h"
#include "sketched.h"

#include <core/error.h>
#include <formats/atomic_file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODELS_MAX 16

/** struct evaluate_arguments - the command line */
struct evaluate_arguments {
	const char *operands[1 + MODELS_MAX];
	const char *device;
	const char *image;
	const char *features;
	const char *metrics;
	const char *original;
	const char *labels;
	unsigned int wanted;
	const char *report;
	const char *command;
	struct inputs_source source;
	struct quantize_range range;
	double timeout;
	bool json;
	bool quiet;
};

/* Black and white: as given, as the model says, or as the dense result shows. */
static int choose_range(const struct evaluate_arguments *arguments,
			const struct accel_model *model,
			struct evaluation_set *set)
{
	struct accel_port_info port = { .size = sizeof(port) };
	int ret = accel_model_get_output(model, 0, &port);

	if (ret)
		return ret;
	set->range = set->reference.range;
	if (port.range_low < port.range_high)
		set->range = (struct quantize_range){ port.range_low,
						      port.range_high };
	if (arguments->range.low < arguments->range.high)
		set->range = arguments->range;
	if (set->range.low < set->range.high)
		return 0;
	return accel_error(-EINVAL, "%s: its result is all zero",
			   arguments->operands[0]);
}

static int write_report(const struct evaluate_arguments *arguments,
			const struct evaluation_set *set)
{
	const struct evaluation_report report = {
		.set = set,
		.dense = arguments->operands[0],
		.command = arguments->command,
		.seed = arguments->source.seed,
	};

	return evaluation_report_write(&report, arguments->report);
}

static int evaluate_each(const struct evaluate_arguments *arguments,
			 struct evaluation_set *set,
			 struct accel_model *const *models,
			 const struct inputs *inputs)
{
	int ret = 0;

	for (uint32_t i = 0; i < set->count && !ret; i++)
		ret = evaluation_run(&set->items[i], set, models[i], inputs,
				     arguments->timeout);
	if (!ret && arguments->image)
		ret = evaluation_write_picture(set, arguments->image);
	if (!ret && arguments->report)
		ret = write_report(arguments, set);
	if (ret || arguments->quiet)
		return ret;
	return arguments->json ? evaluation_print_json(set) :
				 evaluation_print(set);
}

/* Only what was asked for costs time: without these options nothing is added. */
static int evaluate_with_appraiser(const struct evaluate_arguments *arguments,
				   struct evaluation_set *set,
				   struct accel_model *const *models,
				   const struct inputs *inputs,
				   const struct sketches *sketches)
{
	const struct appraiser_source source = {
		/* a classifier that is asked tells all that it sees */
		.metrics = arguments->wanted |
			   (arguments->features ? QUALITY_FEATURES : 0),
		.features = arguments->features,
		.labels = arguments->labels,
		.dense = arguments->operands[0],
		.model = models[0],
		.inputs = inputs,
		.sampled = &arguments->source,
		.reference = &set->reference,
		.sketches = sketches,
		.range = set->range,
	};
	struct appraiser appraiser;
	int ret;

	if (!arguments->wanted && !arguments->labels && !arguments->features)
		return evaluate_each(arguments, set, models, inputs);
	ret = appraiser_open(&appraiser, &source);
	set->appraiser = &appraiser;
	if (!ret)
		ret = evaluate_each(arguments, set, models, inputs);
	set->appraiser = NULL;
	appraiser_close(&appraiser);
	return ret;
}

static int evaluate_with_original(const struct evaluate_arguments *arguments,
				  struct evaluation_set *set,
				  struct accel_model *const *models,
				  const struct inputs *inputs,
				  const struct sketches *sketches)
{
	struct original original;
	int ret;

	if (!arguments->original)
		return evaluate_with_appraiser(arguments, set, models, inputs,
					       sketches);
	ret = original_read(&original, arguments->original,
			    arguments->source.layout, &set->reference,
			    set->range);
	set->original = &original;
	if (!ret)
		ret = evaluate_with_appraiser(arguments, set, models, inputs,
					      sketches);
	set->original = NULL;
	original_release(&original);
	return ret;
}

/* The dense network runs once; all models are held against it on the same inputs. */
static int evaluate_models(const struct evaluate_arguments *arguments,
			   struct evaluation_set *set,
			   struct accel_model *const *models,
			   const struct inputs *inputs,
			   const struct sketches *sketches)
{
	int ret = reference_run(&set->reference, arguments->operands[0], inputs,
				1);

	if (!ret)
		ret = choose_range(arguments, models[0], set);
	if (!ret)
		ret = evaluate_with_original(arguments, set, models, inputs,
					     sketches);
	reference_release(&set->reference);
	return ret;
}

/* A decoder's own sketches are inputs where likelihood is asked for and none are given. */
static int gather(const struct evaluate_arguments *arguments,
		  const struct accel_model *model, struct inputs *inputs,
		  struct sketches *sketches)
{
	bool draws = arguments->wanted & QUALITY_NLL &&
		     !arguments->source.files.count;
	int ret = draws ? sketched_gather(inputs, sketches,
					  arguments->operands[0],
					  &arguments->source) :
			  0;

	if (ret)
		return ret < 0 ? ret : 0;
	/* of all there is, what does not apply is left out */
	if (arguments->wanted & QUALITY_NLL &&
	    strcmp(arguments->metrics, "all"))
		return accel_error(
			-EINVAL,
			draws ? "%s: nll is of a Sketch-RNN decoder" :
				"%s: nll is of sketches that the network draws: leave out --input",
			arguments->operands[0]);
	return inputs_gather(inputs, model, &arguments->source);
}

static int evaluate_on_device(const struct evaluate_arguments *arguments,
			      struct evaluation_set *set,
			      struct accel_model *const *models)
{
	struct sketches sketches = { .steps = 0 };
	struct inputs inputs;
	int ret = accel_device_open(arguments->device, NULL, &set->device);

	if (ret)
		return ret;
	set->device_info.size = sizeof(set->device_info);
	ret = accel_device_get_info(set->device, &set->device_info);
	if (!ret)
		ret = gather(arguments, models[0], &inputs, &sketches);
	if (!ret) {
		ret = evaluate_models(arguments, set, models, &inputs,
				      sketches.steps ? &sketches : NULL);
		inputs_release(&inputs);
		sketches_release(&sketches);
	}
	accel_device_close(set->device);
	return ret;
}

/*
 * Models are loaded before anything runs: a wrong path shows before the dense network has
 * taken its time.
 */
static int evaluate(const struct evaluate_arguments *arguments)
{
	struct evaluation items[MODELS_MAX] = { 0 };
	struct accel_model *models[MODELS_MAX] = { 0 };
	struct evaluation_set set = { .items = items,
				      .seed = arguments->source.seed };
	int ret = arguments->report ? atomic_file_check(arguments->report) : 0;

	while (set.count < MODELS_MAX && arguments->operands[1 + set.count] &&
	       !ret) {
		items[set.count].path = arguments->operands[1 + set.count];
		ret = accel_model_load(items[set.count].path,
				       &models[set.count]);
		set.count++;
	}
	if (!ret)
		ret = evaluate_on_device(arguments, &set, models);
	for (uint32_t i = 0; i < set.count; i++) {
		evaluation_release(&items[i]);
		accel_model_free(models[i]);
	}
	return ret;
}

/* files: of the request, without folders; paths: for free() */
static int take_files(const struct option_list *files, struct option_list *out,
		      char **paths)
{
	int ret = 0;

	out->count = files->count;
	for (int i = 0; i < files->count && !ret; i++) {
		ret = folder_first_file(files->items[i], &paths[i]);
		out->items[i] = paths[i];
	}
	return ret;
}

int evaluate_report(const struct evaluate_request *request)
{
	struct evaluate_arguments arguments = {
		.operands = { request->dense, request->model },
		.device = "sim:",
		/* of all there is, what does not apply is left out */
		.metrics = "all",
		.wanted = QUALITY_PSNR | QUALITY_MS_SSIM |
			  (request->sketches ? QUALITY_NLL : 0),
		.features = request->features,
		.report = request->report,
		.command = request->command,
		.source = request->source,
		.range = request->range,
		.timeout = EXECUTE_TIMEOUT_DEFAULT,
		.quiet = true,
	};
	char *paths[OPTION_LIST_MAX] = { NULL };
	int ret = take_files(&request->source.files, &arguments.source.files,
			     paths);

	if (!ret)
		ret = evaluate(&arguments);
	for (int i = 0; i < OPTION_LIST_MAX; i++)
		free(paths[i]);
	return ret;
}

/* What features are needed for has to have them. */
static bool choose_metrics(struct evaluate_arguments *line,
			   const struct option_usage *usage, int *status)
{
	if (!line->metrics)
		return true;
	if (quality_parse(line->metrics, &line->wanted)) {
		*status = options_misuse(usage, "--metrics %s",
					 accel_last_error());
		return false;
	}
	if (strcmp(line->metrics, "all") && !line->features &&
	    line->wanted & QUALITY_FEATURES) {
		*status = options_misuse(
			usage,
			"--metrics %s: fid, kid, pr and dc need --features CLASSIFIER.onnx",
			line->metrics);
		return false;
	}
	/* a classifier that nobody asks is not run */
	if (!(line->wanted & QUALITY_FEATURES))
		line->features = NULL;
	return true;
}

int command_evaluate(int count, char **arguments)
{
	struct evaluate_arguments line = {
		.device = "sim:",
		.source = { .batch = 8 },
		.timeout = EXECUTE_TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "sim:[FILE] (default), vfio-user:SOCKET, cpu:" },
		INPUTS_OPTIONS(line.source, INPUTS_FILES_HELP,
			       "sample so many when no file gives them (8)"),
		{ "image", 0, OPTION_TEXT, &line.image, "FILE.png",
		  "picture: the dense network, then each model" },
		{ "report", 0, OPTION_TEXT, &line.report, "FILE.html",
		  "one page with all of it, layer by layer" },
		{ "features", 0, OPTION_TEXT, &line.features, "CLASSIFIER.onnx",
		  "compare all pictures by what this network sees in them" },
		{ "metrics", 0, OPTION_TEXT, &line.metrics, "LIST",
		  "also psnr,ssim,msssim,fid,kid,pr,dc,nll,robustness or all" },
		{ "original", 0, OPTION_TEXT, &line.original, "FILE",
		  "what the input was made of (.npy, PNG): PSNR of luminance" },
		{ "labels", 0, OPTION_TEXT, &line.labels, "FILE",
		  "classes of the inputs (.npy, IDX): accuracy, recall, F1" },
		{ "output-range", 0, OPTION_RANGE, &line.range, "LO:HI",
		  "black and white, and the peak of PSNR" },
		EXECUTE_TIMEOUT_OPTION(&line.timeout),
		{ "json", 0, OPTION_FLAG, &line.json, NULL, "print as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "evaluate",
		.synopsis = "DENSE.onnx MODEL... [--input FILE] [OPTION ...]",
		.about =
			"Runs compressed models and the dense network on the same inputs.",
		.options = options,
		.operands_min = 2,
		.operands_max = 1 + MODELS_MAX,
	};
	char *command = evaluation_report_command(count, arguments);
	int status;

	if (options_parse(&usage, count, arguments, line.operands, &status) &&
	    choose_metrics(&line, &usage, &status)) {
		line.command = command ? command : "accel evaluate";
		status = evaluate(&line) ? command_fail("evaluate") : STATUS_OK;
	}
	free(command);
	return status;
}
