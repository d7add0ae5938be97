/* SPDX-License-Identifier: MIT */
/* Constants that come from shapes, or from nothing. */
#include <compress/graph_shape.h>
#include <compress/onnx_fold.h>
#include <compress/onnx_operator.h>
#include <compress/onnx_tensor.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <string.h>

/* value_float, value_ints and so on, as a list or as a single number. */
static int constant_numbers(struct onnx_context *context,
			    const Onnx__AttributeProto *attribute,
			    struct onnx_value *value)
{
	bool list = attribute->n_floats || attribute->n_ints ||
		    attribute->type ==
			    ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS ||
		    attribute->type ==
			    ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
	bool real = !strncmp(attribute->name, "value_float", 11);
	size_t count = real ? attribute->n_floats : attribute->n_ints;
	struct graph_shape shape = { list, { list ? (int64_t)count : 1 } };
	int ret = real ? onnx_value_reals(context, &shape, value) :
			 onnx_value_integers(context, &shape, value);

	for (int64_t i = 0; i < value->count && !ret; i++) {
		if (real)
			value->reals[i] = list ? attribute->floats[i] :
						 attribute->f;
		else
			value->integers[i] = list ? attribute->ints[i] :
						    attribute->i;
		if (!real && !dimension_is_number(value->integers[i]))
			value->integers[i] = -DIMENSION_NUMBER_LIMIT + 1;
	}
	return ret;
}

int onnx_import_constant(struct onnx_context *context,
			 const struct onnx_node *node)
{
	const Onnx__AttributeProto *attribute = onnx_attribute(node, "value");
	struct onnx_value value = { .name = onnx_output_name(node) };
	static const char *const names[] = { "value_float", "value_floats",
					     "value_int", "value_ints" };
	int ret;

	if (attribute && attribute->t) {
		ret = onnx_tensor_decode(context, attribute->t, &value);
		value.name = onnx_output_name(node);
		return ret ? accel_error_prefix(ret, "%s (Constant)",
						node->name) :
			     onnx_bind_output(context, node, 0, &value);
	}
	for (size_t i = 0; i < 4; i++) {
		attribute = onnx_attribute(node, names[i]);
		if (!attribute)
			continue;
		ret = constant_numbers(context, attribute, &value);
		return ret ? ret : onnx_bind_output(context, node, 0, &value);
	}
	return onnx_unsupported(node, "a constant that is no number or dense "
				      "tensor of numbers");
}

/* A list of numbers and expressions: the root of all arithmetic on sizes. */
int onnx_import_shape(struct onnx_context *context,
		      const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value value = { .name = onnx_output_name(node) };
	struct graph_shape shape = { 1, { 0 } };
	int64_t start = 0, end = GRAPH_MAX_RANK;
	int ret;

	if (!x)
		return -EINVAL;
	ret = onnx_attribute_integer(node, "start", &start);
	if (!ret)
		ret = onnx_attribute_integer(node, "end", &end);
	if (ret)
		return ret;
	if (start < 0)
		start = start + x->shape.rank < 0 ? 0 : start + x->shape.rank;
	if (end < 0)
		end += x->shape.rank;
	if (end > x->shape.rank)
		end = x->shape.rank;
	shape.dims[0] = end > start ? end - start : 0;
	ret = onnx_value_integers(context, &shape, &value);
	if (ret)
		return ret;
	for (int64_t i = 0; i < value.count; i++)
		value.integers[i] = x->shape.dims[start + i];
	return onnx_bind_output(context, node, 0, &value);
}

int onnx_import_size(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value value = { .name = onnx_output_name(node) };
	struct graph_shape scalar = { 0 };
	int ret;

	if (!x)
		return -EINVAL;
	ret = onnx_value_integers(context, &scalar, &value);
	if (ret)
		return ret;
	value.integers[0] = 1;
	for (int i = 0; i < x->shape.rank; i++)
		value.integers[0] = dimension_multiply(
			context->table, value.integers[0], x->shape.dims[i]);
	return onnx_bind_output(context, node, 0, &value);
}

/* A list of lengths as a shape. */
static int shape_from_list(const struct onnx_node *node,
			   const struct onnx_value *list,
			   struct graph_shape *shape)
{
	if (list->count > GRAPH_MAX_RANK)
		return onnx_unsupported(node, "more than %d axes",
					GRAPH_MAX_RANK);
	shape->rank = (int)list->count;
	for (int i = 0; i < shape->rank; i++) {
		shape->dims[i] = list->integers[i];
		if (dimension_is_number(shape->dims[i]) &&
		    (shape->dims[i] < 0 || shape->dims[i] > GRAPH_MAX_LENGTH))
			return onnx_invalid(node, "a length of %lld",
					    (long long)shape->dims[i]);
	}
	return 0;
}

/*
 * One element as a constant of a shape. Lists of sizes are stored in full, since
 * they are read element by element.
 */
static int constant_repeat(struct onnx_context *context,
			   const struct onnx_node *node,
			   const struct onnx_value *element,
			   const struct graph_shape *shape,
			   struct onnx_value *value)
{
	struct onnx_value single = *element;
	int64_t stride = 0;

	single.splat = false;
	if (!element->real && shape->rank == 1)
		return onnx_constant_view(context, node, &single, shape,
					  &stride, 0, value);
	*value = *element;
	value->shape = *shape;
	value->splat = shape->rank > 0;
	value->tensor = GRAPH_NO_TENSOR;
	return 0;
}

int onnx_fold_constant_of_shape(struct onnx_context *context,
				const struct onnx_node *node)
{
	const struct onnx_value *list = onnx_input_integers(context, node, 0);
	const Onnx__AttributeProto *attribute = onnx_attribute(node, "value");
	struct onnx_value value = { .name = onnx_output_name(node) };
	struct graph_shape shape, scalar = { 0 };
	struct onnx_value result;
	int ret;

	if (!list)
		return -ENOTSUP;
	if (attribute && attribute->t)
		ret = onnx_tensor_decode(context, attribute->t, &value);
	else
		ret = onnx_value_reals(context, &scalar, &value);
	if (ret)
		return ret;
	if (value.count != 1)
		return onnx_invalid(node, "its value is not one element");
	ret = shape_from_list(node, list, &shape);
	if (ret)
		return ret;
	ret = constant_repeat(context, node, &value, &shape, &result);
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}

/* Only of numbers: a list needs a length that is known. */
int onnx_fold_range(struct onnx_context *context, const struct onnx_node *node)
{
	struct onnx_value value = { .name = onnx_output_name(node) };
	struct graph_shape shape = { 1, { 0 } };
	double bounds[3], length;
	int ret;

	for (size_t i = 0; i < 3; i++) {
		const struct onnx_value *x = onnx_input(context, node, i);

		if (!x)
			return -EINVAL;
		if (x->count != 1 ||
		    !onnx_value_number(context, x, 0, &bounds[i]))
			return onnx_unsupported(
				node, "a range that depends on the input");
	}
	length = ceil((bounds[1] - bounds[0]) / bounds[2]);
	if (!(length <= (double)ONNX_FOLD_LIMIT))
		return onnx_invalid(node, "the range does not end");
	shape.dims[0] = length > 0 ? (int64_t)length : 0;
	ret = onnx_value_integers(context, &shape, &value);
	if (ret)
		return ret;
	for (int64_t i = 0; i < value.count; i++)
		value.integers[i] =
			(int64_t)(bounds[0] + (double)i * bounds[2]);
	return onnx_bind_output(context, node, 0, &value);
}

/* Distances in the constant for walking over the shape it is expanded to. */
static void expanded_strides(const struct onnx_value *x,
			     const struct graph_shape *shape, int64_t *stride)
{
	int shift = shape->rank - x->shape.rank;
	int64_t distance = 1;

	memset(stride, 0, sizeof(*stride) * GRAPH_MAX_RANK);
	if (x->count == 1)
		return;
	for (int i = x->shape.rank - 1; i >= 0; i--) {
		if (x->shape.dims[i] != 1)
			stride[i + shift] = distance;
		distance *= x->shape.dims[i];
	}
}

int onnx_fold_expand(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	const struct onnx_value *list =
		x ? onnx_input_integers(context, node, 1) : NULL;
	int64_t stride[GRAPH_MAX_RANK];
	struct graph_shape asked, shape;
	struct onnx_value value;
	int ret;

	if (!list)
		return -EINVAL;
	ret = shape_from_list(node, list, &asked);
	if (ret)
		return ret;
	if (!graph_shape_broadcast(&x->shape, &asked, &shape))
		return onnx_invalid(node, "the shapes do not fit each other");
	if (x->count == 1) {
		ret = constant_repeat(context, node, x, &shape, &value);
		return ret ? ret : onnx_bind_output(context, node, 0, &value);
	}
	expanded_strides(x, &shape, stride);
	ret = onnx_constant_view(context, node, x, &shape, stride, 0, &value);
	return ret ? ret : onnx_bind_output(context, node, 0, &value);
}
