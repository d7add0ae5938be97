/* SPDX-License-Identifier: MIT */
#include "appraisal.h"

#include "labels.h"
#include "sketched.h"

#include <compress/onnx_import.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* ---- the dense network ---- */

static int find_classes(const struct appraiser *appraiser, const float *values,
			struct class_figures **classes)
{
	const struct graph_shape *shape = &appraiser->quality.dense.shape;
	struct classification_figures figures;

	*classes = calloc(appraiser->class_count + 1, sizeof(**classes));
	if (!*classes)
		return accel_error(-ENOMEM, "no memory for the classes");
	return classification_measure(values, (size_t)shape->dims[0],
				      appraiser->class_count, appraiser->labels,
				      *classes, &figures);
}

static int read_labels(struct appraiser *appraiser, const char *path,
		       const struct reference *reference)
{
	const struct graph_shape *shape = &reference->shape;

	if (shape->rank != 2)
		return accel_error(
			-EINVAL,
			"%s: labels are of a classifier, and this network has no row of scores for each input",
			path);
	appraiser->class_count = (size_t)shape->dims[1];
	return labels_read(path, (size_t)shape->dims[0], &appraiser->labels);
}

/* The dense network once more, from the next seed's latents: there are others of them. */
static int run_others(struct appraiser *appraiser,
		      const struct appraiser_source *source)
{
	struct inputs_source others = *source->sampled;
	struct inputs inputs;
	int ret;

	if (others.files.count || source->sketches)
		return 0;
	others.seed++;
	ret = inputs_gather(&inputs, source->model, &others);
	if (ret)
		return ret;
	ret = reference_run(&appraiser->others, source->dense, &inputs, 1);
	inputs_release(&inputs);
	return ret;
}

static int open_classifier(struct appraiser *appraiser,
			   const struct appraiser_source *source)
{
	int ret = onnx_import(source->features, &appraiser->classifier);

	return ret ? accel_error_prefix(ret, "%s", source->features) :
		     run_others(appraiser, source);
}

static int open_quality(struct appraiser *appraiser,
			const struct appraiser_source *source)
{
	const struct quality_dense dense = {
		.values = source->reference->values,
		.others = appraiser->others.values,
		.shape = source->reference->shape,
		.range = source->range,
	};
	const struct quality_options options = {
		.metrics = source->metrics,
		.classifier = appraiser->classifier,
		.classifier_name = source->features,
		.labels = appraiser->labels,
		.seed = appraiser->seed,
	};
	int ret = quality_open(&appraiser->quality, &dense, &options);

	if (!ret && appraiser->labels)
		ret = find_classes(appraiser, dense.values,
				   &appraiser->classes);
	return ret;
}

static int open_sketches(struct appraiser *appraiser,
			 const struct sketches *sketches)
{
	appraiser->sketches = sketches;
	if (!sketches)
		return 0;
	appraiser->nll = sketches_nll(sketches, sketches->outputs);
	return stroke_statistics_find(sketches->strokes, sketches->steps,
				      sketches->batch, &appraiser->statistics);
}

int appraiser_open(struct appraiser *appraiser,
		   const struct appraiser_source *source)
{
	int ret = 0;

	*appraiser = (struct appraiser){ .metrics = source->metrics,
					 .range = source->range,
					 .seed = source->sampled->seed,
					 .inputs = source->inputs,
					 .nll = NAN };
	if (source->labels)
		ret = read_labels(appraiser, source->labels, source->reference);
	if (!ret && source->features)
		ret = open_classifier(appraiser, source);
	if (!ret)
		ret = open_quality(appraiser, source);
	if (!ret)
		ret = open_sketches(appraiser, source->sketches);
	if (!ret && source->metrics & QUALITY_ROBUSTNESS)
		ret = robustness_open(&appraiser->robustness, source->dense,
				      source->inputs, appraiser->seed);
	return ret;
}

void appraiser_close(struct appraiser *appraiser)
{
	robustness_close(&appraiser->robustness);
	quality_close(&appraiser->quality);
	reference_release(&appraiser->others);
	graph_destroy(appraiser->classifier);
	free(appraiser->classes);
	free(appraiser->labels);
}

/* ---- a model ---- */

static int judge_sketches(const struct appraiser *appraiser,
			  struct accel_device *device,
			  struct accel_model *model, const float *values,
			  double timeout, struct appraisal *appraisal)
{
	appraisal->nll = sketches_nll(appraiser->sketches, values);
	appraisal->kl = sketches_kl(appraiser->sketches, values);
	return sketched_look(device, model, appraiser->inputs, appraiser->seed,
			     timeout, &appraisal->statistics);
}

int appraiser_judge(const struct appraiser *appraiser,
		    struct accel_device *device, struct accel_model *model,
		    const float *values, double timeout,
		    struct appraisal *appraisal)
{
	int ret = quality_measure(&appraiser->quality, values,
				  &appraisal->figures);

	appraisal->nll = NAN;
	appraisal->kl = NAN;
	for (int i = 0; i < ROBUSTNESS_CASES; i++)
		appraisal->robustness[i] = NAN;
	if (!ret && appraiser->labels)
		ret = find_classes(appraiser, values, &appraisal->classes);
	if (!ret && appraiser->sketches)
		ret = judge_sketches(appraiser, device, model, values, timeout,
				     appraisal);
	if (!ret && appraiser->metrics & QUALITY_ROBUSTNESS)
		ret = robustness_measure(&appraiser->robustness, device, model,
					 appraiser->range, timeout,
					 appraisal->robustness);
	return ret;
}
