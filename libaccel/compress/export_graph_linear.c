/* SPDX-License-Identifier: MIT */
/* Operators with matrices of weights. */
#include <compress/dimension.h>
#include <compress/graph_exporter.h>

/* ---- convolutions ---- */

/* Does padding that follows from the size follow from what is known? */
static bool is_resolved(const struct graph_exporter *exporter,
			const struct graph_node *node)
{
	const int64_t *size = export_input_shape(exporter, node)->dims + 2;
	const struct graph_conv *conv = &node->conv;

	if (dimension_is_number(size[0]) && dimension_is_number(size[1]))
		return true;
	if (node->op == GRAPH_CONV_TRANSPOSE)
		return !conv->output_size[0];
	return conv->auto_pad == GRAPH_PAD_EXPLICIT ||
	       (conv->stride[0] == 1 && conv->stride[1] == 1);
}

/*
 * In numbers where possible: not every runtime takes SAME together with dilations,
 * or a stride beyond the kernel. More than the taps reach is output padding.
 */
static void write_pads(struct graph_exporter *exporter,
		       const struct graph_node *node, Onnx__NodeProto *proto)
{
	const int64_t *size = export_input_shape(exporter, node)->dims + 2;
	const struct onnx_builder *builder = &exporter->builder;
	int64_t extra[2] = { node->conv.output_padding[0],
			     node->conv.output_padding[1] };
	int64_t pads[4];

	graph_conv_pads(node, dimension_is_number(size[0]) ? size[0] : 1,
			dimension_is_number(size[1]) ? size[1] : 1, pads);
	for (int i = 0; i < 4; i++)
		if (pads[i] < 0) {
			extra[i % 2] -= pads[i];
			pads[i] = 0;
		}
	onnx_ints(builder, proto, "pads", 4, pads);
	if (node->op == GRAPH_CONV_TRANSPOSE)
		onnx_ints(builder, proto, "output_padding", 2, extra);
}

static void write_open_pads(const struct onnx_builder *builder,
			    const struct graph_conv *conv,
			    Onnx__NodeProto *proto, bool transposed)
{
	if (conv->auto_pad != GRAPH_PAD_EXPLICIT)
		onnx_string(builder, proto, "auto_pad",
			    conv->auto_pad == GRAPH_PAD_SAME_UPPER ?
				    "SAME_UPPER" :
				    "SAME_LOWER");
	if (!transposed)
		return;
	onnx_ints(builder, proto, "output_padding", 2, conv->output_padding);
	onnx_ints(builder, proto, "output_shape", 2, conv->output_size);
}

void export_conv(struct graph_exporter *exporter, const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_conv *conv = &node->conv;
	const char *inputs[3] = { export_input(exporter, node, 0),
				  export_input(exporter, node, 1),
				  export_input(exporter, node, 2) };
	Onnx__NodeProto *proto = onnx_node(builder, graph_op_name(node->op),
					   export_output(exporter, node, 0),
					   *inputs[2] ? 3 : 2, inputs);

	onnx_node_name(builder, proto, node->name);
	onnx_ints(builder, proto, "kernel_shape", 2, conv->kernel);
	onnx_ints(builder, proto, "strides", 2, conv->stride);
	onnx_ints(builder, proto, "dilations", 2, conv->dilation);
	onnx_int(builder, proto, "group", conv->group);
	if (is_resolved(exporter, node))
		write_pads(exporter, node, proto);
	else
		write_open_pads(builder, conv, proto,
				node->op == GRAPH_CONV_TRANSPOSE);
}

/* ---- matrices ---- */

/* ONNX's Gemm takes matrices only. */
static void product(struct graph_exporter *exporter,
		    const struct graph_node *node, const char *bias)
{
	const struct onnx_builder *builder = &exporter->builder;
	const char *weight = onnx_name(builder, "transposed");
	const char *y = export_output(exporter, node, 0);
	const char *sum = *bias ? onnx_name(builder, "product") : y;
	static const int64_t swap[2] = { 1, 0 };

	onnx_ints(builder,
		  ONNX_NODE(builder, "Transpose", weight,
			    export_input(exporter, node, 1)),
		  "perm", 2, swap);
	onnx_node_name(builder,
		       ONNX_NODE(builder, "MatMul", sum,
				 export_input(exporter, node, 0), weight),
		       node->name);
	if (*bias)
		ONNX_NODE(builder, "Add", y, sum, bias);
}

void export_gemm(struct graph_exporter *exporter, const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const char *inputs[3] = { export_input(exporter, node, 0),
				  export_input(exporter, node, 1),
				  export_input(exporter, node, 2) };
	Onnx__NodeProto *proto;

	if (export_input_shape(exporter, node)->rank != 2) {
		product(exporter, node, inputs[2]);
		return;
	}
	proto = onnx_node(builder, "Gemm", export_output(exporter, node, 0),
			  *inputs[2] ? 3 : 2, inputs);
	onnx_node_name(builder, proto, node->name);
	onnx_int(builder, proto, "transB", 1);
}

/* ---- recurrent layers ---- */

/* ONNX's [T, D, N, H] as our [T, N, D·H]. */
static void join_directions(struct graph_exporter *exporter,
			    const struct graph_node *node, const char *sequence)
{
	static const int64_t perm[4] = { 0, 2, 1, 3 }, directions[1] = { 1 };
	const int64_t shape[3] = { 0, 0, 2 * node->recurrent.hidden };
	const struct onnx_builder *builder = &exporter->builder;
	const char *y = export_output(exporter, node, 0);
	const char *turned = onnx_name(builder, "turned");

	if (node->recurrent.direction != GRAPH_BIDIRECTIONAL) {
		ONNX_NODE(builder, "Squeeze", y, sequence,
			  onnx_vector_i64(builder, 1, directions));
		return;
	}
	onnx_ints(builder, ONNX_NODE(builder, "Transpose", turned, sequence),
		  "perm", 4, perm);
	ONNX_NODE(builder, "Reshape", y, turned,
		  onnx_vector_i64(builder, 3, shape));
}

void export_graph_recurrent(struct graph_exporter *exporter,
			    const struct graph_node *node)
{
	static const char *const directions[] = {
		[GRAPH_FORWARD] = "forward",
		[GRAPH_REVERSE] = "reverse",
		[GRAPH_BIDIRECTIONAL] = "bidirectional",
	};
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_recurrent *recurrent = &node->recurrent;
	bool lstm = node->op == GRAPH_LSTM;
	bool wanted = *export_output(exporter, node, 0);
	const char *sequence = wanted ? onnx_name(builder, "sequence") : "";
	const char *inputs[7];
	Onnx__NodeProto *proto;

	/* theirs: the lengths of the sequences come before the states */
	for (int i = 0; i < 7; i++)
		inputs[i] = i == 4 ? "" :
				     export_input(exporter, node, i - (i > 4));
	proto = onnx_node(builder, graph_op_name(node->op), sequence,
			  lstm ? 7 : 6, inputs);
	onnx_node_name(builder, proto, node->name);
	for (int i = 1; i < (lstm ? 3 : 2); i++)
		onnx_add_output(builder, proto,
				export_output(exporter, node, i));
	onnx_int(builder, proto, "hidden_size", recurrent->hidden);
	onnx_string(builder, proto, "direction",
		    directions[recurrent->direction]);
	if (!lstm)
		onnx_int(builder, proto, "linear_before_reset",
			 recurrent->linear_before_reset);
	if (wanted)
		join_directions(exporter, node, sequence);
}
