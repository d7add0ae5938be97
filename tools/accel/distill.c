/* SPDX-License-Identifier: MIT */
/* accel distill: a sparse int8 model that was trained to do what a dense network does. */
#include "binding.h"
#include "command.h"
#include "inputs.h"
#include "options.h"
#include "recovery.h"
#include "summary.h"

#include <compress/compress.h>
#include <compress/onnx_import.h>
#include <core/error.h>
#include <model/file.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MINUTES_MAX 1e6

/** struct distill_arguments - the command line */
struct distill_arguments {
	const char *teacher;
	const char *student;
	const char *sparsity;
	const char *minutes;
	struct option_list data;
	enum array_layout layout;
	bool json;
	struct recovery recovery;
};

static bool parse_number(const char *text, double low, double high,
			 double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && *number >= low && *number < high;
}

/* The teacher's own channels, fewer of them, in place of a file. */
static const char *narrowing_text(const char *student)
{
	static const char structured[] = "structured:";
	size_t length = sizeof(structured) - 1;

	return student && !strncmp(student, structured, length) ?
		       student + length :
		       NULL;
}

static int check_arguments(const struct option_usage *usage,
			   struct distill_arguments *arguments)
{
	struct recovery *recovery = &arguments->recovery;

	if (!recovery->output)
		return options_misuse(usage, "where to? Give -o FILE");
	if (!arguments->sparsity)
		return options_misuse(usage, "how sparse? Give --sparsity 0.8");
	if (!parse_number(arguments->sparsity, 0, 1, &recovery->sparsity))
		return options_misuse(
			usage,
			"--sparsity %s: it takes a number from 0 to below 1",
			arguments->sparsity);
	if (narrowing_text(arguments->student) &&
	    !parse_number(narrowing_text(arguments->student), 0, 1,
			  &recovery->narrowing))
		return options_misuse(
			usage,
			"--student %s: it takes a file, or structured: and a number from 0 to below 1",
			arguments->student);
	if (arguments->minutes &&
	    (!parse_number(arguments->minutes, 0, MINUTES_MAX,
			   &recovery->minutes) ||
	     recovery->minutes <= 0))
		return options_misuse(usage,
				      "--minutes %s: it takes a number above 0",
				      arguments->minutes);
	if (arguments->minutes && recovery->steps)
		return options_misuse(
			usage, "--minutes and --steps exclude each other");
	if (arguments->data.count && recovery->latents)
		return options_misuse(
			usage, "--data and --latents exclude each other");
	return STATUS_OK;
}

/* One file for each input; states may go without. */
static int read_files(const struct distill_arguments *arguments,
		      const struct graph *graph, const char **names,
		      const char **paths, struct calibration_data *data)
{
	const struct binding_ports ports = { names,
					     (uint32_t)graph->input_count,
					     "input" };
	const struct calibration_source source = {
		.layout = arguments->layout,
		.range = arguments->recovery.input_range,
		.others = paths,
	};
	int ret;

	for (int i = 0; i < graph->input_count; i++)
		names[i] = graph->tensors[graph->inputs[i]].name;
	ret = binding_resolve(&ports, &arguments->data, paths);
	if (!ret && !paths[0])
		ret = accel_error(-EINVAL,
				  "%s: the first input; give --data for it",
				  names[0]);
	return ret ? ret :
		     calibration_data_read(data, graph, paths[0], &source);
}

static int load_data(const struct distill_arguments *arguments,
		     const struct graph *graph, struct calibration_data *data)
{
	size_t count = (size_t)graph->input_count + 1;
	const char **names = calloc(count, sizeof(*names));
	const char **paths = calloc(count, sizeof(*paths));
	int ret = -ENOMEM;

	if (names && paths)
		ret = read_files(arguments, graph, names, paths, data);
	else
		accel_error(ret, "no memory for the inputs");
	free(names);
	free(paths);
	return ret;
}

static int distill(const struct distill_arguments *arguments,
		   struct graph *student, const struct graph *teacher,
		   struct calibration_data *files)
{
	struct model *model = NULL;
	int ret = 0;

	if (arguments->data.count)
		ret = load_data(arguments, teacher, files);
	if (!ret)
		ret = recovery_run(&arguments->recovery, student, teacher,
				   arguments->data.count ? files : NULL,
				   &model);
	if (!ret)
		model->dense_bytes = compress_dense_bytes(teacher);
	if (!ret)
		ret = model_file_write(model, arguments->recovery.output);
	if (!ret) {
		recovery_end(&arguments->recovery);
		ret = summary_report(model, arguments->recovery.output,
				     arguments->json);
	}
	model_destroy(model);
	return ret;
}

static int distill_files(const struct distill_arguments *arguments)
{
	struct calibration_data files = { 0 };
	struct graph *teacher = NULL, *student = NULL;
	bool is_own = !arguments->student || narrowing_text(arguments->student);
	int ret = onnx_import(arguments->teacher, &teacher);

	if (!ret)
		ret = onnx_import(is_own ? arguments->teacher :
					   arguments->student,
				  &student);
	if (!ret)
		ret = distill(arguments, student, teacher, &files);
	calibration_data_release(&files);
	graph_destroy(teacher);
	graph_destroy(student);
	return ret;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int command_distill(int count, char **arguments)
{
	struct distill_arguments line = { 0 };
	struct recovery *recovery = &line.recovery;
	const struct option options[] = {
		{ "output", 'o', OPTION_TEXT, &recovery->output, "FILE",
		  "the model to write" },
		{ "sparsity", 0, OPTION_TEXT, &line.sparsity, "S",
		  "part of the weights that goes" },
		{ "student", 0, OPTION_TEXT, &line.student,
		  "FILE.onnx|structured:PART",
		  "train this network, or the teacher without that part of its channels" },
		{ "data", 0, OPTION_LIST, &line.data, "[NAME=]FILE",
		  "inputs: .npy, PNG or a folder of them" },
		{ "latents", 0, OPTION_COUNT, &recovery->latents, "N",
		  "or sample so many (endless)" },
		{ "minutes", 0, OPTION_TEXT, &line.minutes, "M",
		  "train about so long (5)" },
		{ "steps", 0, OPTION_COUNT, &recovery->steps, "N",
		  "or exactly so many steps" },
		{ "recipe", 0, OPTION_TEXT, &recovery->recipe, "FILE.json",
		  "methods and numbers other than the defaults" },
		{ "seed", 0, OPTION_SEED, &recovery->seed, "S",
		  "of all that is sampled (0)" },
		{ "checkpoint", 0, OPTION_TEXT, &recovery->checkpoint, "FILE",
		  "keep the state here (OUT.checkpoint)" },
		{ "resume", 0, OPTION_FLAG, &recovery->resume, NULL,
		  "go on from the checkpoint" },
		{ "workers", 0, OPTION_COUNT, &recovery->workers, "N",
		  "threads (all processors)" },
		{ "float", 0, OPTION_TEXT, &recovery->float_output, "FILE.onnx",
		  "write the student before int8, too" },
		INPUTS_PICTURE_OPTIONS(line.layout, recovery->input_range,
				       recovery->output_range),
		{ "json", 0, OPTION_FLAG, &line.json, NULL,
		  "print the summary as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "distill",
		.synopsis =
			"TEACHER.onnx -o OUT.safetensors --sparsity S [OPTION ...]",
		.about =
			"Trains a sparse int8 model to do what a dense network does. Generators need no\n"
			"data: latents are sampled. Beside OUT it writes OUT.report.json, with the curve\n"
			"of loss and quality, and while it works a checkpoint.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.teacher, &status))
		return status;
	status = check_arguments(&usage, &line);
	if (status != STATUS_OK)
		return status;
	recovery->source = base_name(line.teacher);
	return distill_files(&line) ? command_fail("distill") : STATUS_OK;
}
