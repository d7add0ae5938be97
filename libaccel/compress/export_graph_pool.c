/* SPDX-License-Identifier: MIT */
#include <compress/graph_exporter.h>

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
	if (pool->auto_pad == GRAPH_PAD_EXPLICIT)
		onnx_ints(builder, proto, "pads", 4, pool->pads);
	else
		onnx_string(builder, proto, "auto_pad",
			    pool->auto_pad == GRAPH_PAD_SAME_UPPER ?
				    "SAME_UPPER" :
				    "SAME_LOWER");
	onnx_int(builder, proto, "ceil_mode", pool->ceil_mode);
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
