/* SPDX-License-Identifier: MIT */
/*
 * QuantizeLinear and DequantizeLinear are not operators of the graph: they leave
 * scales and zero points on its tensors.
 */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

static int type_range(int type, int64_t *low, int64_t *high)
{
	static const struct {
		int type;
		int64_t low;
		int64_t high;
	} ranges[] = {
		{ TYPE(INT8), INT8_MIN, INT8_MAX },
		{ TYPE(UINT8), 0, UINT8_MAX },
		{ TYPE(INT16), INT16_MIN, INT16_MAX },
		{ TYPE(UINT16), 0, UINT16_MAX },
		{ TYPE(INT32), INT32_MIN, INT32_MAX },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (ranges[i].type == type) {
			*low = ranges[i].low;
			*high = ranges[i].high;
			return 0;
		}
	return -ENOTSUP;
}

static int scales_read(struct onnx_context *context,
		       const struct onnx_node *node,
		       const struct onnx_value *scale,
		       const struct onnx_value *zero,
		       struct graph_quantization *quantization)
{
	int64_t count = scale->count;

	quantization->count = count;
	quantization->scale = scale->reals;
	quantization->zero_point = onnx_allocate(
		context, count, sizeof(*quantization->zero_point));
	if (!quantization->zero_point)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i++) {
		if (!(scale->reals[i] > 0 && isfinite(scale->reals[i])))
			return onnx_invalid(node, "scale %lld is %g",
					    (long long)i,
					    (double)scale->reals[i]);
		if (!zero)
			continue;
		if (zero->integers[i] < quantization->low ||
		    zero->integers[i] > quantization->high)
			return onnx_invalid(node, "zero point %lld is %lld",
					    (long long)i,
					    (long long)zero->integers[i]);
		quantization->zero_point[i] = (int32_t)zero->integers[i];
	}
	return 0;
}

/* Inputs 1 and 2, and the axis; type is that of the integers. */
static int quantization_read(struct onnx_context *context,
			     const struct onnx_node *node, int type,
			     const struct graph_shape *shape,
			     struct graph_quantization *quantization)
{
	const struct onnx_value *scale = onnx_input_weight(context, node, 1);
	const struct onnx_value *zero = NULL;
	int64_t axis = 1, block = 0;
	int ret;

	if (!scale)
		return -ENOTSUP;
	if (onnx_has_input(node, 2)) {
		zero = onnx_input_integers(context, node, 2);
		if (!zero)
			return -ENOTSUP;
		if (zero->count != scale->count)
			return onnx_invalid(node, "scales and zero points "
						  "differ in number");
		type = zero->element_type;
	}
	memset(quantization, 0, sizeof(*quantization));
	if (type_range(type, &quantization->low, &quantization->high))
		return onnx_unsupported(node, "integers other than of 8, 16 "
					      "or 32 bits");
	ret = onnx_attribute_integer(node, "axis", &axis);
	if (!ret)
		ret = onnx_attribute_integer(node, "block_size", &block);
	if (!ret && block)
		return onnx_unsupported(node, "scales of blocks");
	if (!ret && scale->count != 1) {
		axis = onnx_axis(node, axis, shape->rank);
		if (axis < 0)
			return (int)axis;
		quantization->axis = (int)axis;
		if (shape->dims[axis] != scale->count)
			return onnx_invalid(node,
					    "%lld scales for an axis of %lld",
					    (long long)scale->count,
					    (long long)shape->dims[axis]);
	}
	return ret ? ret :
		     scales_read(context, node, scale, zero, quantization);
}

/* Which scale belongs to element i of a constant. */
static int64_t scale_index(const struct graph_quantization *quantization,
			   const struct graph_shape *shape, int64_t i)
{
	int64_t inner = 1;

	if (quantization->count == 1)
		return 0;
	for (int j = quantization->axis + 1; j < shape->rank; j++)
		inner *= shape->dims[j];
	return i / inner % quantization->count;
}

/* Weights and biases: the integers times the scale, which is remembered. */
int onnx_fold_dequantize(struct onnx_context *context,
			 const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct graph_quantization *quantization =
		onnx_allocate(context, 1, sizeof(*quantization));
	struct onnx_value result = { .name = onnx_output_name(node) };
	int ret;

	if (!x || !quantization)
		return -EINVAL;
	if (!x->integers || x->real || x->splat)
		return onnx_invalid(node, "its input is not of integers");
	ret = quantization_read(context, node, x->element_type, &x->shape,
				quantization);
	if (!ret)
		ret = onnx_value_reals(context, &x->shape, &result);
	for (int64_t i = 0; i < x->count && !ret; i++) {
		int64_t j = scale_index(quantization, &x->shape, i);

		if (x->integers[i] < quantization->low ||
		    x->integers[i] > quantization->high)
			return onnx_invalid(node, "element %lld is %lld",
					    (long long)i,
					    (long long)x->integers[i]);
		result.reals[i] =
			(float)(x->integers[i] - quantization->zero_point[j]) *
			quantization->scale[j];
	}
	result.quantization = quantization;
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}

/* Room for the integers of a constant, of which a splat has one. */
static int integers_like(struct onnx_context *context,
			 const struct onnx_value *x, struct onnx_value *result)
{
	const struct graph_shape scalar = { 0 };
	int ret = onnx_value_integers(context, x->splat ? &scalar : &x->shape,
				      result);

	result->splat = x->splat;
	result->shape = x->shape;
	return ret;
}

/* Models that quantize their weights on the way hold them as reals. */
int onnx_fold_quantize(struct onnx_context *context,
		       const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value result = { .name = onnx_output_name(node) };
	struct graph_quantization quantization;
	int ret;

	if (!x)
		return -EINVAL;
	ret = quantization_read(context, node, TYPE(UINT8), &x->shape,
				&quantization);
	/* A state of zeros has the batch's size, which is not known yet. */
	if (!ret && (!x->splat || !x->reals || quantization.count != 1)) {
		x = onnx_input_weight(context, node, 0);
		if (!x)
			return -EINVAL;
	}
	if (!ret)
		ret = integers_like(context, x, &result);
	for (int64_t i = 0; i < x->count && !ret; i++) {
		int64_t j = scale_index(&quantization, &x->shape, i);
		double q = nearbyint((double)(x->reals[i] /
					      quantization.scale[j])) +
			   quantization.zero_point[j];

		if (isnan(q))
			return onnx_invalid(node, "element %lld is no number",
					    (long long)i);
		result.integers[i] =
			(int64_t)fmin(fmax(q, (double)quantization.low),
				      (double)quantization.high);
	}
	if (!ret && onnx_has_input(node, 2))
		result.element_type =
			onnx_input(context, node, 2)->element_type;
	else
		result.element_type = TYPE(UINT8);
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}

/* The result is the same tensor, marked: only DequantizeLinear may read it. */
int onnx_import_quantize(struct onnx_context *context,
			 const struct onnx_node *node)
{
	struct graph_quantization *quantization =
		onnx_allocate(context, 1, sizeof(*quantization));
	struct onnx_value result = { 0 };
	int tensor = onnx_input_tensor(context, node, 0);
	int ret;

	if (!quantization || tensor < 0)
		return quantization ? tensor : -ENOMEM;
	result.shape = context->shapes[tensor];
	ret = quantization_read(context, node, TYPE(UINT8), &result.shape,
				quantization);
	if (ret)
		return ret;
	if (quantization->count != 1)
		return onnx_unsupported(node, "a computed tensor with several "
					      "scales");
	result.tensor = tensor;
	result.quantized = true;
	result.quantization = quantization;
	return onnx_bind_output(context, node, 0, &result);
}

bool onnx_quantization_equal(const struct graph_quantization *a,
			     const struct graph_quantization *b)
{
	return a->count == 1 && b->count == 1 && a->scale[0] == b->scale[0] &&
	       a->zero_point[0] == b->zero_point[0] && a->low == b->low &&
	       a->high == b->high;
}

/* A copy of a tensor that is quantized in another way than itself. */
static int emit_copy(struct onnx_context *context, const struct onnx_node *node,
		     int tensor)
{
	struct graph_node affine = { .op = GRAPH_AFFINE };
	const float one = 1, zero = 0;
	int inputs[3] = { tensor, onnx_add_vector(context, "one", 1, &one),
			  onnx_add_vector(context, "zero", 1, &zero) };

	if (inputs[1] < 0 || inputs[2] < 0)
		return -ENOMEM;
	return onnx_emit(context, node, &affine, inputs, 3,
			 onnx_output_name(node));
}

int onnx_quantized_tensor(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct onnx_value *value)
{
	const struct graph_quantization *quantization = value->quantization;
	int tensor = value->tensor, ret;
	const struct graph_quantization *present =
		context->graph->tensors[tensor].quantization;

	if (present && onnx_quantization_equal(present, quantization))
		return tensor;
	if (present)
		tensor = emit_copy(context, node, tensor);
	if (tensor < 0)
		return tensor;
	ret = onnx_quantization_set(context, tensor, quantization);
	return ret ? ret : tensor;
}

/* The pair is gone, its scale stays with the tensor. */
int onnx_import_dequantize(struct onnx_context *context,
			   const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct graph_quantization quantization;
	int tensor, ret;

	if (!x)
		return -EINVAL;
	if (!x->quantized)
		return onnx_unsupported(node, "an input that is not the result "
					      "of QuantizeLinear");
	ret = quantization_read(context, node,
				x->quantization->low ? TYPE(INT8) : TYPE(UINT8),
				&x->shape, &quantization);
	if (ret)
		return ret;
	if (!onnx_quantization_equal(&quantization, x->quantization))
		return onnx_unsupported(node,
					"another scale or zero point than "
					"QuantizeLinear's");
	tensor = onnx_quantized_tensor(context, node, x);
	return tensor < 0 ? tensor : onnx_bind_tensor(context, node, 0, tensor);
}
