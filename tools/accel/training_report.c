/* SPDX-License-Identifier: MIT */
#include "training_report.h"

#include "json_print.h"

#include <core/error.h>
#include <train/training.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static size_t count_weights(const struct task *task)
{
	size_t weights = 0;

	for (int i = 0; i < task->learner_count; i++)
		weights += task->learners[i].parameters.total;
	return weights;
}

static void print_curve(const struct training_result *result,
			const struct task_quality *quality)
{
	printf("%10s %12s %12s\n", "step", "loss",
	       quality->name ? quality->name : "");
	for (int i = 0; i < result->point_count; i++) {
		const struct training_point *point = &result->points[i];

		printf("%10" PRIu64 " %12.5g", point->step, point->loss);
		if (quality->name)
			printf(" %12.5g", point->quality);
		printf("\n");
	}
}

static void print_text(const struct task *task,
		       const struct training_result *result,
		       const struct task_quality *quality, const char *path)
{
	const struct training_status *status = &result->status;

	print_curve(result, quality);
	printf("\n%s: %s, %zu weights, %" PRIu64 " steps of %lld%s\n", path,
	       task->operations->name, count_weights(task), status->step,
	       (long long)task->settings.batch,
	       result->gave_up ? ", diverged for good: the best so far" :
	       result->stopped ? ", interrupted: the best so far" :
				 "");
	if (status->rollbacks)
		printf("diverged %d times, and went on at a lower rate\n",
		       status->rollbacks);
	if (quality->name)
		printf("%s %.5g on the %zu samples of the test\n",
		       quality->name, quality->value,
		       task->dataset->test.count);
}

static json_t *curve(const struct training_result *result)
{
	json_t *points = json_array();

	for (int i = 0; i < result->point_count; i++) {
		const struct training_point *point = &result->points[i];

		json_array_append_new(
			points, json_pack("{s:I, s:o, s:o}", "step",
					  (json_int_t)point->step, "loss",
					  json_finite(point->loss), "quality",
					  json_finite(point->quality)));
	}
	return points;
}

static int print_json(const struct task *task,
		      const struct training_result *result,
		      const struct task_quality *quality, const char *path)
{
	const struct training_status *status = &result->status;

	return json_print(json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:b, s:i, s:s?, s:o, s:I, s:o}",
		"path", path, "task", task->operations->name, "weights",
		(json_int_t)count_weights(task), "steps",
		(json_int_t)status->step, "batch",
		(json_int_t)task->settings.batch, "interrupted",
		result->stopped, "rollbacks", status->rollbacks, "measure",
		quality->name, "quality",
		quality->name ? json_finite(quality->value) : json_null(),
		"samples", (json_int_t)task->dataset->test.count, "curve",
		curve(result)));
}

int training_report(struct task *task, const struct training_result *result,
		    const char *path, bool json)
{
	struct task_quality quality;
	int ret = task_measure(task, 0, &quality);

	if (ret)
		return ret;
	if (*result->status.trouble)
		fprintf(stderr,
			"accel train: there was a checkpoint missing: %s\n",
			result->status.trouble);
	if (json)
		return print_json(task, result, &quality, path);
	print_text(task, result, &quality, path);
	return 0;
}
