/* SPDX-License-Identifier: MIT */
/* Results in the form that their inputs came in: layouts, signals and pictures alike. */
#include "outputs.h"

#include "binding.h"
#include "picture.h"

#include <accel/run.h>
#include <core/error.h>
#include <formats/npy.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int bind_files(const struct outputs *outputs,
		      const struct accel_model *model, const char **names,
		      const char **paths, uint32_t count)
{
	const struct binding_ports ports = { names, count, "output" };

	for (uint32_t i = 0; i < count; i++) {
		struct accel_port_info port = { .size = sizeof(port) };
		int ret = accel_model_get_output(model, i, &port);

		if (ret)
			return ret;
		names[i] = port.name;
	}
	return binding_resolve(&ports, &outputs->files, paths);
}

/* The file of each output, or NULL; for free(). */
static int resolve(const struct outputs *outputs,
		   const struct accel_model *model, const char ***paths)
{
	struct accel_model_info info = { .size = sizeof(info) };
	const char **names;
	int ret = accel_model_get_info(model, &info);

	if (ret)
		return ret;
	names = calloc(info.output_count + 1, sizeof(*names));
	*paths = calloc(info.output_count + 1, sizeof(**paths));
	ret = names && *paths ?
		      bind_files(outputs, model, names, *paths,
				 info.output_count) :
		      accel_error(-ENOMEM, "no memory for the outputs");
	free(names);
	if (ret)
		free(*paths);
	return ret;
}

static int find_image(const struct accel_model *model, uint32_t *index)
{
	struct accel_model_info info = { .size = sizeof(info) };
	struct accel_port_info port = { .size = sizeof(port) };
	int ret = accel_model_get_info(model, &info);

	if (ret)
		return ret;
	for (*index = 0; *index < info.output_count; (*index)++)
		if (!accel_model_get_output(model, *index, &port) &&
		    port.layout == ACCEL_LAYOUT_NCHW &&
		    (port.channels == 1 || port.channels == 3))
			return 0;
	return accel_error(-EINVAL,
			   "--image: %s has no output of one or three channels",
			   info.name);
}

/* All that could be wrong with names and forms, without a run that might take minutes. */
int outputs_check(const struct outputs *outputs,
		  const struct accel_model *model)
{
	const char **paths;
	uint32_t index;
	int ret = resolve(outputs, model, &paths);

	if (ret)
		return ret;
	free(paths);
	return outputs->image ? find_image(model, &index) : 0;
}

enum accel_layout output_layout(const struct accel_port_info *port,
				enum array_layout layout)
{
	return port->layout == ACCEL_LAYOUT_NCHW &&
			       layout == ARRAY_LAYOUT_NHWC ?
		       ACCEL_LAYOUT_NHWC :
		       port->layout;
}

/* The library dequantizes and puts axes in order; here is memory for it. */
int output_read(struct accel_plan *plan, uint32_t index,
		enum array_layout layout, struct accel_port_info *port,
		float **values)
{
	struct accel_output output = { .data = NULL };
	int ret;

	*port = (struct accel_port_info){ .size = sizeof(*port) };
	ret = accel_plan_get_output(plan, index, port);
	if (ret)
		return ret;
	*values = calloc(port->elements + 1, sizeof(**values));
	if (!*values)
		return accel_error(-ENOMEM, "%s: no memory for its values",
				   port->name);
	output.data = *values;
	output.count = port->elements;
	output.layout = output_layout(port, layout);
	ret = accel_plan_read_output(plan, index, &output);
	if (ret)
		free(*values);
	return ret;
}

/* Signals went in as images of one pixel's width or height, and come out so. */
static bool is_signal(const struct accel_port_info *port)
{
	return port->layout == ACCEL_LAYOUT_NCHW &&
	       port->dimension_count == 4 && port->elements > 0 &&
	       (port->dimensions[2] == 1 || port->dimensions[3] == 1);
}

/* The values are in the layout already; here only the sizes take their order. */
static int write_npy(const char *path, const struct accel_port_info *port,
		     enum array_layout layout, float *values)
{
	struct npy_array array = {
		.type = NPY_FLOAT32,
		.rank = port->dimension_count,
		.count = port->elements,
		.data = values,
	};

	for (uint32_t i = 0; i < port->dimension_count; i++)
		array.shape[i] = (size_t)port->dimensions[i];
	if (layout == ARRAY_LAYOUT_NCL && is_signal(port)) {
		array.rank = 3;
		array.shape[2] =
			array.count / (array.shape[0] * array.shape[1]);
	}
	if (output_layout(port, layout) == ACCEL_LAYOUT_NHWC) {
		array.shape[1] = (size_t)port->dimensions[2];
		array.shape[2] = (size_t)port->dimensions[3];
		array.shape[3] = (size_t)port->dimensions[1];
	}
	return npy_write(path, &array);
}

/* All values of a picture, as far as the model's codes or results reach. */
static struct quantize_range reach(const struct accel_port_info *port,
				   const float *values)
{
	struct quantize_range range = { 0, 0 };

	if (port->scale > 0)
		return (struct quantize_range){
			port->scale * (float)(-128 - port->zero),
			port->scale * (float)(127 - port->zero),
		};
	for (uint64_t i = 0; i < port->elements; i++) {
		range.low = fminf(range.low, values[i]);
		range.high = fmaxf(range.high, values[i]);
	}
	return range;
}

static struct quantize_range image_range(const struct outputs *outputs,
					 const struct accel_port_info *port,
					 const float *values)
{
	struct quantize_range range = { port->range_low, port->range_high };

	if (outputs->range.low < outputs->range.high)
		return outputs->range;
	if (range.low < range.high)
		return range;
	range = reach(port, values);
	fprintf(stderr,
		"%s: the model does not say what is black and white; taking %g:%g (see --output-range)\n",
		outputs->image, (double)range.low, (double)range.high);
	return range;
}

static int write_image(const struct outputs *outputs,
		       const struct accel_port_info *port, const float *values,
		       enum accel_layout layout)
{
	return picture_write(outputs->image, values, port, layout,
			     image_range(outputs, port, values));
}

/* Files of an output that is at hand. */
static int write_values(const struct outputs *outputs, const char *path,
			const struct accel_port_info *port, float *values,
			enum array_layout layout, bool is_image)
{
	int ret = path ? write_npy(path, port, layout, values) : 0;

	if (!ret && is_image)
		ret = write_image(outputs, port, values,
				  output_layout(port, layout));
	return ret;
}

/* Only outputs that somebody wants are read back. */
static int write_output(const struct outputs *outputs, struct accel_plan *plan,
			uint32_t index, const char *path,
			enum array_layout layout, bool is_image)
{
	struct accel_port_info port;
	float *values;
	int ret;

	if (!path && !is_image)
		return 0;
	ret = output_read(plan, index, layout, &port, &values);
	if (ret)
		return ret;
	ret = write_values(outputs, path, &port, values, layout, is_image);
	free(values);
	return ret;
}

/* The output that is the picture, or UINT32_MAX if none is wanted. */
static int choose_image(const struct outputs *outputs,
			const struct accel_model *model, uint32_t *index)
{
	*index = UINT32_MAX;
	return outputs->image ? find_image(model, index) : 0;
}

int outputs_write(const struct outputs *outputs,
		  const struct accel_model *model, struct accel_plan *plan,
		  enum array_layout layout)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	const char **paths;
	uint32_t image;
	int ret = accel_plan_get_info(plan, &info);

	if (!ret)
		ret = choose_image(outputs, model, &image);
	if (!ret)
		ret = resolve(outputs, model, &paths);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < info.output_count && !ret; i++)
		ret = write_output(outputs, plan, i, paths[i], layout,
				   i == image);
	free(paths);
	return ret;
}

int outputs_write_values(const struct outputs *outputs,
			 const struct accel_model *model,
			 const struct accel_port_info *ports, float **values,
			 uint32_t count, enum array_layout layout)
{
	const char **paths;
	uint32_t image;
	int ret = choose_image(outputs, model, &image);

	if (!ret)
		ret = resolve(outputs, model, &paths);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < count && !ret; i++)
		ret = write_values(outputs, paths[i], &ports[i], values[i],
				   layout, i == image);
	free(paths);
	return ret;
}
