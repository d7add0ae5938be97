/* SPDX-License-Identifier: MIT */
#include "plan/shape.h"

#include <errno.h>
#include <stdlib.h>

#include "core/checked.h"
#include "core/error.h"

/* More than the host could address; a plan that needs it is a mistake. */
#define TENSOR_BYTES_MAX (1ull << 40)

size_t plan_element_size(enum model_type type)
{
	return type == MODEL_INT8 ? sizeof(int8_t) : sizeof(float);
}

/* One size of an input: what the model fixes, else what the caller chose. */
static int size_choose(const struct model_tensor *tensor, const char *what,
		       uint32_t fixed, uint32_t asked, uint32_t *size)
{
	if (!fixed && !asked)
		return accel_error(-EINVAL,
				   "%s: the model leaves its %s open: give one",
				   tensor->name, what);
	if (fixed && asked && fixed != asked)
		return accel_error(-EINVAL,
				   "%s: %s %u asked for, but the model has %u",
				   tensor->name, what, asked, fixed);
	*size = fixed ? fixed : asked;
	return 0;
}

static int input_infer(const struct model *model, const struct model_port *port,
		       const struct accel_plan_options *options,
		       struct model_extent *extent)
{
	const struct model_tensor *tensor = &model->tensors[port->tensor];
	int ret;

	extent->channels = tensor->channels;
	extent->height = tensor->height ? tensor->height : 1;
	extent->width = tensor->width ? tensor->width : 1;
	switch (port->layout) {
	case MODEL_LAYOUT_NCHW:
		ret = size_choose(tensor, "height", tensor->height,
				  options->height, &extent->height);
		if (ret)
			return ret;
		return size_choose(tensor, "width", tensor->width,
				   options->width, &extent->width);
	case MODEL_LAYOUT_TNF:
	case MODEL_LAYOUT_NTF:
		return size_choose(tensor, "number of steps", tensor->height,
				   options->steps, &extent->height);
	case MODEL_LAYOUT_NF:
	case MODEL_LAYOUT_DNF:
		break;
	}
	return 0;
}

static int inputs_infer(const struct model *model,
			const struct accel_plan_options *options,
			struct model_extent *inputs)
{
	for (uint32_t i = 0; i < model->input_count; i++) {
		int ret = input_infer(model, &model->inputs[i], options,
				      &inputs[i]);

		if (ret)
			return ret;
	}
	return 0;
}

bool plan_tensor_bytes(const struct model *model,
		       const struct plan_shape *shape, uint32_t tensor,
		       size_t *bytes)
{
	const struct model_extent *extent = &shape->extents[tensor];
	size_t element = plan_element_size(model->tensors[tensor].type);

	return checked_multiply(extent->channels, extent->height, bytes) &&
	       checked_multiply(*bytes, extent->width, bytes) &&
	       checked_multiply(*bytes, shape->batch, bytes) &&
	       checked_multiply(*bytes, element, bytes) &&
	       *bytes <= TENSOR_BYTES_MAX;
}

static int bytes_check(const struct model *model,
		       const struct plan_shape *shape)
{
	size_t bytes;

	for (uint32_t i = 0; i < model->tensor_count; i++)
		if (!plan_tensor_bytes(model, shape, i, &bytes))
			return accel_error(
				-EINVAL,
				"%s: %u × %u × %u × %u is too large; run a smaller batch or picture",
				model->tensors[i].name, shape->batch,
				shape->extents[i].channels,
				shape->extents[i].height,
				shape->extents[i].width);
	return 0;
}

int plan_shape_infer(const struct model *model,
		     const struct accel_plan_options *options,
		     struct plan_shape *shape)
{
	struct model_extent inputs[MODEL_PORTS_MAX] = { 0 };
	int ret;

	if (model->input_count > MODEL_PORTS_MAX)
		return accel_error(-EINVAL, "%s: %u inputs", model->name,
				   model->input_count);
	shape->batch = options->batch;
	shape->extents = calloc(model->tensor_count ? model->tensor_count : 1,
				sizeof(*shape->extents));
	if (!shape->extents)
		return accel_error(-ENOMEM, "out of memory");
	ret = inputs_infer(model, options, inputs);
	if (ret)
		return ret;
	ret = model_infer_extents(model, inputs, shape->extents);
	if (ret)
		return ret;
	return bytes_check(model, shape);
}

void plan_shape_free(struct plan_shape *shape)
{
	free(shape->extents);
	shape->extents = NULL;
}
