/* SPDX-License-Identifier: MIT */
#include <compress/dimension.h>
#include <compress/graph_exporter.h>

/*
 * SAME in numbers where the size is known: not every runtime takes it together with
 * dilations, or a stride beyond the kernel. ceil_mode has no say in it.
 */
static void write_pads(struct graph_exporter *exporter,
		       const struct graph_node *node, Onnx__NodeProto *proto)
{
	const int64_t *size = export_input_shape(exporter, node)->dims + 2;
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_pool *pool = &node->pool;
	bool same = pool->auto_pad != GRAPH_PAD_EXPLICIT;
	bool known = dimension_is_number(size[0]) &&
		     dimension_is_number(size[1]);
	int64_t pads[4];

	if (same && !known) {
		onnx_string(builder, proto, "auto_pad",
			    pool->auto_pad == GRAPH_PAD_SAME_UPPER ?
				    "SAME_UPPER" :
				    "SAME_LOWER");
		return;
	}
	graph_pool_pads(node, size[0], size[1], pads);
	onnx_ints(builder, proto, "pads", 4, pads);
	onnx_int(builder, proto, "ceil_mode", !same && pool->ceil_mode);
}

void export_pool(struct graph_exporter *exporter, const struct graph_node *node)
{
	const struct onnx_builder *builder = &exporter->builder;
	const struct graph_pool *pool = &node->pool;
	Onnx__NodeProto *proto = ONNX_NODE(builder, graph_op_name(node->op),
					   export_output(exporter, node, 0),
					   export_input(exporter, node, 0));

	onnx_node_name(builder, proto, node->name);
	onnx_ints(builder, proto, "kernel_shape", 2, pool->kernel);
	onnx_ints(builder, proto, "strides", 2, pool->stride);
	write_pads(exporter, node, proto);
	/* an average's dilations, all 1, came with opset 19 */
	if (node->op == GRAPH_MAX_POOL)
		onnx_ints(builder, proto, "dilations", 2, pool->dilation);
	else
		onnx_int(builder, proto, "count_include_pad",
			 pool->count_include_pad);
}

void export_global_pool(struct graph_exporter *exporter,
			const struct graph_node *node)
{
	ONNX_NODE(&exporter->builder, "GlobalAveragePool",
		  export_output(exporter, node, 0),
		  export_input(exporter, node, 0));
}
