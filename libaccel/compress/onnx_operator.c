/* SPDX-License-Identifier: MIT */
/*
 * The table of what is supported. A node whose inputs are constants or shapes is
 * computed at once; that is how the arithmetic on sizes disappears that exporters
 * write around Reshape and Resize.
 */
#include <compress/onnx_operator.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * import makes nodes of the graph, or constants of shapes; fold makes a constant
 * when all inputs are. Names in the order in which messages list them.
 */
static const struct onnx_operator {
	const char *name;
	onnx_operator_function *import;
	onnx_operator_function *fold;
} operators[] = {
	{ "Abs", onnx_import_activation, onnx_fold_unary },
	{ "Add", onnx_import_arithmetic, onnx_fold_binary },
	{ "And", NULL, onnx_fold_binary },
	{ "AveragePool", onnx_import_pool, NULL },
	{ "BatchNormalization", onnx_import_batch_normalization, NULL },
	{ "Cast", onnx_import_cast, onnx_fold_cast },
	{ "Ceil", NULL, onnx_fold_unary },
	{ "Clip", onnx_import_clip, NULL },
	{ "Concat", onnx_import_concat, onnx_fold_concat },
	{ "Constant", onnx_import_constant, onnx_import_constant },
	{ "ConstantOfShape", NULL, onnx_fold_constant_of_shape },
	{ "Conv", onnx_import_conv, NULL },
	{ "ConvTranspose", onnx_import_conv_transpose, NULL },
	{ "DepthToSpace", onnx_import_depth_to_space, NULL },
	{ "DequantizeLinear", onnx_import_dequantize, onnx_fold_dequantize },
	{ "Div", onnx_import_arithmetic, onnx_fold_binary },
	{ "Dropout", onnx_import_pass_through, onnx_fold_pass_through },
	{ "Elu", onnx_import_activation, NULL },
	{ "Equal", NULL, onnx_fold_binary },
	{ "Erf", onnx_import_erf, NULL },
	{ "Exp", onnx_import_activation, onnx_fold_unary },
	{ "Expand", onnx_import_expand, onnx_fold_expand },
	{ "Flatten", onnx_import_reshape, onnx_fold_reshape },
	{ "Floor", NULL, onnx_fold_unary },
	{ "GRU", onnx_import_gru, NULL },
	{ "Gather", onnx_import_gather, onnx_fold_gather },
	{ "Gelu", onnx_import_activation, NULL },
	{ "Gemm", onnx_import_gemm, NULL },
	{ "GlobalAveragePool", onnx_import_global_average, NULL },
	{ "Greater", NULL, onnx_fold_binary },
	{ "HardSigmoid", onnx_import_activation, NULL },
	{ "HardSwish", onnx_import_activation, NULL },
	{ "Identity", onnx_import_pass_through, onnx_fold_pass_through },
	{ "LSTM", onnx_import_lstm, NULL },
	{ "LeakyRelu", onnx_import_activation, NULL },
	{ "Less", NULL, onnx_fold_binary },
	{ "MatMul", onnx_import_matmul, onnx_fold_matmul },
	{ "MatMulInteger", onnx_import_matmul_integer, NULL },
	{ "Max", onnx_import_bound, onnx_fold_binary },
	{ "MaxPool", onnx_import_pool, NULL },
	{ "Min", onnx_import_bound, onnx_fold_binary },
	{ "Mul", onnx_import_arithmetic, onnx_fold_binary },
	{ "Neg", onnx_import_negate, onnx_fold_unary },
	{ "Not", NULL, onnx_fold_unary },
	{ "Or", NULL, onnx_fold_binary },
	{ "PRelu", onnx_import_prelu, NULL },
	{ "Pad", onnx_import_pad, NULL },
	{ "Pow", onnx_import_power, onnx_fold_binary },
	{ "QuantizeLinear", onnx_import_quantize, onnx_fold_quantize },
	{ "Range", NULL, onnx_fold_range },
	{ "Reciprocal", NULL, onnx_fold_unary },
	{ "ReduceMean", onnx_import_mean, NULL },
	{ "ReduceProd", NULL, onnx_fold_reduce },
	{ "ReduceSum", NULL, onnx_fold_reduce },
	{ "Relu", onnx_import_activation, NULL },
	{ "Reshape", onnx_import_reshape, onnx_fold_reshape },
	{ "Resize", onnx_import_resize, NULL },
	{ "Round", NULL, onnx_fold_unary },
	{ "Scan", onnx_import_scan, NULL },
	{ "Shape", onnx_import_shape, onnx_import_shape },
	{ "Sigmoid", onnx_import_activation, NULL },
	{ "Size", onnx_import_size, onnx_import_size },
	{ "Slice", onnx_import_slice, onnx_fold_slice },
	{ "Softplus", onnx_import_activation, NULL },
	{ "SpaceToDepth", onnx_import_space_to_depth, NULL },
	{ "Split", onnx_import_split, onnx_fold_split },
	{ "Sqrt", NULL, onnx_fold_unary },
	{ "Squeeze", onnx_import_reshape, onnx_fold_reshape },
	{ "Sub", onnx_import_arithmetic, onnx_fold_binary },
	{ "Sum", onnx_import_arithmetic, onnx_fold_binary },
	{ "Tanh", onnx_import_activation, NULL },
	{ "Transpose", onnx_import_transpose, onnx_fold_transpose },
	{ "Unsqueeze", onnx_import_reshape, onnx_fold_reshape },
	{ "Upsample", onnx_import_resize, NULL },
	{ "Where", NULL, onnx_fold_where },
};

#define OPERATOR_COUNT (sizeof(operators) / sizeof(*operators))

static const struct onnx_operator *operator_find(const char *name)
{
	for (size_t i = 0; i < OPERATOR_COUNT; i++)
		if (!strcmp(operators[i].name, name))
			return &operators[i];
	return NULL;
}

static bool domain_is_onnx(const char *domain)
{
	return !domain || !*domain || !strcmp(domain, "ai.onnx");
}

static int unknown_operator(const struct onnx_node *node)
{
	const char *domain = node->proto->domain;
	char list[900] = "";
	size_t used = 0;

	for (size_t i = 0; i < OPERATOR_COUNT && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 i ? ", %s" : "%s", operators[i].name);
	if (!domain_is_onnx(domain))
		return accel_error(-ENOTSUP,
				   "%s: operator %.60s of domain %.60s is not "
				   "supported; supported are %s",
				   node->name, node->proto->op_type, domain,
				   list);
	return accel_error(-ENOTSUP,
			   "%s: operator %.60s is not supported; supported are "
			   "%s",
			   node->name, node->proto->op_type, list);
}

static bool inputs_are_constant(struct onnx_context *context,
				const struct onnx_node *node)
{
	for (size_t i = 0; i < node->proto->n_input; i++) {
		const struct onnx_value *value;

		if (!onnx_has_input(node, i))
			continue;
		value = onnx_find_value(context, node->proto->input[i]);
		if (!value || !value->constant)
			return false;
	}
	return true;
}

int onnx_import_node(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_operator *found = operator_find(node->proto->op_type);

	if (!found || !domain_is_onnx(node->proto->domain))
		return unknown_operator(node);
	if (found->fold && inputs_are_constant(context, node))
		return found->fold(context, node);
	if (onnx_reads_accumulator(context, node))
		return onnx_import_accumulated(context, node);
	if (onnx_reads_erf(context, node))
		return onnx_import_gelu(context, node);
	if (!found->import)
		return onnx_unsupported(node, "inputs that are computed from "
					      "the data, not from shapes");
	return found->import(context, node);
}
