/* SPDX-License-Identifier: MIT */
/*
 * accel explain: gathers the figures; what follows from them is explanation.c's, what it means
 * for offloading verdict.c's, and explain_*.c write it down.
 */
#include "command.h"
#include "execute.h"
#include "explanation.h"
#include "options.h"
#include "recording.h"
#include "reference.h"

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A processor's first run also touches its memory for the first time. */
#define WARM_RUNS 2

/** struct explain_arguments - the command line */
struct explain_arguments {
	const char *model;
	const char *device;
	struct recording_files recording;
	const char *dense;
	const char *html;
	struct inputs_source source;
	double timeout;
	bool json;
};

/* Costs are the last run's. */
static int measure(const struct explain_arguments *arguments, const char *uri,
		   const struct recording_files *recording,
		   const struct workload *workload, int64_t runs,
		   struct session *session)
{
	struct execution execution = {
		.session = session,
		.repeat = runs,
		.timeout_seconds = arguments->timeout,
	};
	int ret = recording_open(session, uri, recording, workload);

	if (!ret)
		ret = execute(&execution);
	return ret ? ret : accel_device_end_trace(session->device);
}

/* ---- from plans to an explanation ---- */

static int read_layer(const struct accel_plan *plan, uint32_t index,
		      struct accel_layer_info *cost)
{
	*cost = (struct accel_layer_info){ .size = sizeof(*cost) };
	return accel_plan_get_layer(plan, index, cost);
}

static int read_total(const struct accel_plan *plan,
		      struct accel_layer_info *cost)
{
	*cost = (struct accel_layer_info){ .size = sizeof(*cost) };
	return accel_plan_get_total(plan, cost);
}

/* The costs on the device that was asked for. */
static int read_device(const struct session *session,
		       struct explanation *explanation)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	int ret;

	explanation->device.size = sizeof(explanation->device);
	ret = accel_device_get_info(session->device, &explanation->device);
	if (!ret)
		ret = accel_plan_get_info(session->plan, &info);
	if (ret)
		return ret;
	explanation->batch = info.batch;
	explanation->layers =
		calloc(info.layer_count, sizeof(*explanation->layers));
	if (!explanation->layers)
		return accel_error(-ENOMEM, "no memory for %u layers",
				   info.layer_count);
	explanation->count = info.layer_count;
	for (uint32_t i = 0; i < info.layer_count && !ret; i++)
		ret = read_layer(session->plan, i,
				 &explanation->layers[i].cost);
	if (!ret)
		ret = read_total(session->plan, &explanation->total.cost);
	explanation->model = explanation->total.cost.name;
	return ret;
}

/* This processor's times: plans of one model have the same layers. */
static int read_cpu(const struct session *session,
		    struct explanation *explanation)
{
	struct accel_layer_info cost;
	int ret = 0;

	for (uint32_t i = 0; i < explanation->count && !ret; i++) {
		ret = read_layer(session->plan, i, &cost);
		explanation->layers[i].cpu_seconds = (double)cost.host_ns / 1e9;
	}
	if (!ret)
		ret = read_total(session->plan, &cost);
	explanation->total.cpu_seconds = (double)cost.host_ns / 1e9;
	return ret;
}

/* Layers keep the names of the network's nodes. */
static struct explained_layer *find_layer(struct explanation *explanation,
					  const char *name)
{
	for (uint32_t i = 0; i < explanation->count; i++)
		if (!strcmp(explanation->layers[i].cost.name, name))
			return &explanation->layers[i];
	return NULL;
}

/* A node that is no layer of its own was fused into the one before it. */
static int read_dense(const char *path, const struct reference *reference,
		      struct explanation *explanation)
{
	struct explained_layer *layer = NULL;

	for (int i = 0; i < reference->node_count; i++) {
		const struct reference_node *node = &reference->nodes[i];
		struct explained_layer *found =
			find_layer(explanation, node->name);

		if (found)
			layer = found;
		if (layer)
			layer->dense_seconds += node->seconds;
	}
	if (!layer)
		return accel_error(
			-EINVAL,
			"%s: none of its nodes is a layer of the model: they are not the same network",
			path);
	explanation->total.dense_seconds = reference->seconds;
	explanation->has_dense = true;
	return 0;
}

static int measure_dense(const struct explain_arguments *arguments,
			 const struct inputs *inputs,
			 struct explanation *explanation)
{
	struct reference reference;
	int ret =
		reference_run(&reference, arguments->dense, inputs, WARM_RUNS);

	if (!ret)
		ret = read_dense(arguments->dense, &reference, explanation);
	reference_release(&reference);
	return ret;
}

/* ---- the command ---- */

static int show(const struct explain_arguments *arguments,
		struct explanation *explanation)
{
	int ret = 0;

	explanation_conclude(explanation);
	if (arguments->html)
		ret = explanation_write_html(explanation, arguments->html);
	if (ret)
		return ret;
	if (arguments->json)
		return explanation_print_json(explanation);
	explanation_print(explanation);
	return 0;
}

/* The sessions stay open while names and figures are read from their plans. */
static int explain_workload(const struct explain_arguments *arguments,
			    const struct workload *workload)
{
	struct session device = { .device = NULL };
	struct session cpu = { .device = NULL };
	struct explanation explanation = { .layers = NULL };
	const struct recording_files none = { .trace = NULL };
	int ret = measure(arguments, arguments->device, &arguments->recording,
			  workload, 1, &device);

	if (!ret)
		ret = read_device(&device, &explanation);
	if (!ret)
		ret = measure(arguments, "cpu:", &none, workload, WARM_RUNS,
			      &cpu);
	if (!ret)
		ret = read_cpu(&cpu, &explanation);
	if (!ret && arguments->dense)
		ret = measure_dense(arguments, &workload->inputs, &explanation);
	if (!ret)
		ret = show(arguments, &explanation);
	free(explanation.layers);
	session_close(&cpu);
	session_close(&device);
	return ret;
}

static int explain_model(const struct explain_arguments *arguments)
{
	struct workload workload;
	int ret =
		workload_load(&workload, arguments->model, &arguments->source);

	if (!ret)
		ret = explain_workload(arguments, &workload);
	workload_release(&workload);
	return ret;
}

int command_explain(int count, char **arguments)
{
	struct explain_arguments line = {
		.device = "sim:",
		.source = { .batch = 1 },
		.timeout = EXECUTE_TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "sim:[FILE] (default), vfio-user:SOCKET, cpu:, nil:" },
		INPUTS_OPTIONS(line.source, INPUTS_FILES_HELP,
			       INPUTS_LATENTS_HELP),
		{ "dense", 0, OPTION_TEXT, &line.dense, "DENSE.onnx",
		  "time its float layers on this CPU, too" },
		{ "html", 0, OPTION_TEXT, &line.html, "FILE",
		  "write one page with plots, too" },
		RECORDING_OPTIONS(&line.recording),
		EXECUTE_TIMEOUT_OPTION(&line.timeout),
		{ "json", 0, OPTION_FLAG, &line.json, NULL, "print as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "explain",
		.synopsis =
			"MODEL [--device URI] [--input FILE] [--html FILE] [OPTION ...]",
		.about =
			"Runs a model, and says where each layer's time goes and whether\n"
			"it is worth offloading.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.model, &status))
		return status;
	return explain_model(&line) ? command_fail("explain") : STATUS_OK;
}
