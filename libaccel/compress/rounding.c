/* SPDX-License-Identifier: MIT */
#include <compress/rounding.h>

#include <compress/adaround.h>
#include <compress/hessian.h>
#include <compress/reconstruct.h>
#include <compress/sparsegpt.h>
#include <compress/weight_grid.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct rounding - one graph
 * @graph: that is rounded
 * @formats: of its tensors
 * @suits: of each tensor: is it to be rounded here?
 * @method: by gptq or adaround
 * @solver: of its layers
 */
struct rounding {
	struct graph *graph;
	const struct weight_format *formats;
	bool *suits;
	enum rounding_method method;
	struct layer_solver solver;
};

static const char *const names[] = {
	[ROUNDING_NEAREST] = "nearest",
	[ROUNDING_GPTQ] = "gptq",
	[ROUNDING_ADAROUND] = "adaround",
};

int rounding_parse(const char *text, enum rounding_method *method)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			*method = (enum rounding_method)i;
			return 0;
		}
	return accel_error(-EINVAL, "%s: rounding is nearest, gptq or adaround",
			   text);
}

const char *rounding_name(enum rounding_method method)
{
	return names[method];
}

/* ---- a layer ---- */

static int sweep(struct layer_problem *problem, const struct column_grid *grids)
{
	struct hessian hessian;
	struct sparsegpt rounding = {
		.hessian = &hessian,
		.rows = problem->rows,
		.constant = problem->constant,
		.weights = problem->values,
		.keep = problem->keep,
		.grid_count = problem->part_count,
		.workers = problem->workers,
	};
	int ret = hessian_factor(&hessian, layer_problem_hessian(problem),
				 problem->columns, problem->constant,
				 HESSIAN_DAMPING);

	memcpy(rounding.grids, grids, sizeof(rounding.grids));
	if (!ret)
		ret = sparsegpt_sweep(&rounding);
	hessian_release(&hessian);
	return ret;
}

/* Of a problem of one part. */
static int learn(struct layer_problem *problem, const struct column_grid *grid)
{
	const struct adaround rounding = {
		.h = layer_problem_hessian(problem),
		.b = layer_problem_moments(problem),
		.rows = problem->rows,
		.columns = problem->columns,
		.constant = problem->constant,
		.weights = problem->values,
		.keep = problem->keep,
		.row_scales = grid->row_scales,
		.code_max = grid->code_max,
		.workers = problem->workers,
	};

	return adaround_solve(&rounding);
}

static int round_layer(void *context, struct layer_problem *problem)
{
	const struct rounding *rounding = context;
	struct column_grid grids[COLUMN_GRIDS_MAX] = { { 0 } };
	int ret = weight_grid_fit(rounding->graph, rounding->formats, problem,
				  grids);

	if (ret)
		ret = accel_error(ret, "no memory for its steps");
	else if (rounding->method == ROUNDING_ADAROUND)
		ret = learn(problem, grids);
	else
		ret = sweep(problem, grids);
	return ret ? accel_error_prefix(ret, "%s", problem->name) : 0;
}

/* ---- all of them ---- */

static bool *all_tensors(const struct graph *graph)
{
	size_t count = (size_t)graph->tensor_count + 1;
	bool *all = malloc(count * sizeof(*all));

	for (size_t i = 0; all && i < count; i++)
		all[i] = true;
	return all;
}

/* What is learned together has steps of one size in a row: not so a gate. */
static void leave_recurrent(const struct graph *graph, bool *suits)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		for (int i = 1; graph_op_is_recurrent(node->op) && i <= 2; i++)
			suits[node->inputs[i]] = false;
	}
}

int rounding_open(struct rounding **out, struct graph *graph,
		  enum rounding_method method, const struct prune_mask *mask,
		  const struct weight_format *formats,
		  const struct compress_progress *progress)
{
	struct rounding *rounding = calloc(1, sizeof(*rounding));
	int ret = -ENOMEM;

	*out = rounding;
	if (!rounding)
		return accel_error(ret, "no memory to round weights");
	*rounding = (struct rounding){
		.graph = graph,
		.formats = formats,
		.suits = all_tensors(graph),
		.method = method,
		.solver = { .solve = round_layer,
			    .context = rounding,
			    .progress = progress },
	};
	rounding->solver.tensors = rounding->suits;
	if (rounding->suits && method == ROUNDING_ADAROUND)
		leave_recurrent(graph, rounding->suits);
	if (rounding->suits)
		ret = weight_grid_open(graph, mask, formats, rounding->suits);
	return ret ? accel_error(ret, "no memory to round weights") : 0;
}

const struct layer_solver *rounding_solver(const struct rounding *rounding)
{
	return &rounding->solver;
}

void rounding_close(struct rounding *rounding)
{
	if (rounding)
		free(rounding->suits);
	free(rounding);
}

int rounding_by_data(struct graph *graph, enum rounding_method method,
		     struct prune_mask *mask,
		     const struct weight_format *formats,
		     const struct calibration_data *data, int workers,
		     const struct compress_progress *progress)
{
	struct graph *before = graph_clone(graph);
	struct rounding *rounding = NULL;
	int ret = before ? rounding_open(&rounding, graph, method, mask,
					 formats, progress) :
			   accel_error(-ENOMEM, "no memory to round weights");

	if (!ret)
		ret = reconstruct_layers(before, graph, mask, data,
					 rounding_solver(rounding), workers);
	rounding_close(rounding);
	graph_destroy(before);
	return ret;
}

int rounding_nearest(struct graph *graph, const struct prune_mask *mask,
		     const struct weight_format *formats)
{
	bool *suits = all_tensors(graph);
	int ret = suits ? weight_grid_open(graph, mask, formats, suits) :
			  -ENOMEM;

	if (!ret)
		ret = weight_grid_round(graph, formats, suits);
	free(suits);
	return ret ? accel_error(ret, "no memory to round weights") : 0;
}
