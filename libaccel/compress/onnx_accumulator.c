/* SPDX-License-Identifier: MIT */
/*
 * The product with a recurrent layer's inputs lies before its Scan. Until that is
 * reached only the shape is of interest, by which states of zeros are made; Scan
 * finds the weights, and checks what was passed over here.
 */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <string.h>

static int bind_accumulated(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct graph_shape *shape)
{
	const struct onnx_value value = {
		.accumulated = true,
		.tensor = GRAPH_NO_TENSOR,
		.shape = *shape,
	};

	return onnx_bind_output(context, node, 0, &value);
}

int onnx_import_matmul_integer(struct onnx_context *context,
			       const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	const struct onnx_value *weights = x ? onnx_input(context, node, 1) :
					       NULL;
	struct graph_shape shape;

	if (!weights)
		return -EINVAL;
	if (!x->quantized || x->shape.rank < 1 || !weights->constant ||
	    weights->shape.rank != 2)
		return onnx_unsupported(node, "a product other than of a "
					      "quantized tensor and a "
					      "constant matrix");
	shape = x->shape;
	shape.dims[shape.rank - 1] = weights->shape.dims[1];
	return bind_accumulated(context, node, &shape);
}

bool onnx_reads_accumulator(struct onnx_context *context,
			    const struct onnx_node *node)
{
	const char *op = node->proto->op_type;

	if (!strcmp(op, "Shape") || !strcmp(op, "Scan"))
		return false;
	for (size_t i = 0; i < node->proto->n_input; i++) {
		const struct onnx_value *value =
			onnx_find_value(context, node->proto->input[i]);

		if (value && value->accumulated)
			return true;
	}
	return false;
}

static int not_ours(const struct onnx_node *node)
{
	return onnx_unsupported(node, "an integer product outside of the "
				      "recurrent layers that accel exports");
}

/* Bias, conversion and scale leave the shape as it is. */
int onnx_import_accumulated(struct onnx_context *context,
			    const struct onnx_node *node)
{
	const char *op = node->proto->op_type;
	const struct onnx_value *x = onnx_input(context, node, 0);
	const struct onnx_value *row;

	if (!x)
		return -EINVAL;
	if (!strcmp(op, "Cast"))
		return bind_accumulated(context, node, &x->shape);
	if ((strcmp(op, "Add") && strcmp(op, "Mul")) || !x->accumulated)
		return not_ours(node);
	row = onnx_input(context, node, 1);
	if (!row)
		return -EINVAL;
	if (!row->constant || row->shape.rank != 1 ||
	    row->shape.dims[0] != x->shape.dims[x->shape.rank - 1])
		return not_ours(node);
	return bind_accumulated(context, node, &x->shape);
}
