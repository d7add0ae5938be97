/* SPDX-License-Identifier: MIT */
#include <accel/run.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "core/error.h"
#include "runtime/sized.h"

static int compare_check(const struct accel_plan *first,
			 const struct accel_plan *second)
{
	const struct model *model;

	if (!first || !second)
		return accel_error(-EINVAL, "accel_plan_compare: no plan");
	model = first->model->model;
	if (!(first->flags & second->flags & ACCEL_PLAN_KEEP_ACTIVATIONS))
		return accel_error(
			-EINVAL,
			"%s: make both plans with ACCEL_PLAN_KEEP_ACTIVATIONS",
			model->name);
	if (second->model->model != model ||
	    first->shape.batch != second->shape.batch ||
	    memcmp(first->shape.extents, second->shape.extents,
		   model->tensor_count * sizeof(*first->shape.extents)))
		return accel_error(-EINVAL,
				   "%s: the plans differ in model or sizes",
				   model->name);
	if (!first->has_run || !second->has_run)
		return accel_error(-ENODATA, "%s: run both plans first",
				   model->name);
	return 0;
}

static int32_t element_at(const void *bytes, size_t index, size_t element)
{
	int32_t value;

	if (element == 1)
		return ((const int8_t *)bytes)[index];
	memcpy(&value, (const char *)bytes + index * element, sizeof(value));
	return value;
}

static void difference_locate(const struct accel_plan *plan,
			      const struct model_layer *layer, uint32_t tensor,
			      size_t index, struct accel_difference *out)
{
	const struct model_extent *extent = &plan->shape.extents[tensor];
	size_t batch = plan->shape.batch;
	size_t plane = (size_t)extent->height * extent->width * batch;

	out->layer = layer->name;
	out->tensor = plan->model->model->tensors[tensor].name;
	out->channel = (uint32_t)(index / plane);
	out->column = index % plane;
	out->batch = (uint32_t)(index % batch);
	out->x = (uint32_t)(index / batch % extent->width);
	out->y = (uint32_t)(index / batch / extent->width % extent->height);
}

static void bytes_compare(const struct accel_plan *plan,
			  const struct model_layer *layer, uint32_t tensor,
			  const void *a, const void *b, size_t length,
			  struct accel_difference *out)
{
	size_t element =
		plan_element_size(plan->model->model->tensors[tensor].type);
	size_t count = length / element;

	out->values += count;
	if (!memcmp(a, b, length))
		return;
	for (size_t i = 0; i < count; i++) {
		int32_t first = element_at(a, i, element);
		int32_t second = element_at(b, i, element);

		if (first == second)
			continue;
		if (!out->differing++) {
			difference_locate(plan, layer, tensor, i, out);
			out->first = first;
			out->second = second;
		}
	}
}

static int tensor_compare(struct accel_plan *first, struct accel_plan *second,
			  const struct model_layer *layer, uint32_t tensor,
			  struct accel_difference *out)
{
	size_t length = 0;
	char *bytes;
	int ret;

	plan_tensor_bytes(first->model->model, &first->shape, tensor, &length);
	bytes = malloc(2 * length + 1);
	if (!bytes)
		return accel_error(-ENOMEM, "%s: out of memory", layer->name);
	ret = first->device->operations->plan_read_tensor(first, tensor, bytes,
							  length);
	if (!ret)
		ret = second->device->operations->plan_read_tensor(
			second, tensor, bytes + length, length);
	if (!ret)
		bytes_compare(first, layer, tensor, bytes, bytes + length,
			      length, out);
	free(bytes);
	return ret;
}

int accel_plan_compare(struct accel_plan *first, struct accel_plan *second,
		       struct accel_difference *difference)
{
	struct accel_difference full = { 0 };
	const struct model *model;
	int ret = compare_check(first, second);

	if (ret)
		return ret;
	model = first->model->model;
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_layer *layer = &model->layers[i];

		if (layer->op == MODEL_RESHAPE || layer->op == MODEL_SLICE)
			continue; /* views: their input was compared */
		for (uint32_t o = 0; o < layer->output_count; o++) {
			if (layer->outputs[o] == MODEL_NO_TENSOR)
				continue;
			ret = tensor_compare(first, second, layer,
					     (uint32_t)layer->outputs[o],
					     &full);
			if (ret)
				return ret;
		}
	}
	return sized_write(difference, &full, sizeof(full), "accel_difference");
}
