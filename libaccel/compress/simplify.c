/* SPDX-License-Identifier: MIT */
/*
 * Exporters write much that a network does not need. Passes run until none of them
 * finds anything, since each makes work for the others: when two transpositions
 * cancel, a factor comes next to the layer that it folds into.
 */
#include <compress/simplify.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool simplify_is_private(const struct graph *graph, int tensor)
{
	return tensor >= 0 && graph->tensors[tensor].producer >= 0 &&
	       !graph->tensors[tensor].quantization &&
	       graph_tensor_use_count(graph, tensor) == 1;
}

int simplify_bypass(struct graph *graph, int node, int tensor)
{
	struct graph_tensor *output =
		&graph->tensors[graph->nodes[node].outputs[0]];

	/* a scale moves to a tensor that has no other reader and no scale */
	if (output->quantization && !simplify_is_private(graph, tensor))
		return 0;
	if (graph_replace_uses(graph, graph->nodes[node].outputs[0], tensor))
		return 0;
	if (output->quantization) {
		graph->tensors[tensor].quantization = output->quantization;
		output->quantization = NULL;
	}
	graph_remove_node(graph, node);
	return 1;
}

int graph_simplify(struct graph *graph)
{
	static int (*const passes[])(struct graph *) = {
		simplify_layout, simplify_unshuffle,  simplify_pad,
		simplify_affine, simplify_activation,
	};
	int changes, ret;

	ret = graph_compact(graph);
	if (ret)
		return ret;
	/* each change removes a node, or moves one towards the inputs: it ends */
	do {
		changes = 0;
		for (size_t i = 0; i < sizeof(passes) / sizeof(*passes); i++) {
			ret = passes[i](graph);
			if (ret < 0)
				return ret;
			changes += ret;
		}
		ret = graph_compact(graph);
		if (ret)
			return ret;
	} while (changes);
	return graph_validate(graph);
}
