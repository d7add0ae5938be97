/* SPDX-License-Identifier: MIT */
/*
 * The walk over the graph's nodes, in order. A node that was claimed by an earlier
 * one's layer is done when that layer's last node is reached: only then are all its
 * operands there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compress/lower.h"
#include "compress/lowering.h"
#include "core/error.h"

static bool is_state(const struct graph *graph, int tensor)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		for (int i = 4; i < node->input_count; i++)
			if (graph_op_is_recurrent(node->op) &&
			    node->inputs[i] == tensor)
				return true;
	}
	return false;
}

static bool is_final_state(const struct graph *graph, int tensor)
{
	int producer = graph->tensors[tensor].producer;

	return producer >= 0 &&
	       graph_op_is_recurrent(graph->nodes[producer].op) &&
	       graph->nodes[producer].outputs[0] != tensor;
}

/* The first transposition that reads a tensor, or NULL. */
static const struct graph_node *transposed_by(const struct graph *graph,
					      int tensor)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].op == GRAPH_TRANSPOSE &&
		    graph->nodes[n].inputs[0] == tensor)
			return &graph->nodes[n];
	return NULL;
}

/*
 * NHWC images and [N, T, F] sequences are told by the transposition that follows.
 */
static void input_axes(const struct lowering *lowering, int tensor,
		       uint8_t axis[GRAPH_MAX_RANK])
{
	static const int to_nchw[4] = { 0, 3, 1, 2 }, to_tnf[3] = { 1, 0, 2 };
	const struct graph_node *node = transposed_by(lowering->graph, tensor);
	int rank = lowering->graph->tensors[tensor].shape.rank;
	uint8_t usual[GRAPH_MAX_RANK];

	memcpy(usual, axis, sizeof(usual));
	if (!node || rank < 3 ||
	    memcmp(node->transpose.perm, rank == 4 ? to_nchw : to_tnf,
		   (size_t)rank * sizeof(int)))
		return;
	for (int i = 0; i < rank; i++)
		axis[node->transpose.perm[i]] = usual[i];
}

static int check_input(const struct graph_tensor *tensor)
{
	if (tensor->shape.rank < 2 || tensor->shape.rank > 4)
		return accel_error(
			-ENOTSUP,
			"input %s has %d axes; [N, F], [T, N, F] and [N, C, H, W] are supported",
			tensor->name, tensor->shape.rank);
	return 0;
}

static int lower_input(struct lowering *lowering, int tensor)
{
	static const uint8_t state_axes[GRAPH_MAX_RANK] = { LOWER_HEIGHT,
							    LOWER_BATCH,
							    LOWER_CHANNEL };
	const struct graph_tensor *input = &lowering->graph->tensors[tensor];
	uint8_t axis[GRAPH_MAX_RANK];
	int number, ret = check_input(input);

	if (ret)
		return ret;
	if (is_state(lowering->graph, tensor)) {
		number = lower_bind(lowering, tensor, state_axes);
		if (number >= 0)
			lowering->tensors[number].model.type = MODEL_FLOAT32;
		return number < 0 ? number : 0;
	}
	ret = lower_axes(lowering, 0, input->shape.rank, axis);
	if (ret)
		return ret;
	input_axes(lowering, tensor, axis);
	number = lower_bind(lowering, tensor, axis);
	return number < 0 ? number : 0;
}

static bool starts_chain(const struct lowering *lowering, int node)
{
	switch (lowering->graph->nodes[node].op) {
	case GRAPH_CONV:
	case GRAPH_CONV_TRANSPOSE:
	case GRAPH_GEMM:
	case GRAPH_DEPTH_TO_SPACE:
	case GRAPH_RESIZE_NEAREST:
	case GRAPH_PAD:
		return true;
	case GRAPH_SLICE:
		return !lower_slice_is_view(lowering, node);
	default:
		return false;
	}
}

static int lower_other(struct lowering *lowering, int node)
{
	switch (lowering->graph->nodes[node].op) {
	case GRAPH_ADD:
	case GRAPH_MULTIPLY:
		return lower_elementwise(lowering, node);
	case GRAPH_CONCAT:
		return lower_concat(lowering, node);
	case GRAPH_SLICE:
		return lower_slice(lowering, node);
	case GRAPH_RESHAPE:
		return lower_reshape(lowering, node);
	case GRAPH_TRANSPOSE:
		return lower_transpose(lowering, node);
	case GRAPH_MAX_POOL:
	case GRAPH_AVERAGE_POOL:
	case GRAPH_GLOBAL_AVERAGE_POOL:
		return lower_pool(lowering, node);
	case GRAPH_LSTM:
	case GRAPH_GRU:
		return lower_recurrent(lowering, node);
	default:
		if (function_node_fits(lowering->graph, node))
			return lower_table(lowering, node);
		return lower_error(lowering, node,
				   "the device has nothing for it");
	}
}

static int lower_node(struct lowering *lowering, int node)
{
	int owner = lowering->claimed_by[node];

	if (!lowering->graph->nodes[node].output_count)
		return 0; /* removed */
	if (owner == LOWER_NONE && !starts_chain(lowering, node))
		return lower_other(lowering, node);
	if (owner == LOWER_NONE) {
		lower_chain_claim(lowering, node);
		owner = node;
	}
	if (lowering->layer_at[owner] != node)
		return 0;
	return lower_chain_layer(lowering, owner);
}

static int lowering_init(struct lowering *lowering, const struct graph *graph,
			 const struct lower_options *options)
{
	size_t tensors = (size_t)graph->tensor_count + 1;
	size_t nodes = (size_t)graph->node_count + 1;

	memset(lowering, 0, sizeof(*lowering));
	lowering->graph = graph;
	lowering->options = options;
	lowering->views = calloc(tensors, sizeof(*lowering->views));
	lowering->claimed_by = calloc(nodes, sizeof(*lowering->claimed_by));
	lowering->layer_at = calloc(nodes, sizeof(*lowering->layer_at));
	if (!lowering->views || !lowering->claimed_by || !lowering->layer_at)
		return accel_error(-ENOMEM, "out of memory");
	for (int t = 0; t < graph->tensor_count; t++)
		lowering->views[t].tensor = LOWER_NONE;
	for (int n = 0; n < graph->node_count; n++) {
		lowering->claimed_by[n] = LOWER_NONE;
		lowering->layer_at[n] = LOWER_NONE;
		lowering->sequence |= graph_op_is_recurrent(graph->nodes[n].op);
	}
	return 0;
}

static void lowering_release(struct lowering *lowering)
{
	for (int i = 0; i < lowering->layer_count; i++)
		lower_layer_release(&lowering->layers[i]);
	free(lowering->layers);
	free(lowering->tensors);
	free(lowering->views);
	free(lowering->claimed_by);
	free(lowering->layer_at);
}

/* A view shares memory with its source; who asks for the output knows its own name. */
static void name_output(struct lowering *lowering, int output)
{
	const struct graph *graph = lowering->graph;
	struct lower_tensor *tensor =
		&lowering->tensors[lowering->views[output].tensor];

	for (int i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == tensor->source)
			return;
	for (int i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == tensor->source)
			return;
	tensor->source = output;
}

/* Can an array of the port's layouts have its axes in these places? */
static bool output_fits(const struct lowering *lowering, int rank,
			const uint8_t *axis)
{
	static const uint8_t layouts[][4] = {
		{ LOWER_BATCH, LOWER_CHANNEL, LOWER_HEIGHT, LOWER_WIDTH },
		{ LOWER_BATCH, LOWER_HEIGHT, LOWER_WIDTH, LOWER_CHANNEL },
		{ LOWER_STEPS, LOWER_CHANNEL },
		{ LOWER_HEIGHT, LOWER_BATCH, LOWER_CHANNEL },
		{ LOWER_BATCH, LOWER_HEIGHT, LOWER_CHANNEL },
	};
	size_t first = rank == 3 && lowering->sequence ? 3 : 0;
	size_t end = rank == 4 ? 2 : first ? 5 : 3;

	for (size_t i = first; i < end; i++)
		if (!memcmp(axis, layouts[i], (size_t)rank))
			return true;
	return false;
}

/* Outputs have one of the layouts that their rank suggests. */
static int place_outputs(struct lowering *lowering)
{
	const struct graph *graph = lowering->graph;

	for (int i = 0; i < graph->output_count; i++) {
		int tensor = graph->outputs[i];
		int node = graph->tensors[tensor].producer;
		int rank = graph->tensors[tensor].shape.rank;
		struct lower_view *view = &lowering->views[tensor];
		uint8_t axis[GRAPH_MAX_RANK];
		int ret;

		if (view->tensor == LOWER_NONE)
			return accel_error(-ENOTSUP,
					   "output %s is no computed tensor",
					   graph->tensors[tensor].name);
		if (is_final_state(graph, tensor) || node < 0 ||
		    output_fits(lowering, rank, view->axis))
			continue;
		ret = lower_axes(lowering, node, rank, axis);
		if (!ret)
			ret = lower_operand(lowering, node, tensor, axis);
		if (ret < 0)
			return ret;
		view->tensor = ret;
		memcpy(view->axis, axis, sizeof(view->axis));
	}
	return 0;
}

static int lower_outputs(struct lowering *lowering)
{
	const struct graph *graph = lowering->graph;
	int ret = place_outputs(lowering);

	for (int i = 0; !ret && i < graph->output_count; i++)
		name_output(lowering, graph->outputs[i]);
	return ret;
}

static int lower_nodes(struct lowering *lowering)
{
	const struct graph *graph = lowering->graph;
	int ret = 0;

	for (int i = 0; !ret && i < graph->input_count; i++)
		ret = lower_input(lowering, graph->inputs[i]);
	for (int n = 0; !ret && n < graph->node_count; n++)
		ret = lower_node(lowering, n);
	return ret;
}

static int lower_all(struct lowering *lowering, struct model *model)
{
	int ret = lower_nodes(lowering);

	if (!ret)
		ret = lower_outputs(lowering);
	if (!ret)
		ret = lower_quantize(lowering);
	if (!ret)
		ret = lower_emit(lowering, model);
	if (!ret)
		ret = lower_ports(lowering, model);
	return ret ? ret : model_validate(model);
}

int graph_lower(const struct graph *graph, const struct lower_options *options,
		struct model **result)
{
	struct model *model = model_create(graph->name);
	struct lowering lowering;
	int ret;

	if (!model)
		return accel_error(-ENOMEM, "out of memory for the model");
	ret = lowering_init(&lowering, graph, options);
	if (!ret)
		ret = lower_all(&lowering, model);
	lowering_release(&lowering);
	if (ret) {
		model_destroy(model);
		return ret;
	}
	*result = model;
	return 0;
}

/* Of several lowered tensors for one of the graph, all have one quantization. */
static void read_quantizations(const struct lowering *lowering, bool *quantized,
			       struct golden_quantization *quantization)
{
	for (int t = 0; t < lowering->graph->tensor_count; t++)
		quantized[t] = false;
	for (int i = 0; i < lowering->tensor_count; i++) {
		const struct lower_tensor *tensor = &lowering->tensors[i];

		if (!tensor->stage && tensor->model.type != MODEL_INT8)
			continue;
		quantized[tensor->source] = true;
		quantization[tensor->source] = tensor->model.quantization;
	}
}

int lower_quantizations(const struct graph *graph,
			const struct lower_options *options, bool *quantized,
			struct golden_quantization *quantization)
{
	struct lowering lowering;
	int ret = lowering_init(&lowering, graph, options);

	if (!ret)
		ret = lower_nodes(&lowering);
	if (!ret)
		ret = lower_quantize(&lowering);
	if (!ret)
		read_quantizations(&lowering, quantized, quantization);
	lowering_release(&lowering);
	return ret;
}
