/* SPDX-License-Identifier: MIT */
/*
 * accel run: model and inputs, then the device, then outputs, and the costs last. What can be
 * wrong with the command line shows before the device is opened.
 */
#include "command.h"
#include "execute.h"
#include "options.h"
#include "outputs.h"
#include "pooled.h"
#include "recording.h"
#include "report.h"

/** struct run_arguments - the command line */
struct run_arguments {
	const char *model;
	struct option_list devices;
	int64_t item;
	struct recording_files recording;
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
		.plan = execution->session->plan,
		.device = { .size = sizeof(report.device) },
		.host_seconds = execution->host_seconds,
	};
	int ret = accel_device_get_info(execution->session->device,
					&report.device);

	if (ret)
		return ret;
	return arguments->json ? report_print_json(&report) :
				 report_print(&report);
}

/* All files are written before the costs are told: a full disk is no success. */
static int run_session(const struct run_arguments *arguments,
		       const struct workload *workload,
		       const struct session *session)
{
	struct execution execution = {
		.session = session,
		.repeat = arguments->repeat,
		.timeout_seconds = arguments->timeout,
	};
	int ret = execute(&execution);

	if (!ret)
		ret = accel_device_end_trace(session->device);
	if (!ret)
		ret = outputs_write(&arguments->outputs, workload->model,
				    session->plan, workload->inputs.layout);
	return ret ? ret : print_report(arguments, &execution);
}

static int run_alone(const struct run_arguments *arguments,
		     const struct workload *workload)
{
	struct session session = { .device = NULL };
	const char *uri =
		arguments->devices.count ? arguments->devices.items[0] : "sim:";
	int ret =
		recording_open(&session, uri, &arguments->recording, workload);

	if (!ret)
		ret = run_session(arguments, workload, &session);
	session_close(&session);
	return ret;
}

static int run_pooled(const struct run_arguments *arguments,
		      const struct workload *workload)
{
	struct pooled pooled = {
		.uris = &arguments->devices,
		.workload = workload,
		.item = (uint32_t)arguments->item,
	};
	int ret = pooled_open(&pooled);

	for (int64_t i = 0; i < arguments->repeat && !ret; i++)
		ret = pooled_run(&pooled, arguments->timeout);
	if (!ret)
		ret = outputs_write_values(&arguments->outputs, workload->model,
					   pooled.ports, pooled.results,
					   pooled.output_count,
					   workload->inputs.layout);
	if (!ret)
		ret = pooled_print(&pooled, arguments->json);
	pooled_close(&pooled);
	return ret;
}

static int run_model(const struct run_arguments *arguments)
{
	bool is_pooled = arguments->devices.count > 1;
	struct workload workload;
	int ret;

	/* A pool plans one model on each device; a single one loads its plan. */
	ret = is_pooled ? workload_load(&workload, arguments->model,
					&arguments->source) :
			  workload_open(&workload, arguments->model,
					&arguments->source);
	if (!ret)
		ret = outputs_check(&arguments->outputs, workload.model);
	if (!ret && is_pooled)
		ret = run_pooled(arguments, &workload);
	else if (!ret)
		ret = run_alone(arguments, &workload);
	workload_release(&workload);
	return ret;
}

int command_run(int count, char **arguments)
{
	struct run_arguments line = {
		.item = 1,
		.source = { .batch = 1 },
		.repeat = 1,
		.timeout = EXECUTE_TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_LIST, &line.devices, "URI",
		  "sim:[FILE] (default), vfio-user:SOCKET, cpu:, nil:; several share the batch" },
		{ "item", 0, OPTION_COUNT, &line.item, "N",
		  "batch that one of several devices gets at a time (1)" },
		INPUTS_OPTIONS(line.source, INPUTS_FILES_HELP,
			       INPUTS_LATENTS_HELP),
		{ "output", 0, OPTION_LIST, &line.outputs.files, "[NAME=]FILE",
		  ".npy to write" },
		{ "image", 0, OPTION_TEXT, &line.outputs.image, "FILE.png",
		  "picture to write; a grid for batches" },
		{ "output-range", 0, OPTION_RANGE, &line.outputs.range, "LO:HI",
		  "black and white of --image" },
		RECORDING_OPTIONS(&line.recording),
		{ "repeat", 0, OPTION_COUNT, &line.repeat, "N",
		  "run so often; times are the median's (1)" },
		EXECUTE_TIMEOUT_OPTION(&line.timeout),
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
	if (line.devices.count > 1 &&
	    (line.recording.trace || line.recording.vcd))
		return options_misuse(&usage,
				      "--trace and --vcd record one --device");
	return run_model(&line) ? command_fail("run") : STATUS_OK;
}
