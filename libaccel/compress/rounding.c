/* SPDX-License-Identifier: MIT */
#include <compress/rounding.h>

#include <compress/hessian.h>
#include <compress/reconstruct.h>
#include <compress/sparsegpt.h>
#include <compress/weight_code.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT = 1 };

/**
 * struct rounding - one call
 * @graph: that is rounded
 * @formats: of its tensors
 * @suits: of each tensor: is it to be rounded here?
 */
struct rounding {
	struct graph *graph;
	const struct weight_format *formats;
	bool *suits;
};

int rounding_parse(const char *text, enum rounding_method *method)
{
	*method = strcmp(text, "gptq") ? ROUNDING_NEAREST : ROUNDING_GPTQ;
	if (*method == ROUNDING_GPTQ || !strcmp(text, "nearest"))
		return 0;
	return accel_error(-EINVAL, "%s: rounding is nearest or gptq", text);
}

/* ---- scales ---- */

/* Channels of the result lie along this axis of the weights. */
static int row_axis(const struct graph_node *node)
{
	return node->op == GRAPH_CONV_TRANSPOSE ? 1 : 0;
}

/* All are positive, and there are no zero points: what lowering takes as it is. */
static int open_record(struct graph_tensor *weight, int axis)
{
	struct graph_quantization *record = calloc(1, sizeof(*record));
	size_t count = (size_t)weight->shape.dims[axis];

	if (!record)
		return -ENOMEM;
	weight->quantization = record;
	*record = (struct graph_quantization){
		.count = (int64_t)count,
		.axis = axis,
		.scale = calloc(count + 1, sizeof(*record->scale)),
		.zero_point = calloc(count + 1, sizeof(*record->zero_point)),
		.low = -128,
		.high = 127,
	};
	return record->scale && record->zero_point ? 0 : -ENOMEM;
}

static size_t collect_kept(const float *values, const uint8_t *keep,
			   size_t count, float *kept)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if (keep[i])
			kept[found++] = values[i];
	return found;
}

/* Of what is kept of each row, as it is before the sweep. */
static void find_row_scales(const struct layer_problem *problem,
			    const struct weight_format *format, float *kept,
			    float *scales)
{
	size_t weights = problem->columns - problem->constant;

	for (size_t row = 0; row < problem->rows; row++) {
		size_t at = row * problem->columns;
		size_t count = collect_kept(problem->values + at,
					    problem->keep + at, weights, kept);

		scales[row] = (float)weight_integer_scale(format, kept, count);
	}
}

static void share_scale(const struct layer_problem *problem,
			const struct weight_format *format, float *kept,
			float *scales)
{
	size_t weights = problem->columns - problem->constant, count = 0;

	for (size_t row = 0; row < problem->rows; row++) {
		size_t at = row * problem->columns;

		count += collect_kept(problem->values + at, problem->keep + at,
				      weights, kept + count);
	}
	scales[0] = (float)weight_integer_scale(format, kept, count);
	for (size_t row = 1; row < problem->rows; row++)
		scales[row] = scales[0];
}

static int find_scales(const struct layer_problem *problem,
		       const struct weight_format *format, float *scales)
{
	float *kept =
		malloc((problem->rows * problem->columns + 1) * sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	if (format->granularity == WEIGHT_PER_TENSOR)
		share_scale(problem, format, kept, scales);
	else
		find_row_scales(problem, format, kept, scales);
	free(kept);
	return 0;
}

/* ---- a layer ---- */

static int sweep(struct layer_problem *problem,
		 const struct weight_format *format, const float *scales)
{
	struct hessian hessian;
	const struct sparsegpt rounding = {
		.hessian = &hessian,
		.rows = problem->rows,
		.constant = problem->constant,
		.weights = problem->values,
		.keep = problem->keep,
		.row_scales = scales,
		.code_max = weight_format_code_max(format),
		.workers = problem->workers,
	};
	int ret = hessian_factor(&hessian, layer_problem_hessian(problem),
				 problem->columns, problem->constant,
				 HESSIAN_DAMPING);

	if (!ret)
		ret = sparsegpt_sweep(&rounding);
	hessian_release(&hessian);
	return ret;
}

static int round_layer(void *context, struct layer_problem *problem)
{
	const struct rounding *rounding = context;
	const struct weight_format *format =
		&rounding->formats[problem->tensor];
	struct graph_quantization *record =
		rounding->graph->tensors[problem->tensor].quantization;
	float *scales = record->scale + problem->first_row;
	int ret = find_scales(problem, format, scales);

	if (!ret)
		ret = sweep(problem, format, scales);
	return ret ? accel_error_prefix(ret, "%s", problem->name) : 0;
}

/* ---- all of them ---- */

static bool may_round(const struct rounding *rounding,
		      const struct graph_node *node,
		      const struct prune_mask *mask)
{
	int tensor = node->inputs[WEIGHT];
	const struct weight_format *format = &rounding->formats[tensor];

	return mask->keep[tensor] && format->kind == WEIGHT_INTEGER &&
	       format->granularity != WEIGHT_PER_GROUP &&
	       (node->op == GRAPH_GEMM || node->conv.group == 1) &&
	       !rounding->graph->tensors[tensor].quantization &&
	       graph_tensor_use_count(rounding->graph, tensor) == 1;
}

static int open_records(struct rounding *rounding,
			const struct prune_mask *mask)
{
	struct graph *graph = rounding->graph;
	int ret = 0;

	for (int n = 0; n < graph->node_count && !ret; n++) {
		const struct graph_node *node = &graph->nodes[n];

		if (!graph_op_is_linear(node->op) || node->structural ||
		    !may_round(rounding, node, mask))
			continue;
		rounding->suits[node->inputs[WEIGHT]] = true;
		ret = open_record(&graph->tensors[node->inputs[WEIGHT]],
				  row_axis(node));
	}
	return ret;
}

int rounding_gptq(struct graph *graph, struct prune_mask *mask,
		  const struct weight_format *formats,
		  const struct calibration_data *data, int workers,
		  const struct compress_progress *progress)
{
	struct graph *before = graph_clone(graph);
	struct rounding rounding = {
		.graph = graph,
		.formats = formats,
		.suits = calloc((size_t)graph->tensor_count + 1,
				sizeof(*rounding.suits)),
	};
	const struct layer_solver solver = {
		.solve = round_layer,
		.tensors = rounding.suits,
		.context = &rounding,
		.progress = progress,
	};
	int ret = before && rounding.suits ? open_records(&rounding, mask) :
					     -ENOMEM;

	if (ret)
		accel_error(ret, "no memory to round weights");
	else
		ret = reconstruct_layers(before, graph, mask, data, &solver,
					 workers);
	free(rounding.suits);
	graph_destroy(before);
	return ret;
}
