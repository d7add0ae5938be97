/* SPDX-License-Identifier: MIT */
/*
 * Nodes are read in the order of the file, which ONNX wants sorted. Each name stands
 * for a value, a constant or a tensor of the graph; when all nodes are read the
 * outputs are looked up and what they do not need is dropped.
 */
#include <compress/onnx_file.h>
#include <compress/onnx_import.h>
#include <compress/onnx_operator.h>
#include <compress/onnx_tensor.h>
#include <compress/simplify.h>
#include <core/error.h>
#include <formats/safetensors.h>

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Operators of other domains are refused where they occur. */
static int opset_read(const Onnx__ModelProto *model, int64_t *opset)
{
	*opset = 0;
	for (size_t i = 0; i < model->n_opset_import; i++) {
		const char *domain = model->opset_import[i]->domain;

		if (!domain || !*domain || !strcmp(domain, "ai.onnx"))
			*opset = model->opset_import[i]->version;
	}
	if (*opset < ONNX_OPSET_MIN || *opset > ONNX_OPSET_MAX)
		return accel_error(-ENOTSUP,
				   "opset %lld is not supported; export the "
				   "model with one from %d to %d",
				   (long long)*opset, ONNX_OPSET_MIN,
				   ONNX_OPSET_MAX);
	return 0;
}

static void context_clear(struct onnx_context *context)
{
	for (int i = 0; i < context->allocation_count; i++)
		free(context->allocations[i]);
	free(context->allocations);
	free(context->values);
	free(context->shapes);
	hdestroy_r(&context->names);
	dimension_table_destroy(context->table);
	graph_destroy(context->graph);
}

/* All names are known beforehand, as the hash table wants it. */
static int context_create(struct onnx_context *context,
			  const Onnx__GraphProto *graph)
{
	size_t names = graph->n_initializer + graph->n_input;

	for (size_t i = 0; i < graph->n_node; i++)
		names += graph->node[i]->n_output;
	context->table = dimension_table_create();
	context->graph = graph_create(graph->name ? graph->name : "");
	/* a table that is half empty stays fast */
	if (!context->table || !context->graph ||
	    !hcreate_r(2 * names + 16, &context->names))
		return accel_error(-ENOMEM, "out of memory for the model");
	return 0;
}

static int import_initializers(struct onnx_context *context,
			       const Onnx__GraphProto *graph)
{
	if (graph->n_sparse_initializer)
		return accel_error(
			-ENOTSUP, "sparse initializers are not supported; save "
				  "the model with dense ones");
	for (size_t i = 0; i < graph->n_initializer; i++) {
		const Onnx__TensorProto *tensor = graph->initializer[i];
		struct onnx_value value;
		int ret;

		if (!tensor->name || !*tensor->name)
			return accel_error(-EBADMSG,
					   "initializer %zu has no name", i);
		ret = onnx_tensor_decode(context, tensor, &value);
		if (!ret)
			ret = onnx_weight_replace(context, &value);
		if (!ret)
			ret = onnx_bind(context, tensor->name, &value);
		if (ret)
			return ret;
	}
	return onnx_weights_check(context);
}

/* A dimension of an input: a number, or the symbol of its name. */
static int input_dimension(struct onnx_context *context, int input, size_t axis,
			   const Onnx__TensorShapeProto__Dimension *dim)
{
	struct graph_tensor *tensor = &context->graph->tensors[input];
	char *symbol;

	if (dim->value_case ==
		    ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
	    dim->dim_value > 0) {
		if (dim->dim_value > GRAPH_MAX_LENGTH)
			return accel_error(-EINVAL,
					   "input %s: a dimension of %lld",
					   tensor->name,
					   (long long)dim->dim_value);
		tensor->shape.dims[axis] = dim->dim_value;
		context->shapes[input].dims[axis] = dim->dim_value;
		return 0;
	}
	if (dim->value_case ==
		    ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
	    *dim->dim_param)
		symbol = strdup(dim->dim_param);
	else if (asprintf(&symbol, "%s_%zu", tensor->name, axis) < 0)
		symbol = NULL;
	if (!symbol)
		return accel_error(-ENOMEM, "out of memory for the model");
	tensor->symbols[axis] = symbol;
	tensor->shape.dims[axis] = GRAPH_DIM_DYNAMIC;
	context->shapes[input].dims[axis] =
		dimension_symbol(context->table, symbol);
	return 0;
}

static int import_input(struct onnx_context *context,
			const Onnx__ValueInfoProto *info)
{
	const Onnx__TypeProto__Tensor *type =
		info->type && info->type->value_case ==
					ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ?
			info->type->tensor_type :
			NULL;
	struct onnx_value value = { .real = true };
	size_t rank;
	int input, ret;

	if (!type || !type->shape || type->shape->n_dim > GRAPH_MAX_RANK)
		return accel_error(-ENOTSUP,
				   "input %s: not a tensor of known rank, at "
				   "most %d",
				   info->name, GRAPH_MAX_RANK);
	if (type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT &&
	    type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 &&
	    type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
	    type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__UINT8)
		return accel_error(-ENOTSUP,
				   "input %s: elements of type %d; supported "
				   "are float, and uint8 where Cast follows",
				   info->name, type->elem_type);
	rank = type->shape->n_dim;
	input = onnx_add_input(context, info->name, (int)rank);
	if (input < 0)
		return input;
	for (size_t i = 0; i < rank; i++) {
		ret = input_dimension(context, input, i, type->shape->dim[i]);
		if (ret)
			return ret;
	}
	value.tensor = input;
	value.shape = context->shapes[input];
	return onnx_bind(context, info->name, &value);
}

static int import_inputs(struct onnx_context *context,
			 const Onnx__GraphProto *graph)
{
	for (size_t i = 0; i < graph->n_input; i++) {
		const Onnx__ValueInfoProto *info = graph->input[i];
		int ret;

		if (!info->name || !*info->name)
			return accel_error(-EBADMSG, "input %zu has no name",
					   i);
		/* old files list the initializers as inputs too */
		if (onnx_find_value(context, info->name))
			continue;
		ret = import_input(context, info);
		if (ret)
			return ret;
	}
	return 0;
}

static int import_nodes(struct onnx_context *context,
			const Onnx__GraphProto *graph)
{
	for (size_t i = 0; i < graph->n_node; i++) {
		struct onnx_node node = { .proto = graph->node[i] };
		int ret;

		node.name = node.proto->name;
		if (!node.name || !*node.name)
			node.name = onnx_output_name(&node);
		if (!node.name || !*node.name)
			node.name = "(unnamed)";
		if (!node.proto->op_type)
			return accel_error(-EBADMSG,
					   "node %zu (%s): no operator", i,
					   node.name);
		ret = onnx_import_node(context, &node);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_boundary(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == tensor)
			return true;
	return graph->tensors[tensor].producer < 0;
}

/* A copy, for a result that already is an input or has another name. */
static int output_copy(struct onnx_context *context, int tensor,
		       const char *name)
{
	struct graph_node affine = { .op = GRAPH_AFFINE };
	Onnx__NodeProto proto = ONNX__NODE_PROTO__INIT;
	struct onnx_node node = { &proto, name };
	const float one = 1, zero = 0;
	int inputs[3] = { tensor, onnx_add_vector(context, "one", 1, &one),
			  onnx_add_vector(context, "zero", 1, &zero) };

	proto.op_type = (char *)(uintptr_t) "Identity";
	if (inputs[1] < 0 || inputs[2] < 0)
		return -ENOMEM;
	return onnx_emit(context, &node, &affine, inputs, 3, name);
}

/* Give the tensor the name; another of that name loses it. */
static int output_rename(struct graph *graph, int tensor, const char *name)
{
	int other = graph_find_tensor(graph, name);
	char *copy;

	if (other == tensor)
		return 0;
	if (other >= 0) {
		char *swap = graph->tensors[other].name;

		graph->tensors[other].name = graph->tensors[tensor].name;
		graph->tensors[tensor].name = swap;
		return 0;
	}
	copy = strdup(name);
	if (!copy)
		return accel_error(-ENOMEM, "out of memory for the model");
	free(graph->tensors[tensor].name);
	graph->tensors[tensor].name = copy;
	return 0;
}

/*
 * The graph's outputs are called what the model calls them, also where the node that
 * had the name, an Identity say, is gone.
 */
static int import_output(struct onnx_context *context, const char *name)
{
	struct onnx_value *value = onnx_find_value(context, name);
	int tensor, ret;

	if (!value)
		return accel_error(-EINVAL,
				   "output %s is the result of no node", name);
	if (value->constant)
		return accel_error(
			-ENOTSUP,
			"output %s is a constant; remove it from the "
			"model",
			name);
	tensor = onnx_value_tensor(context, value);
	if (tensor >= 0 && is_boundary(context->graph, tensor))
		tensor = output_copy(context, tensor, name);
	if (tensor < 0)
		return tensor;
	ret = output_rename(context->graph, tensor, name);
	return ret ? ret : graph_add_output(context->graph, tensor);
}

static int import_outputs(struct onnx_context *context,
			  const Onnx__GraphProto *graph)
{
	for (size_t i = 0; i < graph->n_output; i++) {
		int ret;

		if (!graph->output[i]->name || !*graph->output[i]->name)
			return accel_error(-EBADMSG, "output %zu has no name",
					   i);
		ret = import_output(context, graph->output[i]->name);
		if (ret)
			return ret;
	}
	return 0;
}

static int import_graph(struct onnx_context *context,
			const Onnx__GraphProto *graph)
{
	int ret = context_create(context, graph);

	context->proto = graph;
	if (!ret)
		ret = import_initializers(context, graph);
	if (!ret)
		ret = import_inputs(context, graph);
	if (!ret)
		ret = import_nodes(context, graph);
	if (!ret)
		ret = import_outputs(context, graph);
	if (!ret)
		ret = graph_simplify(context->graph);
	return ret;
}

static int import_model(const void *data, size_t size, const char *folder,
			struct safetensors_file *weights, struct graph **graph)
{
	struct onnx_context context = { .folder = folder, .weights = weights };
	Onnx__ModelProto *model;
	int ret = onnx_file_unpack(data, size, &model);

	if (ret)
		return ret;
	context.budget = ONNX_BUDGET_MINIMUM + size * ONNX_BUDGET_FACTOR;
	ret = opset_read(model, &context.opset);
	if (!ret && !model->graph)
		ret = accel_error(-EBADMSG, "the model has no graph");
	if (!ret)
		ret = import_graph(&context, model->graph);
	if (!ret) {
		*graph = context.graph;
		context.graph = NULL;
	}
	context_clear(&context);
	onnx__model_proto__free_unpacked(model, NULL);
	return ret;
}

int onnx_import_memory(const void *data, size_t size, const char *folder,
		       struct graph **graph)
{
	return import_model(data, size, folder, NULL, graph);
}

static int import_file(const char *path, struct safetensors_file *weights,
		       struct graph **graph)
{
	char *copy = strdup(path);
	size_t size;
	void *data;
	int ret;

	if (!copy)
		return accel_error(-ENOMEM, "%s: out of memory", path);
	ret = onnx_file_read(path, &data, &size);
	if (!ret) {
		ret = import_model(data, size, dirname(copy), weights, graph);
		free(data);
		if (ret)
			accel_error_prefix(ret, "%s", path);
	}
	free(copy);
	return ret;
}

int onnx_import(const char *path, struct graph **graph)
{
	return import_file(path, NULL, graph);
}

int onnx_import_weights(const char *path, const char *weights,
			struct graph **graph)
{
	struct safetensors_file *file;
	int ret = safetensors_open(&file, weights);

	if (ret)
		return ret;
	ret = import_file(path, file, graph);
	safetensors_close(file);
	return ret;
}
