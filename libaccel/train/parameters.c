/* SPDX-License-Identifier: MIT */
#include <train/parameters.h>

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a node reads of a tensor; a tensor read in several ways is the sum. */
enum role {
	ROLE_NONE = 0,
	ROLE_TRAINED = 1,
	ROLE_PRUNABLE = 2,
	ROLE_FIXED = 4,
};

static bool is_matrix(const struct graph_node *node, int input)
{
	if (graph_op_is_linear(node->op))
		return input == 1;
	return graph_op_is_recurrent(node->op) && (input == 1 || input == 2);
}

static void mark_roles(const struct graph *graph, unsigned char *roles)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		for (int i = 0; i < node->input_count; i++) {
			int tensor = node->inputs[i];

			if (!graph_tensor_is_constant(graph, tensor))
				continue;
			roles[tensor] |= node->structural ? ROLE_FIXED :
							    ROLE_TRAINED;
			if (is_matrix(node, i))
				roles[tensor] |= ROLE_PRUNABLE;
		}
	}
}

int parameters_find(struct parameters *parameters, const struct graph *graph)
{
	unsigned char *roles = calloc((size_t)graph->tensor_count + 1, 1);

	memset(parameters, 0, sizeof(*parameters));
	parameters->list = calloc((size_t)graph->tensor_count + 1,
				  sizeof(*parameters->list));
	if (!roles || !parameters->list) {
		free(roles);
		parameters_release(parameters);
		return accel_error(-ENOMEM, "no memory for parameters");
	}
	mark_roles(graph, roles);
	for (int t = 0; t < graph->tensor_count; t++) {
		size_t count;

		if (!roles[t] || roles[t] & ROLE_FIXED)
			continue;
		count = (size_t)graph_shape_count(&graph->tensors[t].shape);
		parameters->list[parameters->count++] = (struct parameter){
			.tensor = t,
			.first = parameters->total,
			.count = count,
			.prunable = roles[t] & ROLE_PRUNABLE,
		};
		parameters->total += count;
	}
	free(roles);
	return 0;
}

void parameters_release(struct parameters *parameters)
{
	free(parameters->list);
	memset(parameters, 0, sizeof(*parameters));
}

void parameters_load(const struct parameters *parameters,
		     const struct graph *graph, float *vector)
{
	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];

		memcpy(vector + parameter->first,
		       graph->tensors[parameter->tensor].data,
		       parameter->count * sizeof(*vector));
	}
}

void parameters_store(const struct parameters *parameters, struct graph *graph,
		      const float *vector)
{
	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];

		memcpy(graph->tensors[parameter->tensor].data,
		       vector + parameter->first,
		       parameter->count * sizeof(*vector));
	}
}

void parameters_mask(const struct parameters *parameters,
		     const struct prune_mask *mask, float *vector)
{
	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];
		const uint8_t *keep = mask->keep[parameter->tensor];
		float *values = vector + parameter->first;

		for (size_t i = 0; keep && i < parameter->count; i++)
			values[i] = keep[i] ? values[i] : 0;
	}
}
