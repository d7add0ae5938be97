/* SPDX-License-Identifier: MIT */
/* What the parts of the float graph's export share; private to export_graph*.c. */
#ifndef COMPRESS_GRAPH_EXPORTER_H
#define COMPRESS_GRAPH_EXPORTER_H

#include <compress/graph.h>
#include <compress/onnx_builder.h>

#define ONNX_TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/**
 * struct graph_exporter - a graph on its way out
 * @builder: the ONNX model so far
 * @graph: what is written
 * @shapes: of all tensors: numbers, or handles of @table
 * @table: dimensions that only the run decides
 * @written: of each constant: is it an initializer already?
 */
struct graph_exporter {
	struct onnx_builder builder;
	const struct graph *graph;
	struct graph_shape *shapes;
	struct dimension_table *table;
	bool *written;
};

/* The name of input i of a node; "" where it is absent. */
const char *export_input(struct graph_exporter *exporter,
			 const struct graph_node *node, int i);

/* The name of output i; "" where it is absent. */
const char *export_output(const struct graph_exporter *exporter,
			  const struct graph_node *node, int i);

/* The shapes of the first input and the first output. */
const struct graph_shape *
export_input_shape(const struct graph_exporter *exporter,
		   const struct graph_node *node);
const struct graph_shape *
export_output_shape(const struct graph_exporter *exporter,
		    const struct graph_node *node);

/*
 * A constant vector such that it broadcasts along an axis of a tensor of a rank; of
 * one element, a scalar.
 */
const char *export_vector(struct graph_exporter *exporter, int tensor, int axis,
			  int rank);

/* Operators, by file. */
typedef void graph_export_function(struct graph_exporter *exporter,
				   const struct graph_node *node);

/* export_graph_linear.c */
graph_export_function export_conv;
graph_export_function export_gemm;
graph_export_function export_graph_recurrent;

/* export_graph_element.c */
graph_export_function export_activation;
graph_export_function export_prelu;
graph_export_function export_affine;
graph_export_function export_pair;

/* export_graph_layout.c */
graph_export_function export_concat;
graph_export_function export_slice;
graph_export_function export_pad;
graph_export_function export_reshape;
graph_export_function export_transpose;
graph_export_function export_depth_to_space;
graph_export_function export_resize;

/* export_graph_pool.c */
graph_export_function export_pool;
graph_export_function export_global_pool;

#endif
