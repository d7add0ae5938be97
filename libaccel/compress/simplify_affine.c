/* SPDX-License-Identifier: MIT */
/*
 * Batch normalization and constant factors become part of a linear layer. All
 * sums are made in binary64 and rounded once.
 */
#include <compress/graph_shape.h>
#include <compress/simplify.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* x·scale + shift for each element of an axis; of one element: everywhere. */
struct affine {
	int axis;
	int64_t count;
	double *scale;
	double *shift;
};

static void affine_clear(struct affine *affine)
{
	free(affine->scale);
	free(affine->shift);
	memset(affine, 0, sizeof(*affine));
}

static int affine_allocate(struct affine *affine, int axis, int64_t count)
{
	affine->axis = axis;
	affine->count = count;
	affine->scale = malloc((size_t)count * sizeof(*affine->scale));
	affine->shift = malloc((size_t)count * sizeof(*affine->shift));
	if (affine->scale && affine->shift)
		return 0;
	affine_clear(affine);
	return accel_error(-ENOMEM, "out of memory to fold constants");
}

static int affine_load(const struct graph *graph, const struct graph_node *node,
		       struct affine *affine)
{
	const struct graph_tensor *scale = &graph->tensors[node->inputs[1]];
	const struct graph_tensor *shift = &graph->tensors[node->inputs[2]];
	int64_t scales = scale->shape.dims[0], shifts = shift->shape.dims[0];
	int ret = affine_allocate(affine, node->axis,
				  scales > shifts ? scales : shifts);

	for (int64_t i = 0; i < affine->count && !ret; i++) {
		affine->scale[i] = (double)scale->data[scales == 1 ? 0 : i];
		affine->shift[i] = (double)shift->data[shifts == 1 ? 0 : i];
	}
	return ret;
}

static double scale_at(const struct affine *affine, int64_t i)
{
	return affine->scale[affine->count == 1 ? 0 : i];
}

static double shift_at(const struct affine *affine, int64_t i)
{
	return affine->shift[affine->count == 1 ? 0 : i];
}

static bool has_shift(const struct affine *affine)
{
	for (int64_t i = 0; i < affine->count; i++)
		if (affine->shift[i] != 0)
			return true;
	return false;
}

static bool is_identity(const struct affine *affine)
{
	for (int64_t i = 0; i < affine->count; i++)
		if (affine->scale[i] != 1)
			return false;
	return !has_shift(affine);
}

/* Give the node a constant of its own at an input, a copy if it is shared. */
static int own_constant(struct graph *graph, int node, int input)
{
	int tensor = graph->nodes[node].inputs[input];
	const struct graph_tensor *shared = &graph->tensors[tensor];

	if (graph_tensor_use_count(graph, tensor) == 1)
		return tensor;
	tensor = graph_add_constant(graph, shared->name, &shared->shape,
				    shared->data);
	if (tensor >= 0)
		graph->nodes[node].inputs[input] = tensor;
	return tensor;
}

/* The same for the bias, which may be absent: zeros then. */
static int own_bias(struct graph *graph, int node, int64_t rows)
{
	struct graph_node *linear = &graph->nodes[node];
	const struct graph_shape shape = { 1, { rows } };
	char name[256];
	int tensor, *inputs;

	if (linear->input_count > 2 && linear->inputs[2] != GRAPH_NO_TENSOR)
		return own_constant(graph, node, 2);
	snprintf(name, sizeof(name), "%s.bias", linear->name);
	tensor = graph_add_constant(graph, name, &shape, NULL);
	if (tensor < 0)
		return tensor;
	inputs = realloc(linear->inputs, 3 * sizeof(*inputs));
	if (!inputs)
		return accel_error(-ENOMEM, "out of memory to fold constants");
	linear->inputs = inputs;
	linear->inputs[2] = tensor;
	linear->input_count = 3;
	return tensor;
}

/* A weight as row, column, tap: how a linear layer's rows and columns lie. */
struct weight_view {
	int64_t rows; /* of the result */
	int64_t columns; /* channels of the input */
	int64_t group;
	int64_t outer; /* lengths of the stored axes */
	int64_t inner;
	int64_t taps;
	bool transposed; /* stored [column, row of its group, tap] */
};

static struct weight_view weight_view(const struct graph *graph,
				      const struct graph_node *node)
{
	const int64_t *dims = graph->tensors[node->inputs[1]].shape.dims;
	struct weight_view view = { .outer = dims[0],
				    .inner = dims[1],
				    .group = 1,
				    .taps = 1,
				    .rows = dims[0],
				    .columns = dims[1] };

	if (node->op == GRAPH_GEMM)
		return view;
	view.group = node->conv.group;
	view.taps = dims[2] * dims[3];
	view.columns = dims[1] * view.group;
	if (node->op == GRAPH_CONV_TRANSPOSE) {
		view.transposed = true;
		view.rows = dims[1] * view.group;
		view.columns = dims[0];
	}
	return view;
}

/* Row and column of the stored block (i, j). */
static void weight_position(const struct weight_view *view, int64_t i,
			    int64_t j, int64_t *row, int64_t *column)
{
	int64_t other = i / (view->outer / view->group) * view->inner + j;

	*row = view->transposed ? other : i;
	*column = view->transposed ? i : other;
}

static void scale_weight(float *data, const struct weight_view *view,
			 const struct affine *affine, bool by_row)
{
	for (int64_t i = 0; i < view->outer; i++)
		for (int64_t j = 0; j < view->inner; j++) {
			int64_t row, column;
			double scale;

			weight_position(view, i, j, &row, &column);
			scale = scale_at(affine, by_row ? row : column);
			for (int64_t k = 0; k < view->taps; k++, data++)
				*data = (float)((double)*data * scale);
		}
}

/* May the layer's constants change? Quantized ones hold stored integers. */
static bool is_foldable(const struct graph *graph,
			const struct graph_node *node)
{
	if (!graph_op_is_linear(node->op) || node->structural)
		return false;
	for (int i = 1; i < node->input_count; i++)
		if (node->inputs[i] != GRAPH_NO_TENSOR &&
		    graph->tensors[node->inputs[i]].quantization)
			return false;
	return true;
}

/* The layer's result, scaled and shifted. */
static int fold_into_rows(struct graph *graph, int node,
			  const struct affine *affine)
{
	struct weight_view view = weight_view(graph, &graph->nodes[node]);
	bool biased = graph->nodes[node].input_count > 2 || has_shift(affine);
	int weight = own_constant(graph, node, 1);
	int bias = biased ? own_bias(graph, node, view.rows) : 0;
	float *data;

	if (weight < 0 || bias < 0)
		return weight < 0 ? weight : bias;
	scale_weight(graph->tensors[weight].data, &view, affine, true);
	if (!biased)
		return 1;
	data = graph->tensors[bias].data;
	for (int64_t i = 0; i < view.rows; i++)
		data[i] = (float)((double)data[i] * scale_at(affine, i) +
				  shift_at(affine, i));
	return 1;
}

/* What the shift of the input adds to each row. */
static void shift_bias(float *bias, const float *weight,
		       const struct weight_view *view,
		       const struct affine *affine, double *sums)
{
	for (int64_t i = 0; i < view->outer; i++)
		for (int64_t j = 0; j < view->inner; j++) {
			int64_t row, column;

			weight_position(view, i, j, &row, &column);
			for (int64_t k = 0; k < view->taps; k++, weight++)
				sums[row] += (double)*weight *
					     shift_at(affine, column);
		}
	for (int64_t i = 0; i < view->rows; i++)
		bias[i] = (float)((double)bias[i] + sums[i]);
}

/* The layer's input, scaled and shifted. */
static int fold_into_columns(struct graph *graph, int node,
			     const struct affine *affine)
{
	struct weight_view view = weight_view(graph, &graph->nodes[node]);
	int weight = own_constant(graph, node, 1);

	if (weight < 0)
		return weight;
	if (has_shift(affine)) {
		int bias = own_bias(graph, node, view.rows);
		double *sums = calloc((size_t)view.rows, sizeof(*sums));

		if (bias < 0 || !sums) {
			free(sums);
			return bias < 0 ? bias : -ENOMEM;
		}
		shift_bias(graph->tensors[bias].data,
			   graph->tensors[weight].data, &view, affine, sums);
		free(sums);
	}
	scale_weight(graph->tensors[weight].data, &view, affine, false);
	return 1;
}

/* ---- on the way up ---- */

/* Are all dimensions up to an axis the same on both sides of a view? */
static bool same_prefix(const struct graph_shape *from,
			const struct graph_node *node, int axis)
{
	for (int i = 0; i <= axis; i++) {
		const struct graph_reshape_dim *dim = &node->reshape.dims[i];

		if (i >= from->rank)
			return false;
		if (dim->axis == GRAPH_RESHAPE_NUMBER ?
			    dim->numerator != from->dims[i] :
			    dim->axis != i || dim->numerator != 1 ||
				    dim->denominator != 1)
			return false;
	}
	return true;
}

/*
 * Rewrite factors of one axis of a view's result as those of an axis of its
 * input, as for the rows of a matrix that becomes the channels of an image.
 */
static int through_reshape(const struct graph *graph,
			   const struct graph_node *node, struct affine *affine)
{
	const struct graph_shape *from = &graph->tensors[node->inputs[0]].shape;
	const struct graph_shape *to = &graph->tensors[node->outputs[0]].shape;
	int64_t inner = 1, right = 1, length;
	struct affine old = *affine;

	if (same_prefix(from, node, affine->axis))
		return 1;
	for (int i = affine->axis + 1; i < to->rank; i++) {
		if (to->dims[i] < 0)
			return 0;
		inner *= to->dims[i];
	}
	for (int axis = from->rank - 1; axis >= 0; axis--) {
		length = from->dims[axis];
		if (length < 0)
			return 0;
		if (inner % right == 0 &&
		    right * length % (inner * old.count) == 0) {
			if (affine_allocate(affine, axis, length))
				return -ENOMEM;
			for (int64_t i = 0; i < length; i++) {
				int64_t at = i * right / inner % old.count;

				affine->scale[i] = old.scale[at];
				affine->shift[i] = old.shift[at];
			}
			affine_clear(&old);
			return 1;
		}
		right *= length;
	}
	return 0;
}

/* Channels of blocks of pixels from channels of pixels. */
static int through_blocks(const struct graph_node *node, struct affine *affine)
{
	int64_t block = node->depth_to_space.block;
	int64_t area = block * block;
	struct affine old = *affine;

	if (affine->axis != 1)
		return 0;
	if (affine_allocate(affine, 1, old.count * area))
		return -ENOMEM;
	for (int64_t i = 0; i < affine->count; i++) {
		int64_t at = node->depth_to_space.crd ? i / area :
							i % old.count;

		affine->scale[i] = old.scale[at];
		affine->shift[i] = old.shift[at];
	}
	affine_clear(&old);
	return 1;
}

static bool pads_axis(const struct graph_pad *pad, int axis)
{
	return pad->before[axis] || pad->after[axis];
}

/* Take factors from the result of a node that moves to its input: 1, 0, -errno */
static int through_node(const struct graph *graph,
			const struct graph_node *node, struct affine *affine)
{
	bool uniform = affine->count == 1;

	switch (node->op) {
	case GRAPH_RESHAPE:
		return uniform ? 1 : through_reshape(graph, node, affine);
	case GRAPH_TRANSPOSE:
		affine->axis = node->transpose.perm[affine->axis];
		return 1;
	case GRAPH_DEPTH_TO_SPACE:
		return uniform ? 1 : through_blocks(node, affine);
	case GRAPH_RESIZE_NEAREST:
		return uniform || affine->axis < 2;
	case GRAPH_SLICE:
		return uniform || affine->axis != node->slice.axis;
	case GRAPH_PAD:
		if (!uniform && pads_axis(&node->pad, affine->axis))
			return 0;
		return node->pad.mode != GRAPH_PAD_CONSTANT ||
		       (!node->pad.value && !has_shift(affine));
	default:
		return 0;
	}
}

static int row_axis(const struct graph *graph, const struct graph_node *node)
{
	if (node->op != GRAPH_GEMM)
		return 1;
	return graph->tensors[node->outputs[0]].shape.rank - 1;
}

static int fold_up_into(struct graph *graph, int index, int producer,
			const struct affine *affine)
{
	const struct graph_node *node = &graph->nodes[producer];

	if (affine->count != 1 &&
	    (affine->axis != row_axis(graph, node) ||
	     affine->count != weight_view(graph, node).rows))
		return 0;
	/* unless the result stays where it is: an output */
	if (!simplify_bypass(graph, index, graph->nodes[index].inputs[0]))
		return 0;
	return fold_into_rows(graph, producer, affine);
}

/* Into the layer that computes the input, past nodes that only move. */
static int climb(struct graph *graph, int index, struct affine *affine)
{
	int tensor = graph->nodes[index].inputs[0];

	while (simplify_is_private(graph, tensor)) {
		int producer = graph->tensors[tensor].producer;
		const struct graph_node *node = &graph->nodes[producer];
		int ret;

		if (is_foldable(graph, node))
			return fold_up_into(graph, index, producer, affine);
		ret = through_node(graph, node, affine);
		if (ret <= 0)
			return ret;
		tensor = node->inputs[0];
	}
	return 0;
}

static int fold_up(struct graph *graph, int index)
{
	struct affine affine;
	int ret = affine_load(graph, &graph->nodes[index], &affine);

	/* which is rewritten on the way */
	if (!ret)
		ret = climb(graph, index, &affine);
	affine_clear(&affine);
	return ret;
}

/* ---- on the way down ---- */

static int reader_of(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->node_count; i++)
		for (int j = 0; j < graph->nodes[i].input_count; j++)
			if (graph->nodes[i].inputs[j] == tensor)
				return i;
	return -1;
}

/* Padding is not shifted, so that only layers without it can be. */
static bool reads_padding(const struct graph_node *node)
{
	if (node->op == GRAPH_GEMM)
		return false;
	return node->op == GRAPH_CONV_TRANSPOSE ||
	       node->conv.auto_pad != GRAPH_PAD_EXPLICIT ||
	       node->conv.pads[0] || node->conv.pads[1] || node->conv.pads[2] ||
	       node->conv.pads[3];
}

/* Into the layer that reads the result. */
static int fold_down(struct graph *graph, int index,
		     const struct affine *affine)
{
	int input = graph->nodes[index].inputs[0];
	int output = graph->nodes[index].outputs[0];
	int reader;
	const struct graph_node *node;
	int axis = 1;

	if (!simplify_is_private(graph, output))
		return 0;
	reader = reader_of(graph, output);
	if (reader < 0)
		return 0;
	node = &graph->nodes[reader];
	if (!is_foldable(graph, node) ||
	    (has_shift(affine) && reads_padding(node)))
		return 0;
	if (node->op == GRAPH_GEMM)
		axis = graph->tensors[output].shape.rank - 1;
	if (affine->count != 1 && affine->axis != axis)
		return 0;
	if (!simplify_bypass(graph, index, input))
		return 0;
	return fold_into_columns(graph, reader, affine);
}

/* ---- two in a row ---- */

static int store(struct graph *graph, int index, const struct affine *affine)
{
	const struct graph_shape shape = { 1, { affine->count } };
	int scale, shift;

	scale = graph_add_constant(graph, graph->nodes[index].name, &shape,
				   NULL);
	shift = graph_add_constant(graph, graph->nodes[index].name, &shape,
				   NULL);
	if (scale < 0 || shift < 0)
		return -ENOMEM;
	for (int64_t i = 0; i < affine->count; i++) {
		graph->tensors[scale].data[i] = (float)affine->scale[i];
		graph->tensors[shift].data[i] = (float)affine->shift[i];
	}
	graph->nodes[index].axis = affine->axis;
	graph->nodes[index].inputs[1] = scale;
	graph->nodes[index].inputs[2] = shift;
	return 1;
}

/* Into the affine node that computes the input. */
static int merge(struct graph *graph, int index, const struct affine *second)
{
	int input = graph->nodes[index].inputs[0];
	int producer = graph->tensors[input].producer;
	struct affine first, both;
	int ret;

	if (!simplify_is_private(graph, input) ||
	    graph->nodes[producer].op != GRAPH_AFFINE)
		return 0;
	ret = affine_load(graph, &graph->nodes[producer], &first);
	if (ret)
		return ret;
	if (first.count != 1 && second->count != 1 &&
	    first.axis != second->axis) {
		affine_clear(&first);
		return 0;
	}
	ret = affine_allocate(
		&both, first.count == 1 ? second->axis : first.axis,
		first.count > second->count ? first.count : second->count);
	for (int64_t i = 0; i < both.count && !ret; i++) {
		both.scale[i] = scale_at(&first, i) * scale_at(second, i);
		both.shift[i] = shift_at(&first, i) * scale_at(second, i) +
				shift_at(second, i);
	}
	if (!ret)
		ret = store(graph, index, &both);
	if (ret > 0) {
		graph->nodes[index].inputs[0] =
			graph->nodes[producer].inputs[0];
		graph_remove_node(graph, producer);
	}
	affine_clear(&first);
	affine_clear(&both);
	return ret;
}

static int fold_node(struct graph *graph, int index)
{
	struct affine affine;
	int ret = affine_load(graph, &graph->nodes[index], &affine);

	if (ret)
		return ret;
	if (is_identity(&affine))
		ret = simplify_bypass(graph, index,
				      graph->nodes[index].inputs[0]);
	if (!ret)
		ret = merge(graph, index, &affine);
	if (!ret)
		ret = fold_up(graph, index);
	if (!ret)
		ret = fold_down(graph, index, &affine);
	affine_clear(&affine);
	return ret;
}

int simplify_affine(struct graph *graph)
{
	int changes = 0;

	for (int i = 0; i < graph->node_count; i++) {
		int ret;

		if (graph->nodes[i].op != GRAPH_AFFINE ||
		    !graph->nodes[i].input_count)
			continue;
		ret = fold_node(graph, i);
		if (ret < 0)
			return ret;
		changes += ret;
	}
	return changes;
}
