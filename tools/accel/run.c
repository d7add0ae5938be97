/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "execute.h"
#include "inputs.h"
#include "options.h"
#include "outputs.h"
#include "report.h"

#include <accel/device.h>
#include <accel/model.h>

#define TIMEOUT_DEFAULT 3600

/** struct run_arguments - the command line */
struct run_arguments {
	const char *model;
	const char *device;
	struct inputs_source source;
	struct outputs outputs;
	int64_t repeat;
	double timeout;
	bool json;
};

static int print_report(const struct run_arguments *arguments,
			const struct execution *execution)
{
	struct report report = {
		.plan = execution->plan,
		.device = { .size = sizeof(report.device) },
		.host_seconds = execution->host_seconds,
	};
	int ret = accel_device_get_info(execution->device, &report.device);

	if (ret)
		return ret;
	return arguments->json ? report_print_json(&report) :
				 report_print(&report);
}

/* The outputs are written before the costs are told: a full disk is no success. */
static int run_plan(const struct run_arguments *arguments,
		    const struct accel_model *model,
		    struct accel_device *device, struct accel_plan *plan,
		    const struct inputs *inputs)
{
	struct execution execution = {
		.device = device,
		.plan = plan,
		.repeat = arguments->repeat,
		.timeout_seconds = arguments->timeout,
	};
	int ret = inputs_write(inputs, plan);

	if (!ret)
		ret = execute(&execution);
	if (!ret)
		ret = outputs_write(&arguments->outputs, model, plan,
				    inputs->layout);
	return ret ? ret : print_report(arguments, &execution);
}

static int run_on_device(const struct run_arguments *arguments,
			 struct accel_model *model, const struct inputs *inputs)
{
	struct accel_device *device = NULL;
	struct accel_plan *plan = NULL;
	int ret = accel_device_open(arguments->device, NULL, &device);

	if (!ret)
		ret = accel_plan_create(device, model, &inputs->sizes, &plan);
	if (!ret)
		ret = run_plan(arguments, model, device, plan, inputs);
	accel_plan_destroy(plan);
	accel_device_close(device);
	return ret;
}

/* Wrong arguments are found before the device is opened. */
static int run_model(const struct run_arguments *arguments)
{
	struct accel_model *model = NULL;
	struct inputs inputs;
	int ret = accel_model_load(arguments->model, &model);

	if (ret)
		return ret;
	ret = outputs_check(&arguments->outputs, model);
	if (!ret)
		ret = inputs_gather(&inputs, model, &arguments->source);
	if (!ret) {
		ret = run_on_device(arguments, model, &inputs);
		inputs_release(&inputs);
	}
	accel_model_free(model);
	return ret;
}

int command_run(int count, char **arguments)
{
	struct run_arguments line = {
		.device = "sim:",
		.source = { .batch = 1 },
		.repeat = 1,
		.timeout = TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "sim: (default), sim:FILE, cpu:, nil:" },
		{ "input", 0, OPTION_LIST, &line.source.files, "[NAME=]FILE",
		  ".npy or PNG; states left out are zero" },
		{ "output", 0, OPTION_LIST, &line.outputs.files, "[NAME=]FILE",
		  ".npy to write" },
		{ "image", 0, OPTION_TEXT, &line.outputs.image, "FILE.png",
		  "picture to write; a grid for batches" },
		{ "input-range", 0, OPTION_RANGE, &line.source.range, "LO:HI",
		  "black and white of a PNG, if MODEL does not say" },
		{ "output-range", 0, OPTION_RANGE, &line.outputs.range, "LO:HI",
		  "black and white of --image" },
		{ "layout", 0, OPTION_LAYOUT, &line.source.layout, "nchw|nhwc",
		  "of .npy images where both fit (nchw)" },
		{ "latents", 0, OPTION_COUNT, &line.source.batch, "N",
		  "sample so many when no file gives them (1)" },
		{ "seed", 0, OPTION_SEED, &line.source.seed, "S",
		  "of the latents (0)" },
		{ "repeat", 0, OPTION_COUNT, &line.repeat, "N",
		  "run so often; times are the median's (1)" },
		{ "timeout", 0, OPTION_SECONDS, &line.timeout, "SECONDS",
		  "deadline of each run (3600)" },
		{ "json", 0, OPTION_FLAG, &line.json, NULL,
		  "print the costs as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "run",
		.synopsis =
			"MODEL [--device URI] [--input IN.npy] [--output OUT.npy] [OPTION ...]",
		.about = "Runs a model, and prints what each layer cost.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.model, &status))
		return status;
	return run_model(&line) ? command_fail("run") : STATUS_OK;
}
