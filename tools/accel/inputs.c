/* SPDX-License-Identifier: MIT */
/*
 * What every input starts from, and the sizes that follow for the plan: a file decides its own,
 * and what is sampled or zero takes those of the others.
 */
#include "inputs.h"

#include "binding.h"

#include <accel/run.h>
#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

/* Sizes of what is sampled where neither the model nor a file says any. */
#define DEFAULT_SIDE 32
#define DEFAULT_STEPS 8

/* Axes of the plan's sizes in an array of each layout; −1: none. */
struct axes {
	int batch, height, width, steps;
};

/* A recurrent state has the batch of the sequence, and no size of its own. */
static struct axes axes_of(enum accel_layout layout)
{
	switch (layout) {
	case ACCEL_LAYOUT_NCHW:
		return (struct axes){ 0, 2, 3, -1 };
	case ACCEL_LAYOUT_TNF:
		return (struct axes){ 1, -1, -1, 0 };
	case ACCEL_LAYOUT_NTF:
		return (struct axes){ 0, -1, -1, 1 };
	case ACCEL_LAYOUT_DNF:
		return (struct axes){ 1, -1, -1, -1 };
	default:
		return (struct axes){ 0, -1, -1, -1 };
	}
}

/** struct gathering - what inputs_gather() works on */
struct gathering {
	struct inputs *inputs;
	const struct accel_model *model;
	const struct inputs_source *source;
	enum accel_model_kind kind;
	struct sample_generator generator;
};

static void get_port(const struct gathering *gathering, uint32_t index,
		     struct accel_port_info *info)
{
	*info = (struct accel_port_info){ .size = sizeof(*info) };
	/* cannot fail: the index is one of the model's */
	accel_model_get_input(gathering->model, index, info);
}

static struct graph_shape port_shape(const struct accel_port_info *info)
{
	struct graph_shape shape = { .rank = (int)info->dimension_count };

	for (uint32_t i = 0; i < info->dimension_count; i++)
		shape.dims[i] = info->dimensions[i];
	return shape;
}

/* Take a size from an array's axis; another array may have set it. */
static int take_size(const struct array *array, int axis, const char *name,
		     const char *what, uint32_t *size)
{
	if (axis < 0)
		return 0;
	if (*size && *size != array->shape.dims[axis])
		return accel_error(-EINVAL,
				   "%s: its %s is %lld, another input's is %u",
				   name, what,
				   (long long)array->shape.dims[axis], *size);
	*size = (uint32_t)array->shape.dims[axis];
	return 0;
}

/* All inputs have to agree before a plan is made for their sizes. */
static int take_sizes(struct inputs *inputs, const struct array *array,
		      const struct accel_port_info *info)
{
	struct axes axes = axes_of(info->layout);
	int ret = take_size(array, axes.batch, info->name, "batch",
			    &inputs->sizes.batch);

	if (!ret)
		ret = take_size(array, axes.height, info->name, "height",
				&inputs->sizes.height);
	if (!ret)
		ret = take_size(array, axes.width, info->name, "width",
				&inputs->sizes.width);
	if (!ret)
		ret = take_size(array, axes.steps, info->name,
				"number of steps", &inputs->sizes.steps);
	return ret;
}

/* The first image's layout is the one that results are written in. */
static int read_input(struct gathering *gathering, uint32_t index,
		      const char *path, bool *image_seen)
{
	struct inputs *inputs = gathering->inputs;
	struct array *array = &inputs->arrays[index];
	struct accel_port_info info;
	struct array_port port;
	int ret;

	get_port(gathering, index, &info);
	port = (struct array_port){
		.name = info.name,
		.shape = port_shape(&info),
		.range = { info.range_low, info.range_high },
	};
	if (port.range.low >= port.range.high)
		port.range = gathering->source->range;
	ret = array_read(array, &port, path, gathering->source->layout);
	if (ret)
		return ret;
	if (info.layout == ACCEL_LAYOUT_NCHW && !*image_seen) {
		inputs->layout = array->layout;
		*image_seen = true;
	}
	return take_sizes(inputs, array, &info);
}

static int read_files(struct gathering *gathering, const char **paths)
{
	bool image_seen = false;

	for (uint32_t i = 0; i < gathering->inputs->count; i++) {
		int ret = paths[i] ? read_input(gathering, i, paths[i],
						&image_seen) :
				     0;

		if (ret)
			return ret;
	}
	return 0;
}

/* A free axis: as other inputs have it, else by default. */
static void fill_size(struct graph_shape *shape, int axis, uint32_t size,
		      int64_t otherwise)
{
	if (axis >= 0 && shape->dims[axis] < 0)
		shape->dims[axis] = size ? size : otherwise;
}

/* Is it made of numbers from N(0, 1)? [N, F, 1, 1] is how PyTorch's examples do it. */
static bool is_latent(const struct gathering *gathering,
		      const struct accel_port_info *info)
{
	if (info->layout == ACCEL_LAYOUT_NF)
		return gathering->kind == ACCEL_MODEL_LATENT;
	return info->layout == ACCEL_LAYOUT_NCHW && info->dimensions[2] == 1 &&
	       info->dimensions[3] == 1;
}

/* Any value that the codes of an input can hold. */
static void sample_codes(struct sample_generator *generator,
			 const struct accel_port_info *info, float *values,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int code = (int)sample_below(generator, 256) - 128;

		values[i] = info->scale > 0 ?
				    info->scale * (float)(code - info->zero) :
				    (float)code / 128;
	}
}

static int sample_input(struct gathering *gathering, uint32_t index,
			const struct accel_port_info *info)
{
	const struct accel_plan_options *sizes = &gathering->inputs->sizes;
	struct array *array = &gathering->inputs->arrays[index];
	struct axes axes = axes_of(info->layout);
	int64_t count;

	array->shape = port_shape(info);
	fill_size(&array->shape, axes.batch, sizes->batch,
		  gathering->source->batch);
	fill_size(&array->shape, axes.height, sizes->height, DEFAULT_SIDE);
	fill_size(&array->shape, axes.width, sizes->width, DEFAULT_SIDE);
	fill_size(&array->shape, axes.steps, sizes->steps, DEFAULT_STEPS);
	count = graph_shape_count(&array->shape);
	if (count > 0)
		array->values = malloc((size_t)count * sizeof(float));
	if (!array->values)
		return accel_error(-ENOMEM, "%s: no memory for its values",
				   info->name);
	if (is_latent(gathering, info))
		sample_normals(&gathering->generator, array->values,
			       (size_t)count);
	else
		sample_codes(&gathering->generator, info, array->values,
			     (size_t)count);
	return take_sizes(gathering->inputs, array, info);
}

/* Inputs that no file gave, in order, so that a seed means the same values always. */
static int sample_rest(struct gathering *gathering)
{
	for (uint32_t i = 0; i < gathering->inputs->count; i++) {
		struct accel_port_info info;
		int ret;

		get_port(gathering, i, &info);
		if (gathering->inputs->arrays[i].values ||
		    info.layout == ACCEL_LAYOUT_DNF)
			continue;
		if (!gathering->source->fill && !is_latent(gathering, &info))
			return accel_error(
				-EINVAL,
				"%s: the model needs it; give --input %s=FILE",
				info.name, info.name);
		ret = sample_input(gathering, i, &info);
		if (ret)
			return ret;
	}
	return 0;
}

static int bind_files(struct gathering *gathering, const char **names,
		      const char **paths)
{
	const struct binding_ports ports = {
		.names = names,
		.count = gathering->inputs->count,
		.what = "input",
	};
	int ret;

	for (uint32_t i = 0; i < ports.count; i++) {
		struct accel_port_info info;

		get_port(gathering, i, &info);
		names[i] = info.name;
	}
	ret = binding_resolve(&ports, &gathering->source->files, paths);
	return ret ? ret : read_files(gathering, paths);
}

static int gather(struct gathering *gathering)
{
	size_t count = gathering->inputs->count;
	const char **names = calloc(count + 1, sizeof(*names));
	const char **paths = calloc(count + 1, sizeof(*paths));
	int ret = names && paths ?
			  bind_files(gathering, names, paths) :
			  accel_error(-ENOMEM, "no memory for the inputs");

	free(names);
	free(paths);
	return ret ? ret : sample_rest(gathering);
}

int inputs_gather(struct inputs *inputs, const struct accel_model *model,
		  const struct inputs_source *source)
{
	struct accel_model_info info = { .size = sizeof(info) };
	struct gathering gathering = {
		.inputs = inputs,
		.model = model,
		.source = source,
	};
	int ret = accel_model_get_info(model, &info);

	*inputs = (struct inputs){ .count = info.input_count,
				   .sizes = { .size = sizeof(inputs->sizes) },
				   .layout = ARRAY_LAYOUT_NCHW };
	if (ret)
		return ret;
	gathering.kind = info.kind;
	sample_seed(&gathering.generator, source->seed);
	inputs->arrays = calloc(inputs->count + 1, sizeof(*inputs->arrays));
	if (!inputs->arrays)
		return accel_error(-ENOMEM, "no memory for the inputs");
	ret = gather(&gathering);
	if (ret)
		inputs_release(inputs);
	return ret;
}

int inputs_lend(struct inputs *inputs, const struct accel_model *model,
		struct array *arrays)
{
	struct accel_model_info info = { .size = sizeof(info) };
	int ret = accel_model_get_info(model, &info);

	*inputs = (struct inputs){ .arrays = arrays,
				   .count = info.input_count,
				   .sizes = { .size = sizeof(inputs->sizes) },
				   .layout = ARRAY_LAYOUT_NCHW };
	for (uint32_t i = 0; i < inputs->count && !ret; i++) {
		struct accel_port_info port = { .size = sizeof(port) };

		ret = accel_model_get_input(model, i, &port);
		if (!ret)
			ret = take_sizes(inputs, &arrays[i], &port);
	}
	return ret;
}

void inputs_release(struct inputs *inputs)
{
	for (uint32_t i = 0; inputs->arrays && i < inputs->count; i++)
		array_release(&inputs->arrays[i]);
	free(inputs->arrays);
	inputs->arrays = NULL;
}

int inputs_write(const struct inputs *inputs, struct accel_plan *plan)
{
	int ret = 0;

	for (uint32_t i = 0; i < inputs->count && !ret; i++) {
		const struct array *array = &inputs->arrays[i];
		struct accel_port_info info = { .size = sizeof(info) };
		struct accel_input input = { .data = array->values };

		ret = accel_plan_get_input(plan, i, &info);
		input.count = info.elements;
		if (!ret)
			ret = accel_plan_write_input(plan, i, &input);
	}
	return ret;
}
