/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "execute.h"
#include "inputs.h"
#include "json_print.h"
#include "options.h"

#include <accel/device.h>
#include <accel/model.h>
#include <accel/run.h>

#include <inttypes.h>
#include <stdio.h>

#define GOLDEN "cpu:"
#define BATCH_DEFAULT 2
#define TIMEOUT_DEFAULT 3600

/** struct verify_arguments - the command line */
struct verify_arguments {
	const char *model;
	const char *device;
	struct inputs_source source;
	double timeout;
	bool json;
};

/** struct side - the model on one device */
struct side {
	struct accel_device *device;
	struct accel_plan *plan;
};

/* Keep all activations: a difference that a later layer hides is found, too. */
static int side_run(struct side *side, const char *uri,
		    struct accel_model *model, const struct inputs *inputs,
		    double timeout)
{
	struct accel_plan_options sizes = inputs->sizes;
	struct execution execution = { .repeat = 1,
				       .timeout_seconds = timeout };
	int ret = accel_device_open(uri, NULL, &side->device);

	sizes.flags |= ACCEL_PLAN_KEEP_ACTIVATIONS;
	if (!ret)
		ret = accel_plan_create(side->device, model, &sizes,
					&side->plan);
	if (!ret)
		ret = inputs_write(inputs, side->plan);
	if (ret)
		return ret;
	execution.device = side->device;
	execution.plan = side->plan;
	return execute(&execution);
}

static void side_release(struct side *side)
{
	accel_plan_destroy(side->plan);
	accel_device_close(side->device);
}

static void print_difference(const struct accel_difference *d)
{
	printf("%" PRIu64 " values, %" PRIu64 " differ\n", d->values,
	       d->differing);
	if (!d->differing)
		return;
	printf("first in layer %s (tensor %s), row %" PRIu32 ", column %" PRIu64
	       " (y %" PRIu32 ", x %" PRIu32 ", batch %" PRIu32 "): %" PRId32
	       " on the device, %" PRId32 " golden\n",
	       d->layer, d->tensor, d->channel, d->column, d->y, d->x, d->batch,
	       d->first, d->second);
}

static int print_difference_json(const struct accel_difference *d)
{
	json_t *first = json_null();

	if (d->differing)
		first = json_pack("{s:s, s:s, s:I, s:I, s:i, s:i}", "layer",
				  d->layer, "tensor", d->tensor, "row",
				  (json_int_t)d->channel, "column",
				  (json_int_t)d->column, "device",
				  (int)d->first, "golden", (int)d->second);
	return json_print(json_pack("{s:I, s:I, s:o}", "values",
				    (json_int_t)d->values, "differing",
				    (json_int_t)d->differing, "first", first));
}

/* The device first: what is wrong with it shows before the slow golden run. */
static int compare(const struct verify_arguments *arguments,
		   struct accel_model *model, const struct inputs *inputs,
		   struct accel_difference *difference)
{
	struct side device = { NULL, NULL };
	struct side golden = { NULL, NULL };
	int ret = side_run(&device, arguments->device, model, inputs,
			   arguments->timeout);

	if (!ret)
		ret = side_run(&golden, GOLDEN, model, inputs,
			       arguments->timeout);
	if (!ret)
		ret = accel_plan_compare(device.plan, golden.plan, difference);
	/* The difference's texts belong to the model, which stays. */
	side_release(&golden);
	side_release(&device);
	return ret;
}

static int verify_model(const struct verify_arguments *arguments,
			struct accel_model *model, int *status)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct inputs inputs;
	int ret = inputs_gather(&inputs, model, &arguments->source);

	if (ret)
		return ret;
	ret = compare(arguments, model, &inputs, &difference);
	inputs_release(&inputs);
	if (ret)
		return ret;
	*status = difference.differing ? STATUS_FAILED : STATUS_OK;
	if (arguments->json)
		return print_difference_json(&difference);
	print_difference(&difference);
	return 0;
}

static int verify_file(const struct verify_arguments *arguments, int *status)
{
	struct accel_model *model = NULL;
	int ret = accel_model_load(arguments->model, &model);

	if (!ret)
		ret = verify_model(arguments, model, status);
	accel_model_free(model);
	return ret;
}

int command_verify(int count, char **arguments)
{
	struct verify_arguments line = {
		.device = "sim:",
		.source = { .batch = BATCH_DEFAULT, .fill = true },
		.timeout = TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "to be verified (sim:)" },
		{ "input", 0, OPTION_LIST, &line.source.files, "[NAME=]FILE",
		  ".npy or PNG; else inputs are sampled" },
		{ "input-range", 0, OPTION_RANGE, &line.source.range, "LO:HI",
		  "black and white of a PNG, if MODEL does not say" },
		{ "layout", 0, OPTION_LAYOUT, &line.source.layout, "nchw|nhwc",
		  "of .npy images where both fit (nchw)" },
		{ "latents", 0, OPTION_COUNT, &line.source.batch, "N",
		  "batch of what is sampled (2)" },
		{ "seed", 0, OPTION_SEED, &line.source.seed, "S",
		  "of what is sampled (0)" },
		{ "timeout", 0, OPTION_SECONDS, &line.timeout, "SECONDS",
		  "deadline of each run (3600)" },
		{ "json", 0, OPTION_FLAG, &line.json, NULL,
		  "print the result as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "verify",
		.synopsis = "MODEL [--device URI] [OPTION ...]",
		.about =
			"Runs a model on a device and with the golden arithmetic, and\n"
			"compares every activation of every layer.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.model, &status))
		return status;
	return verify_file(&line, &status) ? command_fail("verify") : status;
}
