/* SPDX-License-Identifier: MIT */
/*
 * Before opset 20 GELU is written as x·(1 + erf(x / √2)) / 2, the factor 1/2 before,
 * after or in between. The graph has no erf: from it on a value only remembers x,
 * until the product with x says that it is GELU.
 */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>
#include <string.h>

static int not_gelu(const struct onnx_node *node)
{
	return onnx_unsupported(node, "an error function other than in "
				      "x*(1 + erf(x / sqrt(2)))");
}

/* The x of x·scale, and the scale; the tensor itself and 1 if it is none. */
static int unscaled(const struct graph *graph, int tensor, double *scale)
{
	int producer = graph->tensors[tensor].producer;
	const struct graph_node *node = producer < 0 ? NULL :
						       &graph->nodes[producer];

	*scale = 1;
	if (!node || node->op != GRAPH_AFFINE)
		return tensor;
	for (int i = 1; i < 3; i++)
		if (graph->tensors[node->inputs[i]].shape.dims[0] != 1)
			return tensor;
	if (graph->tensors[node->inputs[2]].data[0] != 0)
		return tensor;
	*scale = (double)graph->tensors[node->inputs[1]].data[0];
	return node->inputs[0];
}

int onnx_import_erf(struct onnx_context *context, const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);
	struct onnx_value value = { .gelu = ONNX_GELU_ERF };
	double scale;

	if (tensor < 0)
		return tensor;
	value.tensor = unscaled(context->graph, tensor, &scale);
	value.shape = context->shapes[value.tensor];
	/* 1/√2 as binary32, or the inverse of √2 as such */
	if (fabs(scale - M_SQRT1_2) > 1e-6)
		return not_gelu(node);
	return onnx_bind_output(context, node, 0, &value);
}

bool onnx_reads_erf(struct onnx_context *context, const struct onnx_node *node)
{
	for (size_t i = 0; i < node->proto->n_input; i++) {
		const struct onnx_value *value =
			onnx_find_value(context, node->proto->input[i]);

		if (value && value->gelu)
			return true;
	}
	return false;
}

static int add_one(struct onnx_context *context, const struct onnx_node *node,
		   const struct onnx_value *erf, const struct onnx_value *other)
{
	struct onnx_value sum = *erf;
	double number;

	if (erf->gelu != ONNX_GELU_ERF || !other->constant ||
	    other->count != 1 ||
	    !onnx_value_number(context, other, 0, &number) || number != 1)
		return not_gelu(node);
	sum.gelu = ONNX_GELU_SUM;
	return onnx_bind_output(context, node, 0, &sum);
}

/* GELU of x, times twice the factor that x already has. */
static int emit_gelu(struct onnx_context *context, const struct onnx_node *node,
		     int x, float factor)
{
	const struct graph_node gelu = { .op = GRAPH_GELU };
	const struct graph_node affine = { .op = GRAPH_AFFINE };
	const float zero = 0;
	int inputs[3];

	inputs[0] =
		onnx_emit(context, node, &gelu, &x, 1, onnx_output_name(node));
	if (inputs[0] < 0 || factor == 1)
		return inputs[0];
	inputs[1] = onnx_add_vector(context, "factor", 1, &factor);
	inputs[2] = onnx_add_vector(context, "zero", 1, &zero);
	if (inputs[1] < 0 || inputs[2] < 0)
		return -ENOMEM;
	return onnx_emit(context, node, &affine, inputs, 3,
			 onnx_output_name(node));
}

/* The sum times x, perhaps half of it, or the sum times 1/2. */
static int multiply(struct onnx_context *context, const struct onnx_node *node,
		    const struct onnx_value *sum, size_t other)
{
	struct onnx_value product = *sum;
	const struct onnx_value *value = onnx_input(context, node, other);
	double number, scale;
	int tensor;

	if (sum->gelu == ONNX_GELU_SUM && value->constant &&
	    value->count == 1 &&
	    onnx_value_number(context, value, 0, &number) && number == 0.5) {
		product.gelu = ONNX_GELU_HALF;
		return onnx_bind_output(context, node, 0, &product);
	}
	tensor = onnx_input_tensor(context, node, other);
	if (tensor < 0)
		return tensor;
	if (tensor == sum->tensor)
		scale = 1;
	else if (unscaled(context->graph, tensor, &scale) != sum->tensor)
		return not_gelu(node);
	if (sum->gelu == ONNX_GELU_SUM)
		scale *= 2;
	tensor = emit_gelu(context, node, sum->tensor, (float)scale);
	return tensor < 0 ? tensor : onnx_bind_tensor(context, node, 0, tensor);
}

int onnx_import_gelu(struct onnx_context *context, const struct onnx_node *node)
{
	const char *op = node->proto->op_type;
	const struct onnx_value *operands[2];
	size_t side;

	if (node->proto->n_input != 2)
		return not_gelu(node);
	for (size_t i = 0; i < 2; i++) {
		operands[i] = onnx_input(context, node, i);
		if (!operands[i])
			return -EINVAL;
	}
	side = operands[0]->gelu ? 0 : 1;
	if (!strcmp(op, "Add"))
		return add_one(context, node, operands[side], operands[!side]);
	if (strcmp(op, "Mul") || operands[side]->gelu == ONNX_GELU_ERF)
		return not_gelu(node);
	return multiply(context, node, operands[side], !side);
}
