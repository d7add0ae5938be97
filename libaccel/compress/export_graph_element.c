/* SPDX-License-Identifier: MIT */
/* Operators on elements, alone and in pairs. */
#include <compress/graph_exporter.h>
#include <compress/onnx_expression.h>

void export_activation(struct graph_exporter *exporter,
		       const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_unary *unary = &node->unary;
	const char *x = export_input(exporter, node, 0);
	const char *y = export_output(exporter, node, 0);

	switch (node->op) {
	case GRAPH_LEAKY_RELU:
		onnx_leaky_relu(builder, x, unary->alpha, y);
		break;
	case GRAPH_CLIP:
		onnx_clip(builder, x, unary->low, unary->high, y);
		break;
	case GRAPH_HARD_SIGMOID:
		onnx_hard_sigmoid(builder, x, unary->alpha, unary->beta, y);
		break;
	case GRAPH_HARD_SWISH:
		onnx_hard_swish(builder, x, y);
		break;
	case GRAPH_ELU:
		onnx_elu(builder, x, unary->alpha, y);
		break;
	case GRAPH_SILU:
		onnx_silu(builder, x, y);
		break;
	case GRAPH_GELU:
		onnx_gelu(builder, x, y);
		break;
	default:
		ONNX_NODE(builder, graph_op_name(node->op), y, x);
	}
}

void export_prelu(struct graph_exporter *exporter,
		  const struct graph_node *node)
{
	int rank = export_input_shape(exporter, node)->rank;

	ONNX_NODE(&exporter->builder, "PRelu", export_output(exporter, node, 0),
		  export_input(exporter, node, 0),
		  export_vector(exporter, node->inputs[1], node->axis, rank));
}

void export_pair(struct graph_exporter *exporter, const struct graph_node *node)
{
	ONNX_NODE(&exporter->builder, graph_op_name(node->op),
		  export_output(exporter, node, 0),
		  export_input(exporter, node, 0),
		  export_input(exporter, node, 1));
}

static bool all_are(const struct graph *graph, int tensor, float value)
{
	for (int64_t i = 0; i < graph->tensors[tensor].shape.dims[0]; i++)
		if (graph->tensors[tensor].data[i] != value)
			return false;
	return true;
}

/* A product and a sum, of which one may do nothing. */
void export_affine(struct graph_exporter *exporter,
		   const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	int rank = export_input_shape(exporter, node)->rank;
	bool scales = !all_are(exporter->graph, node->inputs[1], 1);
	bool shifts = !all_are(exporter->graph, node->inputs[2], 0);
	const char *x = export_input(exporter, node, 0);
	const char *y = export_output(exporter, node, 0);
	const char *scaled = shifts ? onnx_name(builder, "scaled") : y;

	if (scales)
		ONNX_NODE(builder, "Mul", scaled, x,
			  export_vector(exporter, node->inputs[1], node->axis,
					rank));
	if (shifts)
		ONNX_NODE(builder, "Add", y, scales ? scaled : x,
			  export_vector(exporter, node->inputs[2], node->axis,
					rank));
	if (!scales && !shifts)
		ONNX_NODE(builder, "Identity", y, x);
}
