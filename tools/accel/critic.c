/* SPDX-License-Identifier: MIT */
#include "critic.h"

#include <compress/onnx_import.h>
#include <core/error.h>
#include <metrics/classifier_features.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* As many pictures as the first set has, each as large. */
static int look(const struct critic *critic, const float *values, size_t count,
		size_t size, struct feature_set *set)
{
	const struct classifier_pictures pictures = {
		.values = values,
		.count = count,
		.size = size,
		.range = critic->range,
	};
	float *features;
	int ret = classifier_features(critic->classifier, &pictures, &features,
				      &set->size);

	set->values = features;
	set->count = count;
	return ret;
}

static size_t picture_size(const struct reference *reference)
{
	return (size_t)(graph_shape_count(&reference->shape) /
			reference->shape.dims[0]);
}

static int look_at_reference(const struct critic *critic,
			     const struct reference *reference,
			     struct feature_set *set)
{
	return look(critic, reference->values, (size_t)reference->shape.dims[0],
		    picture_size(reference), set);
}

/* The dense network once more, from the next seed's latents. */
static int find_floor(struct critic *critic, const struct critic_source *source)
{
	struct inputs_source others = *source->inputs;
	struct reference reference = { 0 };
	struct feature_set set = { 0 };
	struct inputs inputs;
	int ret;

	others.seed++;
	ret = inputs_gather(&inputs, source->model, &others);
	if (ret)
		return ret;
	ret = reference_run(&reference, source->dense, &inputs, 1);
	if (!ret)
		ret = look_at_reference(critic, &reference, &set);
	if (!ret)
		ret = distribution_compare(&critic->real, &set, others.seed,
					   &critic->floor);
	free((void *)set.values);
	reference_release(&reference);
	inputs_release(&inputs);
	return ret;
}

int critic_open(struct critic *critic, const struct critic_source *source)
{
	int ret;

	*critic = (struct critic){ .range = source->range,
				   .seed = source->inputs->seed };
	ret = onnx_import(source->path, &critic->classifier);
	if (ret)
		return accel_error_prefix(ret, "%s", source->path);
	ret = look_at_reference(critic, source->reference, &critic->real);
	if (ret)
		return accel_error_prefix(ret, "%s", source->path);
	critic->has_floor = !source->inputs->files.count;
	return critic->has_floor ? find_floor(critic, source) : 0;
}

void critic_close(struct critic *critic)
{
	free((void *)critic->real.values);
	graph_destroy(critic->classifier);
}

int critic_judge(const struct critic *critic, const float *values,
		 struct distribution_figures *figures)
{
	const struct graph *classifier = critic->classifier;
	struct graph_shape shape =
		classifier->tensors[classifier->inputs[0]].shape;
	struct feature_set set = { 0 };
	int ret;

	shape.dims[0] = 1;
	ret = look(critic, values, critic->real.count,
		   (size_t)graph_shape_count(&shape), &set);
	if (!ret)
		ret = distribution_compare(&critic->real, &set, critic->seed,
					   figures);
	free((void *)set.values);
	return ret;
}

void critic_print_headline(void)
{
	printf("\n%-36s %9s %9s %8s %9s %7s %8s %8s\n",
	       "pictures among the dense network's", "FID", "KID", "+-",
	       "precision", "recall", "density", "coverage");
}

void critic_print(const char *name, const struct distribution_figures *figures)
{
	const struct neighbourhood_scores *scores = &figures->neighbourhood;

	printf("%-36.36s %9.4f %9.6f %8.6f %9.4f %7.4f %8.4f %8.4f\n", name,
	       figures->frechet, figures->kernel.mean,
	       figures->kernel.deviation, scores->precision, scores->recall,
	       scores->density, scores->coverage);
}

json_t *critic_json(const struct distribution_figures *figures)
{
	const struct neighbourhood_scores *scores = &figures->neighbourhood;

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "fid",
			 figures->frechet, "kid", figures->kernel.mean,
			 "kid_deviation", figures->kernel.deviation,
			 "precision", scores->precision, "recall",
			 scores->recall, "density", scores->density, "coverage",
			 scores->coverage);
}
