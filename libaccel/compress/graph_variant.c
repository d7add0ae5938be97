// SPDX-License-Identifier: MIT
#include <compress/graph_variant.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_constant(struct graph_tensor *tensor)
{
	size_t count = (size_t)graph_shape_count(&tensor->shape);
	float *data = malloc((count + 1) * sizeof(*data));

	if (!data)
		return -ENOMEM;
	memcpy(data, tensor->data, count * sizeof(*data));
	tensor->data = data;
	return 0;
}

static bool is_copied(const struct graph *variant, const struct graph *graph,
		      int tensor)
{
	return variant->tensors[tensor].data != graph->tensors[tensor].data;
}

struct graph *graph_variant_create(const struct graph *graph, int node)
{
	const struct graph_node *changed = &graph->nodes[node];
	size_t size = (size_t)graph->tensor_count * sizeof(*graph->tensors);
	struct graph *variant = malloc(sizeof(*variant));
	int ret = 0;

	if (!variant)
		return NULL;
	*variant = *graph;
	variant->tensors = malloc(size + 1);
	if (!variant->tensors) {
		free(variant);
		return NULL;
	}
	memcpy(variant->tensors, graph->tensors, size);
	for (int i = 0; i < changed->input_count && !ret; i++) {
		int tensor = changed->inputs[i];

		if (graph_tensor_is_constant(graph, tensor) &&
		    !is_copied(variant, graph, tensor))
			ret = copy_constant(&variant->tensors[tensor]);
	}
	if (!ret)
		return variant;
	graph_variant_destroy(variant, graph);
	return NULL;
}

static void free_quantization(struct graph_quantization *quantization)
{
	if (!quantization)
		return;
	free(quantization->scale);
	free(quantization->zero_point);
	free(quantization);
}

void graph_variant_destroy(struct graph *variant, const struct graph *graph)
{
	if (!variant)
		return;
	for (int t = 0; t < graph->tensor_count; t++) {
		struct graph_tensor *tensor = &variant->tensors[t];

		if (tensor->quantization != graph->tensors[t].quantization)
			free_quantization(tensor->quantization);
		if (is_copied(variant, graph, t))
			free(tensor->data);
	}
	free(variant->tensors);
	free(variant);
}
