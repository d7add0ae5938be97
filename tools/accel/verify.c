/* SPDX-License-Identifier: MIT */
/*
 * accel verify: the same inputs on a device and on cpu:, and then every tensor compared. Both
 * are bit-exact by specification, so one value that differs is a bug.
 */
#include "command.h"
#include "execute.h"
#include "json_print.h"
#include "options.h"

#include <accel/run.h>

#include <inttypes.h>
#include <stdio.h>

#define GOLDEN "cpu:"
#define BATCH_DEFAULT 2

/** struct verify_arguments - the command line */
struct verify_arguments {
	const char *model;
	const char *device;
	struct inputs_source source;
	double timeout;
	bool json;
};

/* Keep all activations: a difference that a later layer hides is found, too. */
static int run_on(const char *uri, const struct workload *workload,
		  double timeout, struct session *session)
{
	struct execution execution = {
		.session = session,
		.repeat = 1,
		.timeout_seconds = timeout,
	};
	int ret = session_open(session, uri, workload,
			       ACCEL_PLAN_KEEP_ACTIVATIONS);

	return ret ? ret : execute(&execution);
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
		   const struct workload *workload,
		   struct accel_difference *difference)
{
	struct session device = { .device = NULL };
	struct session golden = { .device = NULL };
	int ret = run_on(arguments->device, workload, arguments->timeout,
			 &device);

	if (!ret)
		ret = run_on(GOLDEN, workload, arguments->timeout, &golden);
	if (!ret)
		ret = accel_plan_compare(device.plan, golden.plan, difference);
	session_close(&golden);
	session_close(&device);
	return ret;
}

/* The difference's texts are the model's: it is shown before that goes. */
static int verify_model(const struct verify_arguments *arguments, int *status)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct workload workload;
	int ret =
		workload_load(&workload, arguments->model, &arguments->source);

	if (!ret)
		ret = compare(arguments, &workload, &difference);
	if (!ret) {
		*status = difference.differing ? STATUS_FAILED : STATUS_OK;
		if (arguments->json)
			ret = print_difference_json(&difference);
		else
			print_difference(&difference);
	}
	workload_release(&workload);
	return ret;
}

int command_verify(int count, char **arguments)
{
	struct verify_arguments line = {
		.device = "sim:",
		.source = { .batch = BATCH_DEFAULT, .fill = true },
		.timeout = EXECUTE_TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "device", 0, OPTION_TEXT, &line.device, "URI",
		  "to be verified (sim:)" },
		INPUTS_OPTIONS(line.source,
			       ".npy or PNG; else inputs are sampled",
			       "batch of what is sampled (2)"),
		EXECUTE_TIMEOUT_OPTION(&line.timeout),
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
	return verify_model(&line, &status) ? command_fail("verify") : status;
}
