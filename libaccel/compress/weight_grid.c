/* SPDX-License-Identifier: MIT */
#include <compress/weight_grid.h>

#include <compress/weight_code.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { WEIGHT = 1, RECURRENCE };

/* ---- records ---- */

/* Channels of the result, or rows of gates, lie along this axis of the weights. */
static int row_axis(const struct graph_node *node)
{
	return node->op == GRAPH_CONV_TRANSPOSE ||
			       graph_op_is_recurrent(node->op) ?
		       1 :
		       0;
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

/* Where the rows are several problems, there is no step that all of them know. */
static bool may_have_steps(const struct graph *graph,
			   const struct graph_node *node,
			   const struct weight_format *format)
{
	bool by_rows = format->granularity == WEIGHT_PER_CHANNEL;

	if (graph_op_is_recurrent(node->op))
		return by_rows &&
		       graph->tensors[node->inputs[WEIGHT]].shape.dims[0] == 1;
	return node->op == GRAPH_GEMM || node->conv.group == 1 ||
	       (by_rows && node->op == GRAPH_CONV);
}

static bool may_open(const struct graph *graph, const struct graph_node *node,
		     int slot, const struct prune_mask *mask,
		     const struct weight_format *formats)
{
	int tensor = node->inputs[slot];
	const struct weight_format *format = &formats[tensor];

	return mask->keep[tensor] && format->kind == WEIGHT_INTEGER &&
	       format->granularity != WEIGHT_PER_GROUP &&
	       may_have_steps(graph, node, format) &&
	       !graph->tensors[tensor].quantization &&
	       graph_tensor_use_count(graph, tensor) == 1;
}

/* The last of the inputs that are its weights; 0: none is. */
static int last_weight(const struct graph_node *node)
{
	if (graph_op_is_recurrent(node->op))
		return RECURRENCE;
	return graph_op_is_linear(node->op) && !node->structural ? WEIGHT : 0;
}

/* All weights of a node, or none of them. */
static int open_node(struct graph *graph, int index, const bool *wanted,
		     const struct prune_mask *mask,
		     const struct weight_format *formats, bool *opened)
{
	const struct graph_node *node = &graph->nodes[index];
	int last = last_weight(node), ret = 0;

	for (int slot = WEIGHT; slot <= last; slot++)
		if (!wanted[node->inputs[slot]] ||
		    !may_open(graph, node, slot, mask, formats))
			return 0;
	for (int slot = WEIGHT; slot <= last && !ret; slot++) {
		opened[node->inputs[slot]] = true;
		ret = open_record(&graph->tensors[node->inputs[slot]],
				  row_axis(node));
	}
	return ret;
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
	for (int n = 0; n < graph->node_count && !ret; n++)
		ret = open_node(graph, n, wanted, mask, formats, opened);
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
		     const struct layer_problem *problem, size_t first,
		     size_t end, float *found, float *steps)
{
	size_t weights = end - first, count = 0;

	for (size_t row = 0; row < problem->rows; row++) {
		size_t at = row * problem->columns + first;

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

int weight_grid_fit(const struct graph *graph,
		    const struct weight_format *formats,
		    const struct layer_problem *problem,
		    struct column_grid grids[COLUMN_GRIDS_MAX])
{
	float *found =
		malloc((problem->rows * problem->columns + 1) * sizeof(*found));
	size_t first = 0;

	if (!found)
		return -ENOMEM;
	for (int p = 0; p < problem->part_count; p++) {
		const struct layer_part *part = &problem->parts[p];
		const struct weight_format *format = &formats[part->tensor];
		float *steps =
			graph->tensors[part->tensor].quantization->scale +
			part->first_row;

		fit_rows(format, problem, first, part->end, found, steps);
		grids[p] = (struct column_grid){
			.end = part->end,
			.row_scales = steps,
			.code_max = weight_format_code_max(format),
		};
		first = part->end;
	}
	free(found);
	return 0;
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
