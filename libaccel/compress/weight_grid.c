/* SPDX-License-Identifier: MIT */
#include <compress/weight_grid.h>

#include <compress/weight_code.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { WEIGHT = 1 };

/* ---- records ---- */

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

static bool may_open(const struct graph *graph, const struct graph_node *node,
		     const struct prune_mask *mask,
		     const struct weight_format *formats)
{
	int tensor = node->inputs[WEIGHT];
	const struct weight_format *format = &formats[tensor];

	return mask->keep[tensor] && format->kind == WEIGHT_INTEGER &&
	       format->granularity != WEIGHT_PER_GROUP &&
	       (node->op == GRAPH_GEMM || node->conv.group == 1) &&
	       !graph->tensors[tensor].quantization &&
	       graph_tensor_use_count(graph, tensor) == 1;
}

static bool is_layer(const struct graph_node *node)
{
	return graph_op_is_linear(node->op) && !node->structural;
}

int weight_grid_open(struct graph *graph, const struct prune_mask *mask,
		     const struct weight_format *formats, bool *opened)
{
	bool *wanted = calloc((size_t)graph->tensor_count + 1, sizeof(*wanted));
	int ret = wanted ? 0 : -ENOMEM;

	for (int t = 0; t < graph->tensor_count && !ret; t++) {
		wanted[t] = opened[t];
		opened[t] = false;
	}
	for (int n = 0; n < graph->node_count && !ret; n++) {
		const struct graph_node *node = &graph->nodes[n];
		int tensor;

		if (!is_layer(node) || !wanted[node->inputs[WEIGHT]] ||
		    !may_open(graph, node, mask, formats))
			continue;
		tensor = node->inputs[WEIGHT];
		opened[tensor] = true;
		ret = open_record(&graph->tensors[tensor], row_axis(node));
	}
	free(wanted);
	return ret;
}

/* ---- steps ---- */

static size_t collect(const float *values, const uint8_t *keep, size_t count,
		      float *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (keep[i])
			found[kept++] = values[i];
	return kept;
}

/* @found: room for all of the problem's weights */
static void fit_rows(const struct weight_format *format,
		     const struct layer_problem *problem, float *found,
		     float *steps)
{
	size_t weights = problem->columns - problem->constant, count = 0;

	for (size_t row = 0; row < problem->rows; row++) {
		size_t at = row * problem->columns;

		if (format->granularity != WEIGHT_PER_TENSOR)
			count = 0;
		count += collect(problem->values + at, problem->keep + at,
				 weights, found + count);
		steps[row] = (float)weight_integer_scale(format, found, count);
	}
	for (size_t row = 0;
	     format->granularity == WEIGHT_PER_TENSOR && row < problem->rows;
	     row++)
		steps[row] = steps[problem->rows - 1];
}

const float *weight_grid_fit(const struct graph *graph,
			     const struct weight_format *format,
			     const struct layer_problem *problem)
{
	float *steps = graph->tensors[problem->tensor].quantization->scale +
		       problem->first_row;
	float *found =
		malloc((problem->rows * problem->columns + 1) * sizeof(*found));

	if (!found)
		return NULL;
	fit_rows(format, problem, found, steps);
	free(found);
	return steps;
}

/* ---- the nearest code ---- */

/* Weights of a row lie @inner together, @count · @inner apart. */
struct rows {
	float *values;
	size_t outer, count, inner;
};

static struct rows rows_of(const struct graph_tensor *weight)
{
	struct rows rows = { .values = weight->data, .outer = 1, .inner = 1 };
	int axis = weight->quantization->axis;

	rows.count = (size_t)weight->shape.dims[axis];
	for (int i = 0; i < weight->shape.rank; i++)
		if (i < axis)
			rows.outer *= (size_t)weight->shape.dims[i];
		else if (i > axis)
			rows.inner *= (size_t)weight->shape.dims[i];
	return rows;
}

static float *row_at(const struct rows *rows, size_t row, size_t outer)
{
	return rows->values + (outer * rows->count + row) * rows->inner;
}

static void gather_row(const struct rows *rows, size_t row, float *found)
{
	size_t count = 0;

	for (size_t o = 0; o < rows->outer; o++)
		for (size_t i = 0; i < rows->inner; i++)
			found[count++] = row_at(rows, row, o)[i];
}

static void round_row(const struct rows *rows, size_t row, float step,
		      float most)
{
	for (size_t o = 0; o < rows->outer; o++)
		for (size_t i = 0; i < rows->inner; i++) {
			float *value = &row_at(rows, row, o)[i];
			float code = rintf(*value / step);

			*value = step * fminf(fmaxf(code, -most), most);
		}
}

static int round_tensor(struct graph_tensor *weight,
			const struct weight_format *format)
{
	bool shared = format->granularity == WEIGHT_PER_TENSOR;
	float *steps = weight->quantization->scale;
	struct rows rows = rows_of(weight);
	size_t length = rows.outer * rows.inner;
	float *found = malloc((length + 1) * sizeof(*found));

	if (!found)
		return -ENOMEM;
	if (shared)
		steps[0] = (float)weight_integer_scale(format, rows.values,
						       rows.count * length);
	for (size_t row = 0; row < rows.count; row++) {
		gather_row(&rows, row, found);
		steps[row] = shared ? steps[0] :
				      (float)weight_integer_scale(format, found,
								  length);
		round_row(&rows, row, steps[row],
			  (float)weight_format_code_max(format));
	}
	free(found);
	return 0;
}

int weight_grid_round(struct graph *graph, const struct weight_format *formats,
		      const bool *opened)
{
	int ret = 0;

	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (opened[t])
			ret = round_tensor(&graph->tensors[t], &formats[t]);
	return ret;
}
