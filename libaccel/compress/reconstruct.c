// SPDX-License-Identifier: MIT
#include <compress/compress_progress.h>
#include <compress/parallel.h>
#include <compress/reconstruct.h>
#include <compress/reconstruct_layer.h>
#include <core/error.h>

#include <errno.h>

static bool owns(const struct graph *graph, int tensor)
{
	return graph_tensor_is_constant(graph, tensor) &&
	       graph_tensor_use_count(graph, tensor) == 1;
}

bool reconstruct_layer_owns(const struct reconstruct_layer *layer, int tensor)
{
	return owns(layer->variants[0].pruned, tensor);
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

const struct graph_node *
reconstruct_layer_node(const struct reconstruct_layer *layer)
{
	return &layer->variants[0].pruned->nodes[layer->index];
}

/* ---- variants ---- */

/** struct solution - of one problem, for the threads that solve it */
struct solution {
	const struct reconstruct_layer *layer;
	const struct layer_problem *problem;
	const struct reconstruct_rows *rows;
};

static int solve_variant(void *context, int index)
{
	const struct solution *solution = context;
	const struct reconstruct_layer *layer = solution->layer;
	const struct reconstruct_variant *variant = &layer->variants[index];
	const struct reconstruct_rows *rows = solution->rows;
	struct layer_problem own = *solution->problem;
	int ret;

	if (!reconstruct_applies(variant->pruned, variant->mask,
				 variant->solver, layer->index))
		return 0;
	ret = layer_problem_open(&own);
	if (ret)
		return ret;
	if (layer->variant_count > 1)
		own.workers = 1;
	rows->load(rows->context, variant, &own);
	ret = layer_problem_solve(&own, variant->solver);
	if (!ret)
		rows->store(rows->context, variant, &own);
	layer_problem_close(&own);
	return ret;
}

int reconstruct_layer_solve(const struct reconstruct_layer *layer,
			    const struct layer_problem *problem,
			    const struct reconstruct_rows *rows)
{
	struct solution solution = { layer, problem, rows };

	/* alone, it keeps its threads and its error's text for itself */
	if (layer->variant_count == 1)
		return solve_variant(&solution, 0);
	layer_problem_hessian(problem);
	return parallel_run(layer->workers, layer->variant_count, solve_variant,
			    &solution);
}

/* The layer's own equations for all variants that have any. */
static int reconstruct_node(const struct reconstruct_layer *layer)
{
	for (int i = 0; i < layer->variant_count; i++) {
		const struct reconstruct_variant *variant = &layer->variants[i];

		if (!reconstruct_applies(variant->pruned, variant->mask,
					 variant->solver, layer->index))
			continue;
		return graph_op_is_recurrent(
			       reconstruct_layer_node(layer)->op) ?
			       reconstruct_recurrent(layer) :
			       reconstruct_linear(layer);
	}
	return 0;
}

int reconstruct_variants(const struct graph *dense, int node,
			 const struct graph_walk *values,
			 const struct reconstruct_variant *variants, int count,
			 int workers)
{
	const struct reconstruct_layer layer = {
		.index = node,
		.dense = dense,
		.variants = variants,
		.variant_count = count,
		.targets = values,
		.inputs = values,
		.samples = graph_walk_samples(values),
		.workers = workers > 0 ? workers : 1,
	};

	return reconstruct_node(&layer);
}

/* ---- all nodes ---- */

static int pass_node(const struct reconstruct_layer *layer,
		     struct graph_walk *dense, struct graph_walk *pruned)
{
	int ret = graph_walk_run(dense, layer->index);

	if (!ret)
		ret = reconstruct_node(layer);
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
	const struct reconstruct_variant variant = { pruned, mask, solver };
	struct reconstruct_layer layer = {
		.dense = dense,
		.variants = &variant,
		.variant_count = 1,
		.samples = data->sample_count,
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
		ret = pass_node(&layer, targets, inputs);
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
	double ridge = options->ridge > 0 ? options->ridge : RECONSTRUCT_RIDGE;
	const struct layer_solver solver = {
		.solve = layer_problem_least_squares,
		.context = &ridge,
		.progress = options->progress,
	};

	return reconstruct_layers(dense, pruned, mask, data, &solver,
				  options->workers);
}
