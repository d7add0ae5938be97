/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compress/fold.h"
#include "core/error.h"

/* ---- sums and products with constants ---- */

/*
 * The axis of the operand along which the constant varies: axis 1 or the last one
 * for a single number, −1 if it varies along several.
 */
static int constant_axis(const struct graph_shape *constant,
			 const struct graph_shape *operand)
{
	int shift = operand->rank - constant->rank;
	int axis = -2;

	if (shift < 0)
		return -1;
	for (int i = 0; i < constant->rank; i++) {
		if (constant->dims[i] == 1)
			continue;
		if (axis != -2 || constant->dims[i] != operand->dims[i + shift])
			return -1;
		axis = i + shift;
	}
	if (axis == -2)
		axis = operand->rank == 4 ? 1 : operand->rank - 1;
	return axis;
}

static int add_splat(struct graph *graph, const char *name, float value)
{
	struct graph_shape shape = { .rank = 1, .dims = { 1 } };

	return graph_add_constant(graph, name, &shape, &value);
}

static int make_affine(struct graph *graph, int index, int operand,
		       int constant, int axis)
{
	bool multiply = graph->nodes[index].op == GRAPH_MULTIPLY;
	const struct graph_tensor *values = &graph->tensors[constant];
	int64_t count = graph_shape_count(&values->shape);
	struct graph_shape shape = { .rank = 1, .dims = { count } };
	struct graph_node *node;
	int *inputs = malloc(3 * sizeof(*inputs));
	int vector, splat;

	if (!inputs)
		return accel_error(-ENOMEM, "out of memory");
	vector = graph_add_constant(graph, values->name, &shape, values->data);
	splat = add_splat(graph, graph->nodes[index].name, multiply ? 0 : 1);
	if (vector < 0 || splat < 0) {
		free(inputs);
		return vector < 0 ? vector : splat;
	}
	inputs[0] = operand;
	inputs[1] = multiply ? vector : splat;
	inputs[2] = multiply ? splat : vector;
	node = &graph->nodes[index];
	free(node->inputs);
	node->inputs = inputs;
	node->input_count = 3;
	node->op = GRAPH_AFFINE;
	node->axis = axis;
	return 0;
}

static int fold_constant_operand(struct graph *graph, int index)
{
	const struct graph_node *node = &graph->nodes[index];
	int constant = 1, axis;

	if ((node->op != GRAPH_ADD && node->op != GRAPH_MULTIPLY) ||
	    node->input_count != 2)
		return 0;
	if (graph_tensor_is_constant(graph, node->inputs[0]))
		constant = 0;
	if (!graph_tensor_is_constant(graph, node->inputs[constant]) ||
	    graph_tensor_is_constant(graph, node->inputs[!constant]))
		return 0;
	axis = constant_axis(&graph->tensors[node->inputs[constant]].shape,
			     &graph->tensors[node->inputs[!constant]].shape);
	if (axis < 0)
		return 0;
	return make_affine(graph, index, node->inputs[!constant],
			   node->inputs[constant], axis);
}

/* ---- affine nodes into the linear layer before them ---- */

/* The node's output channel of element i of the weight. */
static int64_t weight_channel(const struct graph_node *node,
			      const struct graph_shape *shape, int64_t i)
{
	int64_t inner = 1;

	for (int d = 1; d < shape->rank; d++)
		inner *= shape->dims[d];
	if (node->op != GRAPH_CONV_TRANSPOSE)
		return i / inner;
	/* [C, M / group, …]: input channels of a group lie together. */
	return i / inner / (shape->dims[0] / node->conv.group) *
		       shape->dims[1] +
	       i % inner / (inner / shape->dims[1]);
}

static int64_t output_channels(const struct graph_node *node,
			       const struct graph_shape *weight)
{
	return node->op == GRAPH_CONV_TRANSPOSE ?
		       weight->dims[1] * node->conv.group :
		       weight->dims[0];
}

static float element(const struct graph *graph, int tensor, int64_t i)
{
	const struct graph_tensor *vector = &graph->tensors[tensor];

	return vector->data[vector->shape.dims[0] > 1 ? i : 0];
}

/* New weights, since other nodes may share the old ones. */
static int scale_weight(struct graph *graph, int index, int scale)
{
	const struct graph_node *node = &graph->nodes[index];
	struct graph_shape shape = graph->tensors[node->inputs[1]].shape;
	int64_t count = graph_shape_count(&shape);
	int weight = graph_add_constant(graph,
					graph->tensors[node->inputs[1]].name,
					&shape,
					graph->tensors[node->inputs[1]].data);

	if (weight < 0)
		return weight;
	node = &graph->nodes[index];
	for (int64_t i = 0; i < count; i++)
		graph->tensors[weight].data[i] *=
			element(graph, scale, weight_channel(node, &shape, i));
	return weight;
}

static int scale_bias(struct graph *graph, int index, int scale, int shift)
{
	const struct graph_node *node = &graph->nodes[index];
	int64_t channels =
		output_channels(node, &graph->tensors[node->inputs[1]].shape);
	struct graph_shape shape = { .rank = 1, .dims = { channels } };
	int old = node->input_count > 2 ? node->inputs[2] : GRAPH_NO_TENSOR;
	int bias = graph_add_constant(graph, node->name, &shape, NULL);

	for (int64_t i = 0; bias >= 0 && i < channels; i++) {
		float value = old >= 0 ? graph->tensors[old].data[i] : 0;

		graph->tensors[bias].data[i] =
			value * element(graph, scale, i) +
			element(graph, shift, i);
	}
	return bias;
}

static int replace_weights(struct graph *graph, int index, int weight, int bias)
{
	struct graph_node *node = &graph->nodes[index];
	int *inputs = malloc(3 * sizeof(*inputs));

	if (!inputs)
		return accel_error(-ENOMEM, "out of memory");
	inputs[0] = node->inputs[0];
	inputs[1] = weight;
	inputs[2] = bias;
	free(node->inputs);
	node->inputs = inputs;
	node->input_count = 3;
	return 0;
}

static bool affine_fits(const struct graph *graph,
			const struct graph_node *affine, int linear)
{
	const struct graph_node *node;
	int output = affine->inputs[0];

	if (linear < 0)
		return false;
	node = &graph->nodes[linear];
	return graph_op_is_linear(node->op) && !node->structural &&
	       graph_tensor_use_count(graph, output) == 1 &&
	       !graph->tensors[output].quantization &&
	       affine->axis == (node->op == GRAPH_GEMM ?
					graph->tensors[output].shape.rank - 1 :
					1);
}

static int fold_affine(struct graph *graph, int index)
{
	const struct graph_node *affine = &graph->nodes[index];
	int scale, shift, linear, weight, bias, ret;

	if (affine->op != GRAPH_AFFINE || affine->input_count != 3)
		return 0;
	linear = graph->tensors[affine->inputs[0]].producer;
	if (!affine_fits(graph, affine, linear))
		return 0;
	scale = affine->inputs[1];
	shift = affine->inputs[2];
	weight = scale_weight(graph, linear, scale);
	bias = scale_bias(graph, linear, scale, shift);
	if (weight < 0 || bias < 0)
		return weight < 0 ? weight : bias;
	ret = replace_weights(graph, linear, weight, bias);
	if (ret)
		return ret;
	affine = &graph->nodes[index];
	ret = graph_replace_uses(graph, affine->outputs[0], affine->inputs[0]);
	if (!ret)
		graph_remove_node(graph, index);
	return ret;
}

/* ---- activations before reshapes ---- */

/* Exchange what two neighbours do; who reads and makes what stays. */
static void swap_nodes(struct graph_node *a, struct graph_node *b)
{
	struct graph_node old = *a;

	*a = *b;
	a->inputs = old.inputs;
	a->outputs = old.outputs;
	a->input_count = old.input_count;
	a->output_count = old.output_count;
	old.inputs = b->inputs;
	old.outputs = b->outputs;
	old.input_count = b->input_count;
	old.output_count = b->output_count;
	*b = old;
}

/* true if it moved: the tensor between them has another shape now. */
static bool hoist_activation(struct graph *graph, int index)
{
	struct graph_node *node = &graph->nodes[index], *before;
	struct graph_tensor *between;

	if (!graph_op_is_activation(node->op) || node->op == GRAPH_PRELU ||
	    node->input_count != 1)
		return false;
	between = &graph->tensors[node->inputs[0]];
	if (between->producer < 0 ||
	    graph_tensor_use_count(graph, node->inputs[0]) != 1)
		return false;
	before = &graph->nodes[between->producer];
	if (before->op != GRAPH_RESHAPE && before->op != GRAPH_TRANSPOSE)
		return false;
	/* A file's own quantization belongs to values, not to places. */
	if (between->quantization ||
	    graph->tensors[node->outputs[0]].quantization)
		return false;
	between->shape = graph->tensors[before->inputs[0]].shape;
	swap_nodes(before, node);
	return true;
}

int fold_graph(struct graph *graph)
{
	bool moved = true;
	int ret = 0;

	for (int n = 0; !ret && n < graph->node_count; n++)
		ret = fold_constant_operand(graph, n);
	for (int n = 0; !ret && n < graph->node_count; n++)
		ret = fold_affine(graph, n);
	while (!ret && moved) {
		moved = false;
		for (int n = 0; n < graph->node_count; n++)
			moved |= hoist_activation(graph, n);
	}
	return ret ? ret : graph_compact(graph);
}
