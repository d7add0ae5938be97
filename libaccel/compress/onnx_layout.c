/* SPDX-License-Identifier: MIT */
/* Operators that move or join elements of computed tensors. */
#include <compress/graph_shape.h>
#include <compress/onnx_fold.h>
#include <compress/onnx_operator.h>

#include <errno.h>
#include <string.h>

/* Product of the dimensions first … end - 1. */
static int64_t product(struct onnx_context *context,
		       const struct graph_shape *shape, int first, int end)
{
	int64_t result = 1;

	for (int i = first; i < end; i++)
		result = dimension_multiply(context->table, result,
					    shape->dims[i]);
	return result;
}

/*
 * 0 copies a length, -1 is what is left over. The list may hold expressions: then
 * the product of all others is one, and what is left over is their quotient.
 */
static int target_reshape(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct graph_shape *shape,
			  struct graph_shape *target)
{
	const struct onnx_value *list = onnx_input_integers(context, node, 1);
	int64_t allow_zero = 0;
	int rest = -1, ret;

	if (!list)
		return -ENOTSUP;
	if (list->count > GRAPH_MAX_RANK)
		return onnx_unsupported(node, "more than %d axes",
					GRAPH_MAX_RANK);
	ret = onnx_attribute_integer(node, "allowzero", &allow_zero);
	if (ret)
		return ret;
	target->rank = (int)list->count;
	for (int i = 0; i < target->rank; i++) {
		target->dims[i] = list->integers[i];
		if (!target->dims[i] && !allow_zero && i < shape->rank)
			target->dims[i] = shape->dims[i];
		if (target->dims[i] == -1 && rest < 0) {
			rest = i;
			target->dims[i] = 1;
		} else if (dimension_is_number(target->dims[i]) &&
			   (target->dims[i] < 0 ||
			    target->dims[i] > GRAPH_MAX_LENGTH)) {
			return onnx_invalid(node, "a length of %lld",
					    (long long)target->dims[i]);
		}
	}
	if (rest >= 0)
		target->dims[rest] = dimension_divide(
			context->table, product(context, shape, 0, shape->rank),
			product(context, target, 0, target->rank));
	return 0;
}

static int target_flatten(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct graph_shape *shape,
			  struct graph_shape *target)
{
	int64_t axis = 1;
	int ret = onnx_attribute_integer(node, "axis", &axis);

	if (ret)
		return ret;
	if (axis != shape->rank)
		axis = onnx_axis(node, axis, shape->rank);
	if (axis < 0)
		return (int)axis;
	target->rank = 2;
	target->dims[0] = product(context, shape, 0, (int)axis);
	target->dims[1] = product(context, shape, (int)axis, shape->rank);
	return 0;
}

/* The axes attribute or input as a set of bits. */
static int axes_mask(struct onnx_context *context, const struct onnx_node *node,
		     int rank, unsigned int *mask, bool *given)
{
	int64_t axes[GRAPH_MAX_RANK];
	size_t count;
	int ret = onnx_integers_since(context, node, 13, "axes", 1, axes,
				      GRAPH_MAX_RANK, &count);

	*mask = 0;
	*given = count != SIZE_MAX;
	for (size_t i = 0; *given && i < count && !ret; i++) {
		int axis = onnx_axis(node, axes[i], rank);

		if (axis < 0)
			ret = axis;
		else
			*mask |= 1u << axis;
	}
	return ret;
}

static int target_squeeze(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct graph_shape *shape,
			  struct graph_shape *target)
{
	unsigned int mask;
	bool given;
	int ret = axes_mask(context, node, shape->rank, &mask, &given);

	target->rank = 0;
	for (int i = 0; i < shape->rank && !ret; i++) {
		bool drop = given ? mask & (1u << i) : shape->dims[i] == 1;

		if (!drop)
			target->dims[target->rank++] = shape->dims[i];
		else if (dimension_is_number(shape->dims[i]) &&
			 shape->dims[i] != 1)
			ret = onnx_invalid(node, "axis %d has length %lld", i,
					   (long long)shape->dims[i]);
	}
	return ret;
}

static int target_unsqueeze(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct graph_shape *shape,
			    struct graph_shape *target)
{
	int64_t axes[GRAPH_MAX_RANK];
	unsigned int mask = 0;
	size_t count;
	int next = 0;
	int ret = onnx_integers_since(context, node, 13, "axes", 1, axes,
				      GRAPH_MAX_RANK, &count);

	if (ret)
		return ret;
	if (count == SIZE_MAX)
		return onnx_invalid(node, "axes are missing");
	target->rank = shape->rank + (int)count;
	if (target->rank > GRAPH_MAX_RANK)
		return onnx_unsupported(node, "more than %d axes",
					GRAPH_MAX_RANK);
	for (size_t i = 0; i < count; i++) {
		int axis = onnx_axis(node, axes[i], target->rank);

		if (axis < 0)
			return axis;
		if (mask & (1u << axis))
			return onnx_invalid(node, "an axis is named twice");
		mask |= 1u << axis;
	}
	for (int i = 0; i < target->rank; i++)
		target->dims[i] = mask & (1u << i) ? 1 : shape->dims[next++];
	return 0;
}

int onnx_reshape_target(struct onnx_context *context,
			const struct onnx_node *node,
			const struct graph_shape *shape,
			struct graph_shape *target)
{
	const char *op = node->proto->op_type;
	int ret;

	memset(target, 0, sizeof(*target));
	if (!strcmp(op, "Reshape"))
		ret = target_reshape(context, node, shape, target);
	else if (!strcmp(op, "Flatten"))
		ret = target_flatten(context, node, shape, target);
	else if (!strcmp(op, "Squeeze"))
		ret = target_squeeze(context, node, shape, target);
	else
		ret = target_unsqueeze(context, node, shape, target);
	for (int i = 0; i < target->rank && !ret; i++)
		if (target->dims[i] == DIMENSION_INVALID)
			ret = onnx_invalid(
				node, "the number of elements of its input "
				      "does not fit the new shape");
	return ret;
}

int onnx_import_reshape(struct onnx_context *context,
			const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);
	struct graph_shape target;
	int parted, ret;

	if (tensor < 0)
		return tensor;
	ret = onnx_reshape_target(context, node, &context->shapes[tensor],
				  &target);
	if (ret)
		return ret;
	parted = onnx_part_steps(context, node, tensor, &target);
	if (parted != GRAPH_NO_TENSOR)
		tensor = parted;
	else
		tensor = onnx_emit_reshape(context, node, tensor, &target,
					   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

int onnx_import_transpose(struct onnx_context *context,
			  const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);
	int perm[GRAPH_MAX_RANK];
	int ret;

	if (tensor < 0)
		return tensor;
	ret = onnx_permutation(node, context->shapes[tensor].rank, perm);
	if (ret)
		return ret;
	tensor = onnx_emit_transpose(context, node, tensor, perm,
				     onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

/* Constants among the inputs become constants of the graph. */
int onnx_import_concat(struct onnx_context *context,
		       const struct onnx_node *node)
{
	struct graph_node concat = { .op = GRAPH_CONCAT };
	size_t count = node->proto->n_input;
	int64_t axis = 0;
	int *inputs;
	int ret;

	ret = onnx_attribute_integer(node, "axis", &axis);
	if (ret)
		return ret;
	inputs = onnx_allocate(context, (int64_t)count, sizeof(*inputs));
	if (!inputs)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		inputs[i] = onnx_input_tensor(context, node, i);
		if (inputs[i] < 0)
			return inputs[i];
	}
	if (!count)
		return onnx_invalid(node, "it has no input");
	if (count == 1)
		return onnx_bind_tensor(context, node, 0, inputs[0]);
	concat.axis = onnx_axis(node, axis, context->shapes[inputs[0]].rank);
	if (concat.axis < 0)
		return concat.axis;
	return onnx_emit_output(context, node, &concat, inputs, (int)count);
}

/* Only where it changes nothing: our operators broadcast by themselves. */
int onnx_import_expand(struct onnx_context *context,
		       const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);
	const struct onnx_value *list =
		tensor < 0 ? NULL : onnx_input_integers(context, node, 1);
	const struct graph_shape *shape;

	if (!list)
		return -EINVAL;
	shape = &context->shapes[tensor];
	for (int64_t i = 1; i <= list->count; i++) {
		int64_t wanted = list->integers[list->count - i];

		if (i > shape->rank ||
		    (wanted != 1 && wanted != shape->dims[shape->rank - i]))
			return onnx_unsupported(node,
						"expanding a computed tensor");
	}
	return onnx_bind_tensor(context, node, 0, tensor);
}

/* ---- Pad ---- */

/* pads[], for each axis before and after; of opset 18 some axes only. */
static int pad_amounts(struct onnx_context *context,
		       const struct onnx_node *node, int rank,
		       int64_t amounts[2][GRAPH_MAX_RANK])
{
	int64_t pads[2 * GRAPH_MAX_RANK], axes[GRAPH_MAX_RANK];
	size_t count, axis_count = SIZE_MAX;
	int ret;

	ret = onnx_integers_since(context, node, 11, "pads", 1, pads,
				  2 * GRAPH_MAX_RANK, &count);
	if (!ret && context->opset >= 18)
		ret = onnx_integers_since(context, node, 18, "axes", 3, axes,
					  GRAPH_MAX_RANK, &axis_count);
	if (ret)
		return ret;
	if (axis_count == SIZE_MAX)
		for (axis_count = 0; axis_count < (size_t)rank; axis_count++)
			axes[axis_count] = (int64_t)axis_count;
	if (count != 2 * axis_count)
		return onnx_invalid(node, "pads do not fit its input's axes");
	memset(amounts, 0, 2 * sizeof(amounts[0]));
	for (size_t i = 0; i < axis_count; i++) {
		int axis = onnx_axis(node, axes[i], rank);

		if (axis < 0)
			return axis;
		amounts[0][axis] = pads[i];
		amounts[1][axis] = pads[i + axis_count];
	}
	return 0;
}

static int pad_value(struct onnx_context *context, const struct onnx_node *node,
		     float *value)
{
	const struct onnx_value *constant;

	*value = 0;
	if (context->opset < 11)
		return onnx_attribute_real(node, "value", value);
	if (!onnx_has_input(node, 2))
		return 0;
	constant = onnx_input_weight(context, node, 2);
	if (!constant)
		return -ENOTSUP;
	if (constant->count != 1)
		return onnx_invalid(node, "its value is not one number");
	*value = constant->reals[0];
	return 0;
}

/* Negative padding takes away. */
static int pad_crop(struct onnx_context *context, const struct onnx_node *node,
		    int tensor, int64_t amounts[2][GRAPH_MAX_RANK])
{
	for (int i = 0; i < context->shapes[tensor].rank; i++) {
		struct graph_node slice = { .op = GRAPH_SLICE };

		if (amounts[0][i] >= 0 && amounts[1][i] >= 0)
			continue;
		slice.slice.axis = i;
		slice.slice.step = 1;
		slice.slice.start = amounts[0][i] < 0 ? -amounts[0][i] : 0;
		slice.slice.end = amounts[1][i] < 0 ? amounts[1][i] :
						      GRAPH_SLICE_END;
		tensor = onnx_emit(context, node, &slice, &tensor, 1,
				   onnx_output_name(node));
		if (tensor < 0)
			return tensor;
		amounts[0][i] = amounts[0][i] < 0 ? 0 : amounts[0][i];
		amounts[1][i] = amounts[1][i] < 0 ? 0 : amounts[1][i];
	}
	return tensor;
}

int onnx_import_pad(struct onnx_context *context, const struct onnx_node *node)
{
	static const char *const modes[] = { "constant", "reflect", "edge",
					     NULL };
	struct graph_node pad = { .op = GRAPH_PAD };
	int64_t amounts[2][GRAPH_MAX_RANK];
	int tensor = onnx_input_tensor(context, node, 0);
	int mode = 0, ret;
	bool any = false;

	if (tensor < 0)
		return tensor;
	ret = onnx_attribute_choice(node, "mode", modes, &mode);
	if (!ret)
		ret = pad_value(context, node, &pad.pad.value);
	if (!ret)
		ret = pad_amounts(context, node, context->shapes[tensor].rank,
				  amounts);
	if (ret)
		return ret;
	tensor = pad_crop(context, node, tensor, amounts);
	if (tensor < 0)
		return tensor;
	pad.pad.mode = (enum graph_pad_mode)mode;
	for (int i = 0; i < GRAPH_MAX_RANK; i++) {
		pad.pad.before[i] = amounts[0][i];
		pad.pad.after[i] = amounts[1][i];
		any |= amounts[0][i] || amounts[1][i];
	}
	if (!any)
		return onnx_bind_tensor(context, node, 0, tensor);
	return onnx_emit_output(context, node, &pad, &tensor, 1);
}
