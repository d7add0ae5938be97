/* SPDX-License-Identifier: MIT */
/* Add, Sub, Mul, Div and their like, where an operand at least is computed. */
#include <compress/graph_shape.h>
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum arithmetic { ADD, SUBTRACT, MULTIPLY, DIVIDE };

static enum arithmetic arithmetic_of(const struct onnx_node *node)
{
	const char *op = node->proto->op_type;

	if (!strcmp(op, "Sub"))
		return SUBTRACT;
	if (!strcmp(op, "Mul"))
		return MULTIPLY;
	return !strcmp(op, "Div") ? DIVIDE : ADD;
}

/*
 * The axis of x along which a constant varies: 0 for a single number, -1 if it
 * varies along several, or makes the result larger than x.
 */
static int constant_axis(const struct onnx_value *constant,
			 const struct graph_shape *x)
{
	int axis = -1;

	if (constant->shape.rank > x->rank)
		return -1;
	if (constant->splat || constant->count == 1)
		return 0;
	for (int i = 0; i < constant->shape.rank; i++) {
		int at = i + x->rank - constant->shape.rank;

		if (constant->shape.dims[i] == 1)
			continue;
		if (axis >= 0 || constant->shape.dims[i] != x->dims[at])
			return -1;
		axis = at;
	}
	return axis;
}

/* x·scale + shift for x ∘ c, or c ∘ x if reversed. */
static int factors(enum arithmetic arithmetic, bool reversed, float c,
		   float *scale, float *shift)
{
	*scale = 1;
	*shift = 0;
	switch (arithmetic) {
	case ADD:
		*shift = c;
		return 0;
	case SUBTRACT:
		*scale = reversed ? -1 : 1;
		*shift = reversed ? c : -c;
		return 0;
	case MULTIPLY:
		*scale = c;
		return 0;
	default:
		*scale = 1 / c;
		return reversed || !isfinite(*scale) ? -EINVAL : 0;
	}
}

static int emit_affine(struct onnx_context *context,
		       const struct onnx_node *node, int tensor, int axis,
		       int64_t count, const float *scale, const float *shift,
		       const char *name)
{
	struct graph_node affine = { .op = GRAPH_AFFINE, .axis = axis };
	int inputs[3] = { tensor,
			  onnx_add_vector(context, "scale", count, scale),
			  onnx_add_vector(context, "shift", count, shift) };

	if (inputs[1] < 0 || inputs[2] < 0)
		return -ENOMEM;
	return onnx_emit(context, node, &affine, inputs, 3, name);
}

static int import_affine(struct onnx_context *context,
			 const struct onnx_node *node, int tensor,
			 const struct onnx_value *constant, bool reversed)
{
	enum arithmetic arithmetic = arithmetic_of(node);
	int axis = constant_axis(constant, &context->shapes[tensor]);
	int64_t count = constant->splat ? 1 : constant->count;
	float *scale = onnx_allocate(context, count, sizeof(*scale));
	float *shift = onnx_allocate(context, count, sizeof(*shift));

	if (!scale || !shift)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i++) {
		double c;

		if (!onnx_value_number(context, constant, i, &c))
			return onnx_unsupported(
				node, "a factor that follows from the size of "
				      "the input");
		if (factors(arithmetic, reversed, (float)c, &scale[i],
			    &shift[i]))
			return onnx_unsupported(
				node, "division by zero or by a computed "
				      "tensor");
	}
	tensor = emit_affine(context, node, tensor, axis, count, scale, shift,
			     onnx_output_name(node));
	return tensor < 0 ? tensor : onnx_bind_tensor(context, node, 0, tensor);
}

static int emit_negative(struct onnx_context *context,
			 const struct onnx_node *node, int tensor)
{
	const float minus = -1, zero = 0;

	return emit_affine(context, node, tensor, 0, 1, &minus, &zero,
			   onnx_output_name(node));
}

static int import_two(struct onnx_context *context,
		      const struct onnx_node *node)
{
	enum arithmetic arithmetic = arithmetic_of(node);
	struct graph_node template = { .op = arithmetic == MULTIPLY ?
						     GRAPH_MULTIPLY :
						     GRAPH_ADD };
	int inputs[2];

	if (arithmetic == DIVIDE)
		return onnx_unsupported(node, "division by anything but a "
					      "constant along one axis");
	for (size_t i = 0; i < 2; i++) {
		inputs[i] = onnx_input_tensor(context, node, i);
		if (inputs[i] < 0)
			return inputs[i];
	}
	if (arithmetic == SUBTRACT)
		inputs[1] = emit_negative(context, node, inputs[1]);
	if (inputs[1] < 0)
		return inputs[1];
	return onnx_emit_output(context, node, &template, inputs, 2);
}

int onnx_import_arithmetic(struct onnx_context *context,
			   const struct onnx_node *node)
{
	if (node->proto->n_input != 2)
		return onnx_unsupported(node, "other than two inputs");
	for (size_t i = 0; i < 2; i++) {
		struct onnx_value *constant = onnx_input(context, node, i);
		const struct onnx_value *x =
			constant ? onnx_input(context, node, 1 - i) : NULL;
		int tensor;

		if (!x)
			return -EINVAL;
		if (!constant->constant || x->constant ||
		    constant_axis(constant, &x->shape) < 0)
			continue;
		tensor = onnx_input_tensor(context, node, 1 - i);
		if (tensor < 0)
			return tensor;
		return import_affine(context, node, tensor, constant, !i);
	}
	return import_two(context, node);
}

int onnx_import_negate(struct onnx_context *context,
		       const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);

	if (tensor < 0)
		return tensor;
	tensor = emit_negative(context, node, tensor);
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

/* Min and Max of a tensor and a number are half a Clip. */
int onnx_import_bound(struct onnx_context *context,
		      const struct onnx_node *node)
{
	bool min = !strcmp(node->proto->op_type, "Min");
	struct graph_node clip = { .op = GRAPH_CLIP };
	const struct onnx_value *constant;
	int tensor, side;
	double bound;

	if (node->proto->n_input != 2 || !onnx_input(context, node, 0) ||
	    !onnx_input(context, node, 1))
		return onnx_unsupported(node, "other than two inputs");
	side = onnx_input(context, node, 0)->constant ? 0 : 1;
	constant = onnx_input(context, node, (size_t)side);
	tensor = onnx_input_tensor(context, node, (size_t)!side);
	if (tensor < 0)
		return tensor;
	if (!constant->constant || constant->count != 1 ||
	    constant->shape.rank > context->shapes[tensor].rank ||
	    !onnx_value_number(context, constant, 0, &bound))
		return onnx_unsupported(node, "other than a tensor and one "
					      "number");
	clip.unary.low = min ? -INFINITY : (float)bound;
	clip.unary.high = min ? (float)bound : INFINITY;
	if (!min && bound == 0)
		clip.op = GRAPH_RELU;
	return onnx_emit_output(context, node, &clip, &tensor, 1);
}

/* x to the power of 2 is x·x. */
int onnx_import_power(struct onnx_context *context,
		      const struct onnx_node *node)
{
	struct graph_node product = { .op = GRAPH_MULTIPLY };
	int tensor = onnx_input_tensor(context, node, 0);
	const struct onnx_value *exponent =
		tensor < 0 ? NULL : onnx_input(context, node, 1);
	int inputs[2] = { tensor, tensor };
	double number;

	if (!exponent)
		return -EINVAL;
	if (!exponent->constant || exponent->count != 1 ||
	    !onnx_value_number(context, exponent, 0, &number) || number != 2)
		return onnx_unsupported(node, "exponents other than 2");
	return onnx_emit_output(context, node, &product, inputs, 2);
}
