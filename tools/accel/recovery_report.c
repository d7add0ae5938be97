/* SPDX-License-Identifier: MIT */
#include "recovery_report.h"

#include "recovery.h"

#include <core/error.h>
#include <formats/atomic_file.h>
#include <train/distill.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_LINES 12

static void print(const struct distill_result *result)
{
	char *curve = history_format(&result->history, CURVE_LINES);

	if (curve)
		fputs(curve, stderr);
	free(curve);
	fprintf(stderr, "%llu of %llu steps%s, peak rate %.2g, %.2f dB%s",
		(unsigned long long)result->step,
		(unsigned long long)result->steps,
		result->gave_up		     ? " (then it diverged for good)" :
		result->step < result->steps ? " (stopped)" :
					       "",
		result->rate, result->quality,
		result->quantized ? " in int8" : "");
	if (result->rollbacks)
		fprintf(stderr,
			"; it diverged %llu times and went on at a lower rate",
			(unsigned long long)result->rollbacks);
	fputc('\n', stderr);
}

static json_t *to_json(const struct recovery *recovery,
		       const struct recipe *recipe,
		       const struct distill_result *result)
{
	char *text = recipe_format(recipe);
	json_t *json = json_pack(
		"{s:s?, s:f, s:I, s:I, s:I, s:f, s:I, s:f, s:b, s:o, s:o}",
		"teacher", recovery->source, "sparsity", recovery->sparsity,
		"seed", (json_int_t)recovery->seed, "steps",
		(json_int_t)result->step, "steps_planned",
		(json_int_t)result->steps, "rate", result->rate, "rollbacks",
		(json_int_t)result->rollbacks, "psnr", result->quality, "int8",
		(int)result->quantized, "curve", history_json(&result->history),
		"recipe", text ? json_loads(text, 0, NULL) : NULL);

	free(text);
	return json;
}

char *recovery_report_path(const struct recovery *recovery)
{
	char *path;

	return asprintf(&path, "%s.report.json", recovery->output) < 0 ? NULL :
									 path;
}

static int write_file(const struct recovery *recovery, const json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	char *path = recovery_report_path(recovery);
	int ret = text && path ? atomic_file_save(path, text, strlen(text)) :
				 accel_error(-ENOMEM, "no memory for a report");

	free(text);
	free(path);
	return ret;
}

int recovery_report(const struct recovery *recovery,
		    const struct recipe *recipe,
		    const struct distill_result *result)
{
	json_t *json = to_json(recovery, recipe, result);
	int ret = write_file(recovery, json);

	json_decref(json);
	print(result);
	return ret;
}
