/* SPDX-License-Identifier: MIT */
/*
 * Most operators are one of ONNX's. Where several nodes are needed they are those that
 * exporters write, which the importer's passes turn into one again.
 */
#include <compress/export_graph.h>
#include <compress/graph_exporter.h>
#include <compress/graph_shape.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- values ---- */

static void write_constant(struct graph_exporter *exporter, int number)
{
	const struct graph_tensor *tensor = &exporter->graph->tensors[number];
	const struct onnx_values values = {
		ONNX_TYPE(FLOAT), (size_t)tensor->shape.rank,
		tensor->shape.dims, tensor->data,
		(size_t)graph_shape_count(&tensor->shape) * sizeof(float)
	};

	if (exporter->written[number])
		return;
	exporter->written[number] = true;
	onnx_initializer(&exporter->builder, tensor->name, &values);
}

const char *export_input(struct graph_exporter *exporter,
			 const struct graph_node *node, int i)
{
	int tensor = i < node->input_count ? node->inputs[i] : GRAPH_NO_TENSOR;

	if (tensor == GRAPH_NO_TENSOR)
		return "";
	if (graph_tensor_is_constant(exporter->graph, tensor))
		write_constant(exporter, tensor);
	return exporter->graph->tensors[tensor].name;
}

const char *export_output(const struct graph_exporter *exporter,
			  const struct graph_node *node, int i)
{
	int tensor = i < node->output_count ? node->outputs[i] :
					      GRAPH_NO_TENSOR;

	return tensor == GRAPH_NO_TENSOR ?
		       "" :
		       exporter->graph->tensors[tensor].name;
}

const struct graph_shape *
export_input_shape(const struct graph_exporter *exporter,
		   const struct graph_node *node)
{
	return &exporter->shapes[node->inputs[0]];
}

const struct graph_shape *
export_output_shape(const struct graph_exporter *exporter,
		    const struct graph_node *node)
{
	return &exporter->shapes[node->outputs[0]];
}

const char *export_vector(struct graph_exporter *exporter, int number, int axis,
			  int rank)
{
	const struct graph_tensor *tensor = &exporter->graph->tensors[number];
	int64_t dims[GRAPH_MAX_RANK] = {
		tensor->shape.dims[0], 1, 1, 1, 1, 1, 1, 1
	};
	size_t count = (size_t)tensor->shape.dims[0];
	struct onnx_values values = { ONNX_TYPE(FLOAT),
				      count == 1 ? 0 : (size_t)(rank - axis),
				      dims, tensor->data,
				      count * sizeof(float) };

	return onnx_constant(&exporter->builder, tensor->name, &values);
}

/* ---- nodes ---- */

static graph_export_function *const operators[GRAPH_OP_COUNT] = {
	[GRAPH_CONV] = export_conv,
	[GRAPH_CONV_TRANSPOSE] = export_conv,
	[GRAPH_GEMM] = export_gemm,
	[GRAPH_RELU] = export_activation,
	[GRAPH_LEAKY_RELU] = export_activation,
	[GRAPH_PRELU] = export_prelu,
	[GRAPH_CLIP] = export_activation,
	[GRAPH_SIGMOID] = export_activation,
	[GRAPH_TANH] = export_activation,
	[GRAPH_HARD_SIGMOID] = export_activation,
	[GRAPH_HARD_SWISH] = export_activation,
	[GRAPH_ELU] = export_activation,
	[GRAPH_SOFTPLUS] = export_activation,
	[GRAPH_SILU] = export_activation,
	[GRAPH_GELU] = export_activation,
	[GRAPH_EXP] = export_activation,
	[GRAPH_ABS] = export_activation,
	[GRAPH_ADD] = export_pair,
	[GRAPH_MULTIPLY] = export_pair,
	[GRAPH_AFFINE] = export_affine,
	[GRAPH_CONCAT] = export_concat,
	[GRAPH_SLICE] = export_slice,
	[GRAPH_PAD] = export_pad,
	[GRAPH_RESHAPE] = export_reshape,
	[GRAPH_TRANSPOSE] = export_transpose,
	[GRAPH_DEPTH_TO_SPACE] = export_depth_to_space,
	[GRAPH_RESIZE_NEAREST] = export_resize,
	[GRAPH_MAX_POOL] = export_pool,
	[GRAPH_AVERAGE_POOL] = export_pool,
	[GRAPH_GLOBAL_AVERAGE_POOL] = export_global_pool,
	[GRAPH_LSTM] = export_graph_recurrent,
	[GRAPH_GRU] = export_graph_recurrent,
};

/* ---- ports ---- */

/* The symbol of an input's dimension, which may not have been named. */
static const char *input_symbol(const struct graph_tensor *tensor, int axis,
				char made_up[64])
{
	if (tensor->symbols[axis] && *tensor->symbols[axis])
		return tensor->symbols[axis];
	snprintf(made_up, 64, "%.48s_%d", tensor->name, axis);
	return made_up;
}

/* The symbol of an output's dimension: an input's that is always the same. */
static const char *output_symbol(const struct graph_exporter *exporter,
				 const struct graph_tensor *output, int axis,
				 int64_t dimension, char made_up[64])
{
	const struct graph *graph = exporter->graph;

	for (int i = 0; i < graph->input_count; i++) {
		const struct graph_shape *shape =
			&exporter->shapes[graph->inputs[i]];

		for (int j = 0; j < shape->rank; j++)
			if (shape->dims[j] == dimension)
				return input_symbol(
					&graph->tensors[graph->inputs[i]], j,
					made_up);
	}
	snprintf(made_up, 64, "%.48s_%d", output->name, axis);
	return made_up;
}

static void write_port(struct graph_exporter *exporter, int number, bool output)
{
	const struct graph_tensor *tensor = &exporter->graph->tensors[number];
	const struct graph_shape *shape = &exporter->shapes[number];
	char made_up[GRAPH_MAX_RANK][64];
	const char *symbols[GRAPH_MAX_RANK];
	int64_t dims[GRAPH_MAX_RANK];

	for (int i = 0; i < shape->rank; i++) {
		bool known = dimension_is_number(shape->dims[i]);

		dims[i] = known ? shape->dims[i] : -1;
		symbols[i] = known ? NULL :
			     output ?
				     output_symbol(exporter, tensor, i,
						   shape->dims[i], made_up[i]) :
				     input_symbol(tensor, i, made_up[i]);
	}
	onnx_port(&exporter->builder, output, tensor->name, ONNX_TYPE(FLOAT),
		  (size_t)shape->rank, dims, symbols);
}

/* ---- shapes ---- */

static void name_dimensions(struct graph_exporter *exporter, int input)
{
	const struct graph_tensor *tensor = &exporter->graph->tensors[input];
	struct graph_shape *shape = &exporter->shapes[input];
	char made_up[64];

	for (int i = 0; i < shape->rank; i++)
		if (shape->dims[i] == GRAPH_DIM_DYNAMIC)
			shape->dims[i] = dimension_symbol(
				exporter->table,
				input_symbol(tensor, i, made_up));
}

/* What is known of every shape before the run. */
static int find_shapes(struct graph_exporter *exporter)
{
	const struct graph *graph = exporter->graph;
	int ret = 0;

	for (int i = 0; i < graph->tensor_count; i++)
		exporter->shapes[i] = graph->tensors[i].shape;
	for (int i = 0; i < graph->input_count; i++)
		name_dimensions(exporter, graph->inputs[i]);
	for (int i = 0; i < graph->node_count && !ret; i++)
		ret = graph_infer_node(graph, &graph->nodes[i], exporter->table,
				       exporter->shapes);
	return ret;
}

/* What normalizes by the batch has to be settled first (train/normalization.h). */
static int check_operators(const struct graph *graph)
{
	for (int i = 0; i < graph->node_count; i++)
		if (!operators[graph->nodes[i].op])
			return accel_error(-EINVAL,
					   "%s: %s is for training only",
					   graph->nodes[i].name,
					   graph_op_name(graph->nodes[i].op));
	return 0;
}

static int write_graph(struct graph_exporter *exporter)
{
	const struct graph *graph = exporter->graph;
	int ret = check_operators(graph);

	if (!ret)
		ret = find_shapes(exporter);
	if (ret)
		return ret;
	for (int i = 0; i < graph->tensor_count; i++)
		onnx_reserve(&exporter->builder, graph->tensors[i].name);
	for (int i = 0; i < graph->input_count; i++)
		write_port(exporter, graph->inputs[i], false);
	for (int i = 0; i < graph->node_count; i++)
		operators[graph->nodes[i].op](exporter, &graph->nodes[i]);
	for (int i = 0; i < graph->output_count; i++)
		write_port(exporter, graph->outputs[i], true);
	return 0;
}

static bool exporter_create(struct graph_exporter *exporter)
{
	const struct graph *graph = exporter->graph;
	size_t count = (size_t)graph->tensor_count + 1;
	/* ONNX wants a name */
	bool named = graph->name && *graph->name;

	exporter->shapes = calloc(count, sizeof(*exporter->shapes));
	exporter->written = calloc(count, sizeof(*exporter->written));
	exporter->table = dimension_table_create();
	return onnx_model_create(&exporter->builder,
				 named ? graph->name : "graph") &&
	       exporter->shapes && exporter->written && exporter->table;
}

static void exporter_release(struct graph_exporter *exporter)
{
	onnx_model_release(&exporter->builder);
	dimension_table_destroy(exporter->table);
	free(exporter->shapes);
	free(exporter->written);
}

int export_graph(const struct graph *graph, const char *path)
{
	struct graph_exporter exporter = { .graph = graph };
	int ret;

	if (exporter_create(&exporter))
		ret = write_graph(&exporter);
	else
		ret = accel_error(-ENOMEM, "out of memory for %s", path);
	if (!ret)
		ret = onnx_model_write(&exporter.builder, path);
	exporter_release(&exporter);
	return ret;
}
