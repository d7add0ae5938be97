/* SPDX-License-Identifier: MIT */
/*
 * LSTM and GRU. States at the model's edge stay in binary32: rounding them to int8
 * between two calls would make a sequence in parts differ from the whole.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "compress/lowering.h"

static const uint8_t sequence_axes[GRAPH_MAX_RANK] = { LOWER_HEIGHT,
						       LOWER_BATCH,
						       LOWER_CHANNEL };

/* One direction of the weights of [D, G·H, K], and its part of the bias. */
static int read_weights(const struct lowering *lowering,
			const struct graph_node *node, int slot, int direction,
			struct lower_matrix *matrix)
{
	int tensor = node->inputs[slot];
	const struct graph_tensor *weight = &lowering->graph->tensors[tensor];
	const struct prune_mask *mask = lowering->options->mask;
	struct lower_dense dense = {
		.rows = (uint32_t)weight->shape.dims[1],
		.columns = (uint32_t)weight->shape.dims[2],
	};
	size_t first = (size_t)direction * dense.rows * dense.columns;
	int ret;

	dense.value = weight->data + first;
	if (mask && mask->keep[tensor])
		dense.keep = mask->keep[tensor] + first;
	ret = lower_matrix_dense(&dense, matrix);
	if (!ret && weight->shape.dims[0] == 1)
		ret = lower_matrix_record(weight->quantization, 1, matrix);
	if (lowering->options->formats)
		matrix->format = &lowering->options->formats[tensor];
	if (ret || node->input_count < 4 || node->inputs[3] < 0)
		return ret;
	/* The bias is [D, 2·G·H]: of the inputs, then of the hidden state. */
	first = (size_t)(2 * direction + slot - 1) * dense.rows;
	memcpy(matrix->bias,
	       lowering->graph->tensors[node->inputs[3]].data + first,
	       dense.rows * sizeof(float));
	return 0;
}

static bool all_zero(const struct graph_tensor *tensor)
{
	int64_t count = graph_shape_count(&tensor->shape);

	for (int64_t i = 0; i < count; i++)
		if (tensor->data[i] != 0)
			return false;
	return true;
}

/* The tensor of an initial state, MODEL_NO_TENSOR for zero, below that −errno. */
static int initial_state(const struct lowering *lowering, int index, int slot)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	int tensor = slot < node->input_count ? node->inputs[slot] :
						GRAPH_NO_TENSOR;
	const struct graph_tensor *state;

	if (tensor == GRAPH_NO_TENSOR)
		return MODEL_NO_TENSOR;
	state = &lowering->graph->tensors[tensor];
	if (state->data && all_zero(state))
		return MODEL_NO_TENSOR;
	if (lowering->views[tensor].tensor == LOWER_NONE ||
	    lowering->tensors[lowering->views[tensor].tensor].model.type !=
		    MODEL_FLOAT32)
		return lower_error(
			lowering, index,
			"the initial state %s has to be an input of the model, or zero",
			state->name);
	return lowering->views[tensor].tensor;
}

static bool is_used(const struct lowering *lowering,
		    const struct graph_node *node, int slot)
{
	return slot < node->output_count && node->outputs[slot] >= 0 &&
	       graph_tensor_use_count(lowering->graph, node->outputs[slot]);
}

/* Does another layer go on with it, perhaps under other names? */
static bool is_read(const struct lowering *lowering, int tensor)
{
	const struct graph *graph = lowering->graph;

	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool view = node->op == GRAPH_RESHAPE ||
			    node->op == GRAPH_TRANSPOSE;

		for (int i = 0; i < node->input_count; i++)
			if (node->inputs[i] == tensor &&
			    (!view || is_read(lowering, node->outputs[0])))
				return true;
	}
	return false;
}

/*
 * A last state, as binary32 output of the layer. A hidden state that other layers
 * read is int8, like them, and cut from the sequence: see last_step().
 */
static int final_state(struct lowering *lowering, const struct graph_node *node,
		       int slot)
{
	int tensor;

	if (!is_used(lowering, node, slot) ||
	    (slot == 1 && is_read(lowering, node->outputs[slot])))
		return MODEL_NO_TENSOR;
	tensor = lower_bind(lowering, node->outputs[slot], sequence_axes);
	if (tensor >= 0)
		lowering->tensors[tensor].model.type = MODEL_FLOAT32;
	return tensor;
}

/* y of one direction; half of the channels of a bidirectional layer's. */
static int sequence_output(struct lowering *lowering,
			   const struct graph_node *node, bool half)
{
	int source = node->outputs[0] >= 0 ? node->outputs[0] :
					     node->outputs[1];
	int tensor = lower_tensor_add(lowering, source, sequence_axes);

	if (tensor < 0)
		return tensor;
	lowering->tensors[tensor].model.channels =
		(uint32_t)node->recurrent.hidden;
	if (node->outputs[0] < 0)
		lowering->tensors[tensor].model.height = 0;
	if (!half && node->outputs[0] >= 0) {
		lowering->views[source].tensor = tensor;
		memcpy(lowering->views[source].axis, sequence_axes,
		       sizeof(sequence_axes));
	}
	return tensor;
}

static int connect_states(struct lowering *lowering, int index,
			  struct model_layer *layer)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	int states = node->op == GRAPH_LSTM ? 2 : 1;

	for (int i = 1; i <= states; i++) {
		layer->inputs[i] = initial_state(lowering, index, 3 + i);
		layer->outputs[i] = final_state(lowering, node, i);
		if (layer->inputs[i] < MODEL_NO_TENSOR)
			return layer->inputs[i];
		if (layer->outputs[i] < MODEL_NO_TENSOR)
			return layer->outputs[i];
	}
	layer->input_count = (uint32_t)states + 1;
	layer->output_count = (uint32_t)states + 1;
	return 0;
}

/*
 * A state that the user hands in may be any that the layer itself could reach,
 * σ·tanh, whatever was seen when calibrating from zero.
 */
static void widen_state(struct lowering *lowering, int output)
{
	struct quantize_range *range = &lowering->tensors[output].range;

	range->low = fminf(range->low, -1);
	range->high = fmaxf(range->high, 1);
}

/* Both directions' hidden states lie in one tensor: their means are not told apart. */
static void find_means(const struct lowering *lowering,
		       const struct graph_node *node, struct lower_layer *layer)
{
	const struct channel_means *means = lowering->options->means;

	layer->input_mean = channel_means_get(means, lowering->graph, node,
					      node->inputs[0]);
	if (node->recurrent.direction != GRAPH_BIDIRECTIONAL)
		layer->hidden_mean = channel_means_get(means, lowering->graph,
						       node, node->outputs[0]);
}

/* The hidden state after the last step in the layer's direction, for its readers. */
static int last_step(struct lowering *lowering, int index, int y)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	struct lower_row row = {
		.input = y,
		.source = node->output_count > 1 ? node->outputs[1] :
						   GRAPH_NO_TENSOR,
		.axis = sequence_axes,
		.last = node->recurrent.direction == GRAPH_FORWARD,
	};

	if (row.source < 0 || !is_read(lowering, row.source))
		return 0;
	return lower_row(lowering, index, &row);
}

/* The layer of one direction; its y, or −errno. */
static int add_direction(struct lowering *lowering, int index, int direction,
			 int input)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	enum graph_direction way = node->recurrent.direction;
	struct model_layer model = { .op = MODEL_LSTM };
	int output =
		sequence_output(lowering, node, way == GRAPH_BIDIRECTIONAL);
	struct lower_layer *layer;
	int ret = output < 0 ? output : connect_states(lowering, index, &model);

	if (ret)
		return ret;
	if (model.inputs[1] != MODEL_NO_TENSOR)
		widen_state(lowering, output);
	layer = lower_layer_add(lowering, index,
				node->op == GRAPH_LSTM ? MODEL_LSTM :
							 MODEL_GRU);
	if (!layer)
		return -ENOMEM;
	model.op = layer->model.op;
	model.name = layer->model.name;
	model.inputs[0] = input;
	model.outputs[0] = output;
	model.recurrent.hidden = (uint32_t)node->recurrent.hidden;
	model.recurrent.reverse = way == GRAPH_REVERSE || direction;
	model.recurrent.linear_before_reset =
		node->recurrent.linear_before_reset;
	layer->model = model;
	find_means(lowering, node, layer);
	ret = read_weights(lowering, node, 1, direction, &layer->matrix);
	if (!ret)
		ret = read_weights(lowering, node, 2, direction,
				   &layer->hidden);
	return ret ? ret : output;
}

static int join_directions(struct lowering *lowering, int index, int forward,
			   int backward)
{
	int output = lower_bind(lowering,
				lowering->graph->nodes[index].outputs[0],
				sequence_axes);
	struct lower_layer *layer =
		lower_layer_add(lowering, index, MODEL_CONCAT);

	if (output < 0 || !layer)
		return output < 0 ? output : -ENOMEM;
	layer->model.inputs[0] = forward;
	layer->model.inputs[1] = backward;
	layer->model.input_count = 2;
	layer->model.outputs[0] = output;
	layer->model.output_count = 1;
	lower_unite(lowering, forward, output);
	lower_unite(lowering, backward, output);
	return 0;
}

int lower_recurrent(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	bool both = node->recurrent.direction == GRAPH_BIDIRECTIONAL;
	int input =
		lower_operand(lowering, index, node->inputs[0], sequence_axes);
	int forward, backward;

	if (input < 0)
		return input;
	if (both && (is_used(lowering, node, 1) || is_used(lowering, node, 2) ||
		     initial_state(lowering, index, 4) != MODEL_NO_TENSOR ||
		     (node->op == GRAPH_LSTM &&
		      initial_state(lowering, index, 5) != MODEL_NO_TENSOR)))
		return lower_error(
			lowering, index,
			"states of a bidirectional layer are not supported");
	forward = add_direction(lowering, index, 0, input);
	if (forward < 0)
		return forward;
	if (!both)
		return last_step(lowering, index, forward);
	backward = add_direction(lowering, index, 1, input);
	if (backward < 0)
		return backward;
	return join_directions(lowering, index, forward, backward);
}
