/* SPDX-License-Identifier: MIT */
/*
 * Tensors and nodes live in arrays and are named by their index, so that passes may
 * add to a graph while they walk over it. Pointers into the arrays are good only
 * until the next addition.
 */
#include <compress/graph.h>
#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[GRAPH_OP_COUNT] = {
	[GRAPH_CONV] = "Conv",
	[GRAPH_CONV_TRANSPOSE] = "ConvTranspose",
	[GRAPH_GEMM] = "Gemm",
	[GRAPH_RELU] = "Relu",
	[GRAPH_LEAKY_RELU] = "LeakyRelu",
	[GRAPH_PRELU] = "PRelu",
	[GRAPH_CLIP] = "Clip",
	[GRAPH_SIGMOID] = "Sigmoid",
	[GRAPH_TANH] = "Tanh",
	[GRAPH_HARD_SIGMOID] = "HardSigmoid",
	[GRAPH_HARD_SWISH] = "HardSwish",
	[GRAPH_ELU] = "Elu",
	[GRAPH_SOFTPLUS] = "Softplus",
	[GRAPH_SILU] = "Silu",
	[GRAPH_GELU] = "Gelu",
	[GRAPH_EXP] = "Exp",
	[GRAPH_ABS] = "Abs",
	[GRAPH_ADD] = "Add",
	[GRAPH_MULTIPLY] = "Mul",
	[GRAPH_AFFINE] = "Affine",
	[GRAPH_CONCAT] = "Concat",
	[GRAPH_SLICE] = "Slice",
	[GRAPH_PAD] = "Pad",
	[GRAPH_RESHAPE] = "Reshape",
	[GRAPH_TRANSPOSE] = "Transpose",
	[GRAPH_DEPTH_TO_SPACE] = "DepthToSpace",
	[GRAPH_RESIZE_NEAREST] = "Resize",
	[GRAPH_MAX_POOL] = "MaxPool",
	[GRAPH_AVERAGE_POOL] = "AveragePool",
	[GRAPH_GLOBAL_AVERAGE_POOL] = "GlobalAveragePool",
	[GRAPH_LSTM] = "LSTM",
	[GRAPH_GRU] = "GRU",
	[GRAPH_BATCH_NORM] = "BatchNormalization",
};

const char *graph_op_name(enum graph_op op)
{
	if ((unsigned int)op >= GRAPH_OP_COUNT)
		return "unknown";
	return op_names[op];
}

bool graph_op_is_linear(enum graph_op op)
{
	return op == GRAPH_CONV || op == GRAPH_CONV_TRANSPOSE ||
	       op == GRAPH_GEMM;
}

bool graph_op_is_recurrent(enum graph_op op)
{
	return op == GRAPH_LSTM || op == GRAPH_GRU;
}

bool graph_op_is_activation(enum graph_op op)
{
	return op >= GRAPH_RELU && op <= GRAPH_ABS;
}

/* Make room for one more element; capacities double. */
static int reserve(void *array, int *capacity, int count, size_t size)
{
	void **memory = array;
	void *grown;
	int wanted;

	if (count < *capacity)
		return 0;
	wanted = *capacity ? *capacity * 2 : 16;
	if (wanted < *capacity)
		return accel_error(-ENOMEM, "the graph is too large");
	grown = realloc(*memory, (size_t)wanted * size);
	if (!grown)
		return accel_error(-ENOMEM, "out of memory for the graph");
	*memory = grown;
	*capacity = wanted;
	return 0;
}

struct graph *graph_create(const char *name)
{
	struct graph *graph = calloc(1, sizeof(*graph));

	if (!graph)
		return NULL;
	graph->name = strdup(name);
	if (!graph->name) {
		free(graph);
		return NULL;
	}
	return graph;
}

static void quantization_destroy(struct graph_quantization *quantization)
{
	if (!quantization)
		return;
	free(quantization->scale);
	free(quantization->zero_point);
	free(quantization);
}

void graph_tensor_clear(struct graph_tensor *tensor)
{
	free(tensor->name);
	free(tensor->data);
	quantization_destroy(tensor->quantization);
	for (int i = 0; i < GRAPH_MAX_RANK; i++)
		free(tensor->symbols[i]);
	memset(tensor, 0, sizeof(*tensor));
}

void graph_node_clear(struct graph_node *node)
{
	free(node->name);
	free(node->inputs);
	free(node->outputs);
	memset(node, 0, sizeof(*node));
}

void graph_destroy(struct graph *graph)
{
	if (!graph)
		return;
	for (int i = 0; i < graph->tensor_count; i++)
		graph_tensor_clear(&graph->tensors[i]);
	for (int i = 0; i < graph->node_count; i++)
		graph_node_clear(&graph->nodes[i]);
	free(graph->tensors);
	free(graph->nodes);
	free(graph->inputs);
	free(graph->outputs);
	free(graph->name);
	free(graph);
}

int64_t graph_shape_count(const struct graph_shape *shape)
{
	int64_t count = 1;

	for (int i = 0; i < shape->rank; i++) {
		if (shape->dims[i] < 0)
			return -EINVAL;
		if (!checked_multiply_i64(count, shape->dims[i], &count))
			return -EOVERFLOW;
	}
	return count;
}

int graph_find_tensor(const struct graph *graph, const char *name)
{
	for (int i = 0; i < graph->tensor_count; i++)
		if (graph->tensors[i].name &&
		    !strcmp(graph->tensors[i].name, name))
			return i;
	return -ENOENT;
}

int graph_add_tensor(struct graph *graph, const char *name,
		     const struct graph_shape *shape)
{
	struct graph_tensor *tensor;
	int ret;

	if (graph_find_tensor(graph, name) >= 0)
		return accel_error(-EEXIST, "two tensors are called %s", name);
	ret = reserve(&graph->tensors, &graph->tensor_capacity,
		      graph->tensor_count, sizeof(*graph->tensors));
	if (ret)
		return ret;
	tensor = &graph->tensors[graph->tensor_count];
	memset(tensor, 0, sizeof(*tensor));
	tensor->name = strdup(name);
	if (!tensor->name)
		return accel_error(-ENOMEM, "out of memory for %s", name);
	tensor->shape = *shape;
	tensor->producer = -1;
	return graph->tensor_count++;
}

/* The name itself, or name.1, name.2 …, whichever is free. */
static char *free_name(const struct graph *graph, const char *name)
{
	size_t size = strlen(name) + 16;
	char *unique = malloc(size);

	if (!unique)
		return NULL;
	snprintf(unique, size, "%s", name);
	for (int i = 1; graph_find_tensor(graph, unique) >= 0; i++)
		snprintf(unique, size, "%s.%d", name, i);
	return unique;
}

int graph_add_constant(struct graph *graph, const char *name,
		       const struct graph_shape *shape, const float *data)
{
	int64_t count = graph_shape_count(shape);
	char *unique;
	float *copy;
	int tensor;

	if (count < 0 || count > INT64_MAX / (int64_t)sizeof(float))
		return accel_error(-EOVERFLOW, "%s: too many elements", name);
	copy = calloc(count ? (size_t)count : 1, sizeof(*copy));
	unique = free_name(graph, name);
	if (!copy || !unique) {
		tensor = accel_error(-ENOMEM, "out of memory for %s", name);
		goto fail;
	}
	if (data)
		memcpy(copy, data, (size_t)count * sizeof(*copy));
	tensor = graph_add_tensor(graph, unique, shape);
	if (tensor < 0)
		goto fail;
	graph->tensors[tensor].data = copy;
	free(unique);
	return tensor;
fail:
	free(copy);
	free(unique);
	return tensor;
}

static int *indices_copy(const int *indices, int count)
{
	int *copy = malloc(sizeof(*copy) * (size_t)(count ? count : 1));

	if (copy && count)
		memcpy(copy, indices, sizeof(*copy) * (size_t)count);
	return copy;
}

/* A tensor has one producer: outputs must be free before this node takes them. */
static int outputs_claim(struct graph *graph, const struct graph_node *node)
{
	for (int i = 0; i < node->output_count; i++) {
		int output = node->outputs[i];

		if (output == GRAPH_NO_TENSOR)
			continue;
		if (output < 0 || output >= graph->tensor_count ||
		    graph->tensors[output].producer >= 0 ||
		    graph->tensors[output].data)
			return accel_error(-EINVAL,
					   "%s: output %d is not a tensor that "
					   "it can produce",
					   node->name, i);
	}
	for (int i = 0; i < node->output_count; i++)
		if (node->outputs[i] != GRAPH_NO_TENSOR)
			graph->tensors[node->outputs[i]].producer =
				graph->node_count;
	return 0;
}

int graph_add_node(struct graph *graph, enum graph_op op, const char *name,
		   const int *inputs, int input_count, const int *outputs,
		   int output_count)
{
	struct graph_node *node;
	int ret;

	ret = reserve(&graph->nodes, &graph->node_capacity, graph->node_count,
		      sizeof(*graph->nodes));
	if (ret)
		return ret;
	node = &graph->nodes[graph->node_count];
	memset(node, 0, sizeof(*node));
	node->op = op;
	node->name = strdup(name);
	node->inputs = indices_copy(inputs, input_count);
	node->outputs = indices_copy(outputs, output_count);
	node->input_count = input_count;
	node->output_count = output_count;
	if (!node->name || !node->inputs || !node->outputs)
		ret = accel_error(-ENOMEM, "out of memory for %s", name);
	else
		ret = outputs_claim(graph, node);
	if (ret) {
		graph_node_clear(node);
		return ret;
	}
	return graph->node_count++;
}

int graph_add_input(struct graph *graph, int tensor)
{
	int ret = reserve(&graph->inputs, &graph->input_capacity,
			  graph->input_count, sizeof(*graph->inputs));

	if (ret)
		return ret;
	graph->inputs[graph->input_count++] = tensor;
	return 0;
}

int graph_add_output(struct graph *graph, int tensor)
{
	int ret = reserve(&graph->outputs, &graph->output_capacity,
			  graph->output_count, sizeof(*graph->outputs));

	if (ret)
		return ret;
	graph->outputs[graph->output_count++] = tensor;
	return 0;
}

bool graph_tensor_is_constant(const struct graph *graph, int tensor)
{
	return tensor >= 0 && graph->tensors[tensor].data;
}

int graph_tensor_use_count(const struct graph *graph, int tensor)
{
	int uses = 0;

	for (int i = 0; i < graph->node_count; i++)
		for (int j = 0; j < graph->nodes[i].input_count; j++)
			uses += graph->nodes[i].inputs[j] == tensor;
	for (int i = 0; i < graph->output_count; i++)
		uses += graph->outputs[i] == tensor;
	return uses;
}

static int quantization_clone(struct graph_tensor *copy,
			      const struct graph_quantization *quantization)
{
	size_t count;
	struct graph_quantization *clone;

	if (!quantization)
		return 0;
	count = (size_t)quantization->count;
	clone = malloc(sizeof(*clone));
	if (!clone)
		return -ENOMEM;
	*clone = *quantization;
	clone->scale = malloc(count * sizeof(*clone->scale));
	clone->zero_point = malloc(count * sizeof(*clone->zero_point));
	copy->quantization = clone;
	if (!clone->scale || !clone->zero_point)
		return -ENOMEM;
	memcpy(clone->scale, quantization->scale,
	       count * sizeof(*clone->scale));
	memcpy(clone->zero_point, quantization->zero_point,
	       count * sizeof(*clone->zero_point));
	return 0;
}

static int tensor_clone(struct graph *clone, const struct graph_tensor *tensor)
{
	struct graph_tensor *copy;
	int index;

	if (tensor->data)
		index = graph_add_constant(clone, tensor->name, &tensor->shape,
					   tensor->data);
	else
		index = graph_add_tensor(clone, tensor->name, &tensor->shape);
	if (index < 0)
		return index;
	copy = &clone->tensors[index];
	for (int i = 0; i < GRAPH_MAX_RANK; i++) {
		if (!tensor->symbols[i])
			continue;
		copy->symbols[i] = strdup(tensor->symbols[i]);
		if (!copy->symbols[i])
			return -ENOMEM;
	}
	return quantization_clone(copy, tensor->quantization);
}

static int node_clone(struct graph *clone, const struct graph_node *node)
{
	struct graph_node copy = *node;
	int index = graph_add_node(clone, node->op, node->name ?: "",
				   node->inputs, node->input_count,
				   node->outputs, node->output_count);

	if (index < 0)
		return index;
	copy.name = clone->nodes[index].name;
	copy.inputs = clone->nodes[index].inputs;
	copy.outputs = clone->nodes[index].outputs;
	clone->nodes[index] = copy;
	return 0;
}

static int contents_clone(struct graph *clone, const struct graph *graph)
{
	int ret = 0;

	for (int i = 0; i < graph->tensor_count && !ret; i++)
		ret = tensor_clone(clone, &graph->tensors[i]);
	for (int i = 0; i < graph->node_count && !ret; i++)
		ret = node_clone(clone, &graph->nodes[i]);
	for (int i = 0; i < graph->input_count && !ret; i++)
		ret = graph_add_input(clone, graph->inputs[i]);
	for (int i = 0; i < graph->output_count && !ret; i++)
		ret = graph_add_output(clone, graph->outputs[i]);
	return ret;
}

struct graph *graph_clone(const struct graph *graph)
{
	struct graph *clone = graph_create(graph->name);

	if (clone && contents_clone(clone, graph)) {
		graph_destroy(clone);
		return NULL;
	}
	return clone;
}
