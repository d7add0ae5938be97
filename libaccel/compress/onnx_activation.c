/* SPDX-License-Identifier: MIT */
/* Functions of one element, and operators that do nothing in inference. */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>
#include <string.h>

/* Activations without inputs beside x, and their attributes' defaults. */
static const struct {
	const char *name;
	enum graph_op op;
	float alpha;
	float beta;
} activations[] = {
	{ "Relu", GRAPH_RELU, 0, 0 },
	{ "LeakyRelu", GRAPH_LEAKY_RELU, 0.01f, 0 },
	{ "Sigmoid", GRAPH_SIGMOID, 0, 0 },
	{ "Tanh", GRAPH_TANH, 0, 0 },
	{ "HardSigmoid", GRAPH_HARD_SIGMOID, 0.2f, 0.5f },
	{ "HardSwish", GRAPH_HARD_SWISH, 0, 0 },
	{ "Elu", GRAPH_ELU, 1, 0 },
	{ "Softplus", GRAPH_SOFTPLUS, 0, 0 },
	{ "Gelu", GRAPH_GELU, 0, 0 },
	{ "Exp", GRAPH_EXP, 0, 0 },
	{ "Abs", GRAPH_ABS, 0, 0 },
};

int onnx_import_activation(struct onnx_context *context,
			   const struct onnx_node *node)
{
	static const char *const approximations[] = { "none", NULL };
	struct graph_node activation = { 0 };
	int tensor = onnx_input_tensor(context, node, 0);
	int ignored = 0, ret;
	size_t i = 0;

	if (tensor < 0)
		return tensor;
	while (strcmp(activations[i].name, node->proto->op_type))
		i++;
	activation.op = activations[i].op;
	activation.unary.alpha = activations[i].alpha;
	activation.unary.beta = activations[i].beta;
	ret = onnx_attribute_real(node, "alpha", &activation.unary.alpha);
	if (!ret)
		ret = onnx_attribute_real(node, "beta", &activation.unary.beta);
	if (!ret)
		ret = onnx_attribute_choice(node, "approximate", approximations,
					    &ignored);
	if (ret)
		return ret;
	if (!isfinite(activation.unary.alpha) ||
	    !isfinite(activation.unary.beta))
		return onnx_invalid(node, "alpha or beta is not finite");
	return onnx_emit_output(context, node, &activation, &tensor, 1);
}

/* A bound that is a constant number; left alone if it is absent. */
static int bound_read(struct onnx_context *context,
		      const struct onnx_node *node, const char *name,
		      size_t input, float *bound)
{
	const struct onnx_value *value;

	if (context->opset < 11)
		return onnx_attribute_real(node, name, bound);
	if (!onnx_has_input(node, input))
		return 0;
	value = onnx_input_weight(context, node, input);
	if (!value)
		return -ENOTSUP;
	if (value->count != 1)
		return onnx_unsupported(node, "bounds that are not one number");
	*bound = value->reals[0];
	return 0;
}

/* Clip to [0, ∞) is how some exporters write Relu. */
int onnx_import_clip(struct onnx_context *context, const struct onnx_node *node)
{
	struct graph_node clip = { .op = GRAPH_CLIP };
	int tensor = onnx_input_tensor(context, node, 0);
	int ret;

	if (tensor < 0)
		return tensor;
	clip.unary.low = -INFINITY;
	clip.unary.high = INFINITY;
	ret = bound_read(context, node, "min", 1, &clip.unary.low);
	if (!ret)
		ret = bound_read(context, node, "max", 2, &clip.unary.high);
	if (ret)
		return ret;
	if (!(clip.unary.low <= clip.unary.high))
		return onnx_invalid(node, "min %g is above max %g",
				    (double)clip.unary.low,
				    (double)clip.unary.high);
	if (isinf(clip.unary.low) && isinf(clip.unary.high))
		return onnx_import_pass_through(context, node);
	if (clip.unary.low == 0 && isinf(clip.unary.high))
		clip.op = GRAPH_RELU;
	return onnx_emit_output(context, node, &clip, &tensor, 1);
}

/* The slope broadcasts like any operand; what is allowed is one axis of it. */
int onnx_import_prelu(struct onnx_context *context,
		      const struct onnx_node *node)
{
	struct graph_node prelu = { .op = GRAPH_PRELU };
	const struct onnx_value *slope;
	int inputs[2], rank, axis = -1;

	inputs[0] = onnx_input_tensor(context, node, 0);
	if (inputs[0] < 0)
		return inputs[0];
	slope = onnx_input_weight(context, node, 1);
	if (!slope)
		return -ENOTSUP;
	rank = context->shapes[inputs[0]].rank;
	for (int i = 0; i < slope->shape.rank; i++) {
		if (slope->shape.dims[i] == 1)
			continue;
		if (axis >= 0)
			return onnx_unsupported(node, "a slope that varies "
						      "along several axes");
		axis = i + rank - slope->shape.rank;
	}
	if (slope->shape.rank > rank)
		return onnx_invalid(node, "its slope has too many axes");
	prelu.axis = axis < 0 ? 0 : axis;
	inputs[1] = onnx_add_vector(context, slope->name, slope->count,
				    slope->reals);
	if (inputs[1] < 0)
		return inputs[1];
	return onnx_emit_output(context, node, &prelu, inputs, 2);
}

/* Identity, and Dropout in inference. */
int onnx_import_pass_through(struct onnx_context *context,
			     const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);

	if (!x)
		return -EINVAL;
	return onnx_bind_output(context, node, 0, x);
}

/* Between real types only: all our values are binary32. */
int onnx_import_cast(struct onnx_context *context, const struct onnx_node *node)
{
	int64_t to = 0;
	int ret = onnx_attribute_integer(node, "to", &to);

	if (ret)
		return ret;
	if (to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT &&
	    to != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
	    to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 &&
	    to != ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16)
		return onnx_unsupported(node,
					"computed tensors of integer type");
	return onnx_import_pass_through(context, node);
}
