// SPDX-License-Identifier: MIT
#include <compress/compress_progress.h>
#include <compress/reconstruct.h>
#include <compress/reconstruct_layer.h>
#include <core/error.h>

#include <errno.h>

#define RIDGE_DEFAULT 5e-4

static bool owns(const struct graph *graph, int tensor)
{
	return graph_tensor_is_constant(graph, tensor) &&
	       graph_tensor_use_count(graph, tensor) == 1;
}

bool reconstruct_layer_owns(const struct reconstruct_layer *layer, int tensor)
{
	return owns(layer->pruned, tensor);
}

/* Weights that several nodes share fit none of them alone: they stay as they are. */
bool reconstruct_applies(const struct graph *graph,
			 const struct prune_mask *mask,
			 const struct layer_solver *solver, int index)
{
	const struct graph_node *node = &graph->nodes[index];
	int weights = graph_op_is_recurrent(node->op) ? 2 :
		      graph_op_is_linear(node->op)    ? 1 :
							0;

	for (int i = 1; i <= weights; i++)
		if (!mask->keep[node->inputs[i]] ||
		    (solver->tensors && !solver->tensors[node->inputs[i]]) ||
		    !owns(graph, node->inputs[i]))
			return false;
	return weights > 0;
}

static int reconstruct_node(const struct reconstruct_layer *layer,
			    struct graph_walk *dense, struct graph_walk *pruned)
{
	int ret = graph_walk_run(dense, layer->index);

	if (!ret && reconstruct_applies(layer->pruned, layer->mask,
					layer->solver, layer->index))
		ret = graph_op_is_recurrent(
			      layer->pruned->nodes[layer->index].op) ?
			      reconstruct_recurrent(layer) :
			      reconstruct_linear(layer);
	if (!ret)
		ret = graph_walk_run(pruned, layer->index);
	graph_walk_leave(dense, layer->index);
	graph_walk_leave(pruned, layer->index);
	return ret;
}

int reconstruct_layers(const struct graph *dense, struct graph *pruned,
		       struct prune_mask *mask,
		       const struct calibration_data *data,
		       const struct layer_solver *solver, int workers)
{
	struct reconstruct_layer layer = {
		.dense = dense,
		.pruned = pruned,
		.mask = mask,
		.samples = data->sample_count,
		.solver = solver,
		.workers = workers > 0 ? workers : 1,
	};
	struct graph_walk *targets = NULL, *inputs = NULL;
	int ret;

	if (!data->sample_count)
		return accel_error(-EINVAL, "no data to reconstruct with");
	ret = graph_walk_create(&targets, dense, data, layer.workers);
	if (!ret)
		ret = graph_walk_create(&inputs, pruned, data, layer.workers);
	layer.targets = targets;
	layer.inputs = inputs;
	for (layer.index = 0; layer.index < dense->node_count && !ret;
	     layer.index++) {
		compress_report(solver->progress, "least squares", layer.index,
				dense->node_count);
		ret = reconstruct_node(&layer, targets, inputs);
	}
	graph_walk_destroy(targets);
	graph_walk_destroy(inputs);
	return ret;
}

int reconstruct_least_squares(const struct graph *dense, struct graph *pruned,
			      struct prune_mask *mask,
			      const struct calibration_data *data,
			      const struct reconstruct_options *options)
{
	double ridge = options->ridge > 0 ? options->ridge : RIDGE_DEFAULT;
	const struct layer_solver solver = {
		.solve = layer_problem_least_squares,
		.context = &ridge,
		.progress = options->progress,
	};

	return reconstruct_layers(dense, pruned, mask, data, &solver,
				  options->workers);
}
