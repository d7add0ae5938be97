/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "execute.h"
#include "explanation.h"
#include "inputs.h"
#include "options.h"
#include "reference.h"

#include <accel/model.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT 3600

/* A processor's first run also touches its memory for the first time. */
#define WARM_RUNS 2

/** struct explain_arguments - the command line */
struct explain_arguments {
	const char *model;
	const char *device;
	const char *dense;
	const char *html;
	struct inputs_source source;
	double timeout;
	bool json;
};

/* What was run, for as long as names and figures are read from it. */
struct measurement {
	struct accel_device *device;
	struct accel_plan *plan;
};

/* Costs are the last run's. */
static int measure(const struct explain_arguments *arguments, const char *uri,
		   struct accel_model *model, const struct inputs *inputs,
		   int64_t runs, struct measurement *measurement)
{
	struct execution execution = {
		.repeat = runs,
		.timeout_seconds = arguments->timeout,
	};
	int ret = accel_device_open(uri, NULL, &measurement->device);

	if (!ret)
		ret = accel_plan_create(measurement->device, model,
					&inputs->sizes, &measurement->plan);
	if (!ret)
		ret = inputs_write(inputs, measurement->plan);
	if (ret)
		return ret;
	execution.device = measurement->device;
	execution.plan = measurement->plan;
	return execute(&execution);
}

static void measurement_release(struct measurement *measurement)
{
	accel_plan_destroy(measurement->plan);
	accel_device_close(measurement->device);
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
static int read_device(const struct measurement *measurement,
		       struct explanation *explanation)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	int ret;

	explanation->device.size = sizeof(explanation->device);
	ret = accel_device_get_info(measurement->device, &explanation->device);
	if (!ret)
		ret = accel_plan_get_info(measurement->plan, &info);
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
		ret = read_layer(measurement->plan, i,
				 &explanation->layers[i].cost);
	if (!ret)
		ret = read_total(measurement->plan, &explanation->total.cost);
	explanation->model = explanation->total.cost.name;
	return ret;
}

/* This processor's times: plans of one model have the same layers. */
static int read_cpu(const struct measurement *measurement,
		    struct explanation *explanation)
{
	struct accel_layer_info cost;
	int ret = 0;

	for (uint32_t i = 0; i < explanation->count && !ret; i++) {
		ret = read_layer(measurement->plan, i, &cost);
		explanation->layers[i].cpu_seconds = (double)cost.host_ns / 1e9;
	}
	if (!ret)
		ret = read_total(measurement->plan, &cost);
	explanation->total.cpu_seconds = (double)cost.host_ns / 1e9;
	return ret;
}

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

static int explain_on_inputs(const struct explain_arguments *arguments,
			     struct accel_model *model,
			     const struct inputs *inputs)
{
	struct measurement device = { .plan = NULL };
	struct measurement cpu = { .plan = NULL };
	struct explanation explanation = { .layers = NULL };
	int ret = measure(arguments, arguments->device, model, inputs, 1,
			  &device);

	if (!ret)
		ret = read_device(&device, &explanation);
	if (!ret)
		ret = measure(arguments, "cpu:", model, inputs, WARM_RUNS,
			      &cpu);
	if (!ret)
		ret = read_cpu(&cpu, &explanation);
	if (!ret && arguments->dense)
		ret = measure_dense(arguments, inputs, &explanation);
	if (!ret)
		ret = show(arguments, &explanation);
	free(explanation.layers);
	measurement_release(&cpu);
	measurement_release(&device);
	return ret;
}

static int explain_model(const struct explain_arguments *arguments)
{
	struct accel_model *model = NULL;
	struct inputs inputs;
	int ret = accel_model_load(arguments->model, &model);

	if (ret)
		return ret;
	ret = inputs_gather(&inputs, model, &arguments->source);
	if (!ret) {
		ret = explain_on_inputs(arguments, model, &inputs);
		inputs_release(&inputs);
	}
	accel_model_free(model);
	return ret;
}

int command_explain(int count, char **arguments)
{
	struct explain_arguments line = {
		.device = "sim:",
		.source = { .batch = 1 },
		.timeout = TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "sim: (default), sim:FILE, cpu:, nil:" },
		{ "input", 0, OPTION_LIST, &line.source.files, "[NAME=]FILE",
		  ".npy or PNG; states left out are zero" },
		{ "dense", 0, OPTION_TEXT, &line.dense, "DENSE.onnx",
		  "time its float layers on this CPU, too" },
		{ "html", 0, OPTION_TEXT, &line.html, "FILE",
		  "write one page with plots, too" },
		{ "input-range", 0, OPTION_RANGE, &line.source.range, "LO:HI",
		  "black and white of a PNG, if MODEL does not say" },
		{ "layout", 0, OPTION_LAYOUT, &line.source.layout, "nchw|nhwc",
		  "of .npy images where both fit (nchw)" },
		{ "latents", 0, OPTION_COUNT, &line.source.batch, "N",
		  "sample so many when no file gives them (1)" },
		{ "seed", 0, OPTION_SEED, &line.source.seed, "S",
		  "of the latents (0)" },
		{ "timeout", 0, OPTION_SECONDS, &line.timeout, "SECONDS",
		  "deadline of each run (3600)" },
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
