/* SPDX-License-Identifier: MIT */
/* Weights of a safetensors file in place of the model's own. */
#include <compress/onnx_tensor.h>
#include <core/error.h>
#include <formats/float16.h>
#include <formats/safetensors.h>

#include <errno.h>
#include <string.h>

static bool has_shape(const struct safetensors_tensor *tensor,
		      const struct graph_shape *shape)
{
	if (tensor->rank != (unsigned int)shape->rank)
		return false;
	for (int i = 0; i < shape->rank; i++)
		if (tensor->shape[i] != (uint64_t)shape->dims[i])
			return false;
	return true;
}

/* To binary32, which is what the importer computes in; false for types that are no weights. */
static bool copy_values(const struct safetensors_tensor *tensor, int64_t count,
			float *reals)
{
	const uint16_t *halves = tensor->data;
	const double *doubles = tensor->data;

	for (int64_t i = 0; i < count; i++) {
		switch (tensor->type) {
		case SAFETENSORS_F32:
			memcpy(reals, tensor->data,
			       (size_t)count * sizeof(*reals));
			return true;
		case SAFETENSORS_F64:
			reals[i] = (float)doubles[i];
			break;
		case SAFETENSORS_F16:
			reals[i] = float16_to_float(halves[i]);
			break;
		case SAFETENSORS_BF16:
			reals[i] = bfloat16_to_float(halves[i]);
			break;
		default:
			return false;
		}
	}
	return true;
}

/* Shapes have to agree to the axis: the same numbers in another order would go unnoticed. */
int onnx_weight_replace(struct onnx_context *context, struct onnx_value *value)
{
	const struct safetensors_tensor *tensor;
	char text[GRAPH_SHAPE_TEXT_SIZE];

	tensor = context->weights ?
			 safetensors_find(context->weights, value->name) :
			 NULL;
	if (!tensor)
		return 0;
	if (!value->reals || !has_shape(tensor, &value->shape))
		return accel_error(-EINVAL,
				   "%s: the weights do not have the model's "
				   "shape, %s",
				   value->name,
				   graph_shape_text(&value->shape, text));
	if (!copy_values(tensor, value->count, value->reals))
		return accel_error(-ENOTSUP,
				   "%s: weights of type %s; supported are F32, "
				   "F64, F16 and BF16",
				   value->name,
				   safetensors_type_name(tensor->type));
	return 0;
}

/* Who gives weights wants all of them used: a name that the model lacks is an error. */
int onnx_weights_check(struct onnx_context *context)
{
	size_t count = context->weights ? safetensors_count(context->weights) :
					  0;

	for (size_t i = 0; i < count; i++) {
		const char *name = safetensors_at(context->weights, i)->name;

		if (!onnx_find_value(context, name))
			return accel_error(-EINVAL,
					   "the model has no weights called %s",
					   name);
	}
	return 0;
}
