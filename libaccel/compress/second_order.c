// SPDX-License-Identifier: MIT
#include <compress/layer_problem.h>
#include <compress/obs.h>
#include <compress/prune_method.h>
#include <compress/reconstruct.h>
#include <compress/saliency.h>
#include <compress/second_order.h>
#include <compress/sparsegpt.h>
#include <compress/weight_grid.h>
#include <core/error.h>

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- how many of each layer ---- */

static int choose_by_saliency(const struct prune_method_context *context,
			      struct prune_mask *mask)
{
	const struct saliency_options options = {
		.seed = context->seed,
		.workers = context->workers,
	};
	float **scores = saliency_create(context->graph);
	int ret;

	if (!scores)
		return accel_error(-ENOMEM, "out of memory while pruning");
	ret = saliency_gauss_newton(context->graph, context->data, &options,
				    scores);
	if (!ret)
		ret = prune_scores(context->graph, (const float *const *)scores,
				   context->budget, mask);
	saliency_destroy(scores, context->graph);
	return ret;
}

/* A first mask: solvers keep as many of each problem, but others. */
static int choose_counts(const struct prune_method_context *context,
			 struct prune_mask *mask)
{
	if (context->budget->scope == PRUNE_GLOBAL)
		return choose_by_saliency(context, mask);
	return prune_magnitudes(context->graph, context->budget, mask);
}

static bool is_own(const struct prune_method_context *context, int tensor)
{
	return !context->layers || context->layers[tensor];
}

static size_t element_count(const struct graph *graph, int tensor)
{
	return (size_t)graph_shape_count(&graph->tensors[tensor].shape);
}

static int mark_counts(const struct prune_method_context *context,
		       struct prune_mask *mask)
{
	struct prune_mask *first = prune_mask_create(context->graph);
	int ret = first ? choose_counts(context, first) :
			  accel_error(-ENOMEM, "out of memory while pruning");

	for (int t = 0; t < context->graph->tensor_count && !ret; t++)
		if (mask->keep[t] && is_own(context, t))
			memcpy(mask->keep[t], first->keep[t],
			       element_count(context->graph, t));
	prune_mask_destroy(first);
	return ret;
}

/* ---- the walk ---- */

/* Weights that the walk does not come to have their final mask. */
static void apply_others(const struct graph *dense, struct graph *pruned,
			 const struct prune_mask *mask,
			 const struct layer_solver *solver)
{
	for (int n = 0; n < pruned->node_count; n++) {
		const struct graph_node *node = &pruned->nodes[n];

		if (reconstruct_applies(dense, mask, solver, n))
			continue;
		for (int i = 0; i < node->input_count; i++) {
			int t = node->inputs[i];
			size_t count;

			if (t < 0 || !mask->keep[t])
				continue;
			count = element_count(pruned, t);
			for (size_t k = 0; k < count; k++)
				if (!mask->keep[t][k])
					pruned->tensors[t].data[k] = 0;
		}
	}
}

static int run(const struct prune_method_context *context, struct graph *pruned,
	       struct prune_mask *mask, struct layer_solver solver)
{
	int ret = mark_counts(context, mask);

	if (ret)
		return ret;
	solver.tensors = context->layers;
	apply_others(context->graph, pruned, mask, &solver);
	return reconstruct_layers(context->graph, pruned, mask, context->data,
				  &solver, context->workers);
}

static size_t weights_of(const struct layer_problem *problem)
{
	return problem->columns - problem->constant;
}

/* ---- SparseGPT ---- */

/* The change is (b − W·H)·(H + damping)⁻¹; the difference needs binary64. */
static void find_change(const struct layer_problem *problem,
			const struct hessian *hessian, double *w, double *rest,
			float *change)
{
	size_t size = problem->rows * problem->columns;
	int rows = (int)problem->rows, columns = (int)problem->columns;

	for (size_t i = 0; i < size; i++)
		w[i] = (double)problem->values[i];
	memcpy(rest, layer_problem_moments(problem), size * sizeof(*rest));
	cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, rows, columns, -1,
		    layer_problem_hessian(problem), columns, w, columns, 1,
		    rest, columns);
	for (size_t i = 0; i < size; i++)
		change[i] = (float)rest[i];
	cblas_strmm(CblasRowMajor, CblasRight, CblasUpper, CblasTrans,
		    CblasNonUnit, rows, columns, 1, hessian->factor, columns,
		    change, columns);
	cblas_strmm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans,
		    CblasNonUnit, rows, columns, 1, hessian->factor, columns,
		    change, columns);
}

/*
 * From the dense weights to those that are best for the inputs as they are by now: the
 * loss of a mask is counted from there.
 */
static int refit(struct layer_problem *problem, const struct hessian *hessian)
{
	size_t size = problem->rows * problem->columns;
	double *w = malloc((2 * size + 1) * sizeof(*w));
	float *change = malloc((size + 1) * sizeof(*change));
	bool enough = w && change;

	if (enough)
		find_change(problem, hessian, w, w + size, change);
	for (size_t i = 0; enough && i < size; i++)
		problem->values[i] += change[i];
	free(w);
	free(change);
	return enough ? 0 :
			accel_error(-ENOMEM, "%s: no memory for its weights",
				    problem->name);
}

/**
 * struct joint - grids to round to in the sweep that prunes
 * @graph: pruned
 * @formats: of its tensors; NULL: none is rounded
 * @opened: of each tensor: has it got a grid?
 */
struct joint {
	const struct graph *graph;
	const struct weight_format *formats;
	bool *opened;
};

static bool has_grid(const struct joint *joint,
		     const struct layer_problem *problem)
{
	return joint->formats && joint->opened[problem->parts[0].tensor];
}

/*
 * What stays grows, as it takes over for what goes: the grid is for the weights that a
 * first sweep leaves, and the second one begins where the first did.
 */
static int sweep_twice(const struct joint *joint, struct layer_problem *problem,
		       struct sparsegpt *sweep)
{
	size_t size = problem->rows * problem->columns * sizeof(float);
	float *first = malloc(size + 1);
	int ret = first ? 0 : -ENOMEM;

	if (!ret) {
		memcpy(first, problem->values, size);
		ret = sparsegpt_sweep(sweep);
	}
	if (!ret)
		ret = weight_grid_fit(joint->graph, joint->formats, problem,
				      sweep->grids);
	if (!ret) {
		sweep->grid_count = problem->part_count;
		memcpy(problem->values, first, size);
		ret = sparsegpt_sweep(sweep);
	}
	free(first);
	return ret ? accel_error(ret, "%s: no memory for its grid",
				 problem->name) :
		     0;
}

static int solve_sparsegpt(void *context, struct layer_problem *problem)
{
	const struct joint *joint = context;
	struct hessian hessian;
	struct sparsegpt sweep = {
		.hessian = &hessian,
		.rows = problem->rows,
		.constant = problem->constant,
		.weights = problem->values,
		.keep = problem->keep,
		.select = true,
		.keep_count = layer_problem_kept(problem),
		.workers = problem->workers,
	};
	int ret = hessian_factor(&hessian, layer_problem_hessian(problem),
				 problem->columns, problem->constant,
				 HESSIAN_DAMPING);

	if (ret)
		accel_error_prefix(ret, "%s", problem->name);
	if (!ret)
		ret = refit(problem, &hessian);
	if (!ret)
		ret = has_grid(joint, problem) ?
			      sweep_twice(joint, problem, &sweep) :
			      sparsegpt_sweep(&sweep);
	hessian_release(&hessian);
	return ret;
}

int second_order_sparsegpt(const struct prune_method_context *context,
			   struct graph *pruned, struct prune_mask *mask)
{
	struct joint joint = {
		.graph = pruned,
		.formats = context->formats,
		.opened = calloc((size_t)pruned->tensor_count + 1,
				 sizeof(*joint.opened)),
	};
	int ret = joint.opened ? 0 : -ENOMEM;

	for (int t = 0; t < pruned->tensor_count && !ret; t++)
		joint.opened[t] = is_own(context, t);
	if (!ret && joint.formats)
		ret = weight_grid_open(pruned, mask, joint.formats,
				       joint.opened);
	if (ret)
		accel_error(ret, "out of memory while pruning");
	else
		ret = run(context, pruned, mask,
			  (struct layer_solver){ .solve = solve_sparsegpt,
						 .context = &joint });
	free(joint.opened);
	return ret;
}

/* ---- optimal brain surgeon ---- */

/* Unknown weights of a row of the node's equations. */
static int64_t row_length(const struct graph *graph,
			  const struct graph_node *node)
{
	const int64_t *dims = graph->tensors[node->inputs[1]].shape.dims;

	if (graph_op_is_recurrent(node->op))
		return dims[2] + node->recurrent.hidden;
	if (node->op == GRAPH_GEMM)
		return dims[1];
	return (node->op == GRAPH_CONV ? dims[1] : dims[0] / node->conv.group) *
	       dims[2] * dims[3];
}

int second_order_obs(const struct prune_method_context *context,
		     struct graph *pruned, struct prune_mask *mask)
{
	const struct layer_solver solver = { .solve = obs_solve,
					     .tensors = context->layers };

	for (int n = 0; n < pruned->node_count; n++) {
		const struct graph_node *node = &pruned->nodes[n];

		if (reconstruct_applies(pruned, mask, &solver, n) &&
		    row_length(pruned, node) > OBS_COLUMNS_MAX)
			return accel_error(
				-EINVAL,
				"%s: rows of %lld weights are more than obs can do (%d); sparsegpt comes near it",
				node->name, (long long)row_length(pruned, node),
				OBS_COLUMNS_MAX);
	}
	return run(context, pruned, mask, solver);
}

/* ---- Wanda ---- */

static void score_wanda(struct layer_problem *problem, float *scores)
{
	const double *h = layer_problem_hessian(problem);
	size_t weights = weights_of(problem);

	for (size_t row = 0; row < problem->rows; row++)
		for (size_t j = 0; j < weights; j++)
			scores[row * weights + j] =
				fabsf(problem->values[row * problem->columns +
						      j]) *
				(float)sqrt(h[j * problem->columns + j]);
}

static void write_choice(struct layer_problem *problem, const uint8_t *choice)
{
	size_t weights = weights_of(problem);

	for (size_t row = 0; row < problem->rows; row++)
		memcpy(problem->keep + row * problem->columns,
		       choice + row * weights, weights);
}

/* All rows as one, or each by itself with its part of those that stay. */
static int select_wanda(const struct layer_problem *problem, bool by_rows,
			const float *scores, uint8_t *choice)
{
	size_t groups = by_rows ? problem->rows : 1;
	size_t count = problem->rows * weights_of(problem) / groups;
	size_t kept = layer_problem_kept(problem);
	int ret = 0;

	for (size_t i = 0; i < groups && !ret; i++)
		ret = prune_select(scores + i * count, count,
				   kept * (i + 1) / groups - kept * i / groups,
				   choice + i * count);
	return ret;
}

static int solve_wanda(void *context, struct layer_problem *problem)
{
	const bool *by_rows = context;
	size_t size = problem->rows * problem->columns;
	float *scores = malloc((size + 1) * sizeof(*scores));
	uint8_t *choice = malloc(size + 1);
	int ret = -ENOMEM;

	if (scores && choice) {
		score_wanda(problem, scores);
		ret = select_wanda(problem, *by_rows, scores, choice);
	}
	if (!ret)
		write_choice(problem, choice);
	free(scores);
	free(choice);
	return ret ? accel_error(ret, "%s: no memory for its scores",
				 problem->name) :
		     0;
}

int second_order_wanda(const struct prune_method_context *context,
		       struct graph *pruned, struct prune_mask *mask)
{
	bool by_rows = context->budget->scope == PRUNE_PER_LAYER;

	return run(context, pruned, mask,
		   (struct layer_solver){ .solve = solve_wanda,
					  .context = &by_rows });
}
