/* SPDX-License-Identifier: MIT */
#include <train/graph_join.h>

#include <compress/graph.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int graph_prefix_constants(struct graph *graph, const char *prefix)
{
	for (int t = 0; t < graph->tensor_count; t++) {
		struct graph_tensor *tensor = &graph->tensors[t];
		char *name;

		if (!tensor->data)
			continue;
		if (asprintf(&name, "%s.%s", prefix, tensor->name) < 0)
			return accel_error(-ENOMEM, "no memory");
		free(tensor->name);
		tensor->name = name;
	}
	return 0;
}

static int copy_tensor(struct graph *graph, const struct graph_tensor *tensor,
		       const char *prefix)
{
	char *name;
	int copy;

	if (tensor->data)
		return graph_add_constant(graph, tensor->name, &tensor->shape,
					  tensor->data);
	if (asprintf(&name, "%s.%s", prefix, tensor->name) < 0)
		return accel_error(-ENOMEM, "no memory");
	copy = graph_add_tensor(graph, name, &tensor->shape);
	free(name);
	return copy;
}

static void translate(int *tensors, int count, const int *map)
{
	for (int i = 0; i < count; i++)
		if (tensors[i] != GRAPH_NO_TENSOR)
			tensors[i] = map[tensors[i]];
}

static int copy_node(struct graph *graph, const struct graph_node *node,
		     const int *map)
{
	struct graph_node copy = *node;
	size_t size = (size_t)(node->input_count + node->output_count);
	int *tensors = malloc((size + 1) * sizeof(*tensors));
	int *outputs = tensors + node->input_count;
	int index;

	if (!tensors)
		return accel_error(-ENOMEM, "no memory");
	memcpy(tensors, node->inputs,
	       (size_t)node->input_count * sizeof(*tensors));
	memcpy(outputs, node->outputs,
	       (size_t)node->output_count * sizeof(*tensors));
	translate(tensors, (int)size, map);
	index = graph_add_node(graph, node->op, node->name, tensors,
			       node->input_count, outputs, node->output_count);
	free(tensors);
	if (index < 0)
		return index;
	copy.name = graph->nodes[index].name;
	copy.inputs = graph->nodes[index].inputs;
	copy.outputs = graph->nodes[index].outputs;
	graph->nodes[index] = copy;
	return 0;
}

int graph_append(struct graph *graph, int tensor, const struct graph *other,
		 const char *prefix)
{
	int *map = calloc((size_t)other->tensor_count, sizeof(*map));
	int ret = map ? 0 : accel_error(-ENOMEM, "no memory");

	for (int t = 0; t < other->tensor_count && ret >= 0; t++) {
		map[t] = t == other->inputs[0] ?
				 tensor :
				 copy_tensor(graph, &other->tensors[t], prefix);
		ret = map[t];
	}
	for (int n = 0; n < other->node_count && ret >= 0; n++)
		ret = copy_node(graph, &other->nodes[n], map);
	if (ret >= 0)
		ret = map[other->outputs[0]];
	free(map);
	return ret;
}
