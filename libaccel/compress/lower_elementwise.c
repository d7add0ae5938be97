/* SPDX-License-Identifier: MIT */
/* Sums and products of two tensors, activations on their own, pools. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "compress/lowering.h"

/* Bind a tensor as the result of the newest layer. */
static int finish(struct lowering *lowering, int output,
		  const uint8_t axis[GRAPH_MAX_RANK])
{
	struct lower_layer *layer =
		&lowering->layers[lowering->layer_count - 1];
	int tensor = output < 0 ? output : lower_bind(lowering, output, axis);

	if (tensor < 0)
		return tensor;
	layer->model.outputs[0] = tensor;
	layer->model.output_count = 1;
	return 0;
}

/* The same, after the clamps that its rounding can absorb. */
static int finish_clamped(struct lowering *lowering, int node,
			  const uint8_t axis[GRAPH_MAX_RANK])
{
	struct lower_layer *layer =
		&lowering->layers[lowering->layer_count - 1];

	return finish(lowering,
		      lower_claim_functions(lowering, node, NULL,
					    &layer->clamp),
		      axis);
}

/* Do b's axes equal a's, or are they 1 where these are rows and columns? */
static bool broadcasts(const struct lowering *lowering, int a, int b)
{
	const struct graph_shape *x = &lowering->graph->tensors[a].shape;
	const struct graph_shape *y = &lowering->graph->tensors[b].shape;
	const uint8_t *axis = lowering->views[a].axis;

	if (x->rank != y->rank)
		return false;
	for (int i = 0; i < x->rank; i++)
		if (x->dims[i] != y->dims[i] &&
		    (y->dims[i] != 1 ||
		     (axis[i] != LOWER_HEIGHT && axis[i] != LOWER_WIDTH)))
			return false;
	return true;
}

/* Put the larger operand first. */
static int order_operands(const struct lowering *lowering, int index, int *a,
			  int *b)
{
	const struct graph_node *node = &lowering->graph->nodes[index];

	*a = node->inputs[0];
	*b = node->inputs[1];
	if (graph_tensor_is_constant(lowering->graph, *a) ||
	    graph_tensor_is_constant(lowering->graph, *b))
		return lower_error(
			lowering, index,
			"a constant operand has to be one number or one per channel");
	if (broadcasts(lowering, *a, *b))
		return 0;
	*a = node->inputs[1];
	*b = node->inputs[0];
	if (broadcasts(lowering, *a, *b))
		return 0;
	return lower_error(
		lowering, index,
		"operands of different shape: rows and columns may be 1, nothing else");
}

int lower_elementwise(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	uint8_t axis[GRAPH_MAX_RANK];
	struct lower_layer *layer;
	int a, b, ret;

	ret = order_operands(lowering, index, &a, &b);
	if (ret)
		return ret;
	memcpy(axis, lowering->views[a].axis, sizeof(axis));
	a = lower_operand(lowering, index, a, axis);
	if (a < 0)
		return a;
	b = lower_operand(lowering, index, b, axis);
	if (b < 0)
		return b;
	layer = lower_layer_add(lowering, index,
				node->op == GRAPH_ADD ? MODEL_ADD :
							MODEL_MULTIPLY);
	if (!layer)
		return -ENOMEM;
	layer->model.inputs[0] = a;
	layer->model.inputs[1] = b;
	layer->model.input_count = 2;
	return finish_clamped(lowering, index, axis);
}

int lower_table(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	uint8_t axis[GRAPH_MAX_RANK];
	struct lower_layer *layer;
	int input, output, ret = 0;

	memcpy(axis, lowering->views[node->inputs[0]].axis, sizeof(axis));
	if (lower_axis_parameters(lowering->graph, index))
		ret = lower_channel_axes(lowering, index, node->inputs[0],
					 node->axis, axis);
	if (ret)
		return ret;
	input = lower_operand(lowering, index, node->inputs[0], axis);
	if (input < 0)
		return input;
	layer = lower_layer_add(lowering, index, MODEL_TABLE);
	if (!layer)
		return -ENOMEM;
	layer->model.inputs[0] = input;
	layer->model.input_count = 1;
	ret = function_append_node(&layer->function, lowering->graph, index);
	if (ret)
		return ret;
	output = lower_claim_functions(lowering, index, axis, &layer->function);
	if (graph_tensor_use_count(lowering->graph, node->inputs[0]) == 1)
		lower_clip_range(&lowering->tensors[input].range,
				 &layer->function);
	return finish(lowering, output, axis);
}

static void set_window(const struct graph_pool *pool,
		       struct model_window *window)
{
	*window = (struct model_window){
		.kernel_height = (uint32_t)pool->kernel[0],
		.kernel_width = (uint32_t)pool->kernel[1],
		.stride_height = (uint32_t)pool->stride[0],
		.stride_width = (uint32_t)pool->stride[1],
		.dilation_height = (uint32_t)pool->dilation[0],
		.dilation_width = (uint32_t)pool->dilation[1],
		.pad_top = (int32_t)pool->pads[0],
		.pad_left = (int32_t)pool->pads[1],
		.pad_bottom = (int32_t)pool->pads[2],
		.pad_right = (int32_t)pool->pads[3],
		.same_upper = pool->auto_pad == GRAPH_PAD_SAME_UPPER,
		.same_lower = pool->auto_pad == GRAPH_PAD_SAME_LOWER,
		.ceil_mode = pool->ceil_mode,
	};
}

int lower_pool(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	enum model_op op = node->op == GRAPH_MAX_POOL ? MODEL_POOL_MAX :
							MODEL_POOL_AVERAGE;
	uint8_t axis[GRAPH_MAX_RANK];
	struct lower_layer *layer;
	int input, ret;

	ret = lower_axes(lowering, index, 4, axis);
	if (ret)
		return ret;
	input = lower_operand(lowering, index, node->inputs[0], axis);
	if (input < 0)
		return input;
	layer = lower_layer_add(lowering, index, op);
	if (!layer)
		return -ENOMEM;
	layer->model.inputs[0] = input;
	layer->model.input_count = 1;
	if (node->op != GRAPH_GLOBAL_AVERAGE_POOL) {
		set_window(&node->pool, &layer->model.pool.window);
		layer->model.pool.count_padding = node->pool.count_include_pad;
	}
	if (op == MODEL_POOL_AVERAGE)
		return finish_clamped(lowering, index, axis);
	ret = finish(lowering, node->outputs[0], axis);
	layer = &lowering->layers[lowering->layer_count - 1];
	if (!ret)
		lower_unite(lowering, input, layer->model.outputs[0]);
	return ret;
}
