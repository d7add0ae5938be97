/* SPDX-License-Identifier: MIT */
/* Any bytes import or are refused; what imports is a valid graph that has shapes. */
#include <compress/graph.h>
#include <compress/onnx_import.h>

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Shapes for some size of what is dynamic; the sizes need not fit the model. */
static void infer(const struct graph *graph, int64_t size)
{
	size_t inputs = (size_t)graph->input_count;
	size_t tensors = (size_t)graph->tensor_count;
	struct graph_shape *given = calloc(inputs + 1, sizeof(*given));
	struct graph_shape *shapes = calloc(tensors + 1, sizeof(*shapes));

	if (!given || !shapes)
		abort();
	for (size_t i = 0; i < inputs; i++) {
		given[i] = graph->tensors[graph->inputs[i]].shape;
		for (int j = 0; j < given[i].rank; j++)
			if (given[i].dims[j] == GRAPH_DIM_DYNAMIC)
				given[i].dims[j] = size;
	}
	graph_infer_shapes(graph, given, shapes);
	free(given);
	free(shapes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct graph *graph, *clone;

	if (onnx_import_memory(data, size, NULL, &graph))
		return 0;
	clone = graph_clone(graph);
	if (!clone || graph_validate(clone))
		abort();
	infer(clone, 1);
	infer(graph, 8);
	infer(graph, INT64_C(1) << 40);
	graph_destroy(clone);
	graph_destroy(graph);
	return 0;
}
