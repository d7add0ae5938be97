/* SPDX-License-Identifier: MIT */
/* Layers over sequences, [T, N, F]. */
#include <train/network_layer.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define LSTM_GATES 4
#define GRU_GATES 3
/* Of i o f c. */
#define LSTM_FORGET 2

static int check_sequence(const struct network_layer *layer)
{
	if (layer->network->sequence)
		return 0;
	return accel_error(-EINVAL, "takes sequences: put rows before it");
}

/* A cell remembers from the start if its forget gate is open (Jozefowicz, 2015). */
static void open_forget_gate(const struct network_layer *layer, int bias,
			     int64_t hidden)
{
	float *values = layer->network->graph->tensors[bias].data;

	for (int64_t i = 0; i < hidden; i++)
		values[LSTM_FORGET * hidden + i] = 1;
}

static int add_recurrence(const struct network_layer *layer,
			  struct graph_node *node, int64_t gates)
{
	const struct graph_shape *x =
		network_shape(layer->network, layer->input);
	int64_t hidden = node->recurrent.hidden;
	const struct graph_shape shapes[3] = {
		{ .rank = 3, .dims = { 1, gates * hidden, x->dims[2] } },
		{ .rank = 3, .dims = { 1, gates * hidden, hidden } },
		{ .rank = 2, .dims = { 1, 2 * gates * hidden } },
	};
	float limit = (float)sqrt(1.0 / (double)hidden);
	int inputs[5] = { layer->input, 0, 0, 0, layer->network->state };
	int count = inputs[4] == GRAPH_NO_TENSOR ? 4 : 5;

	inputs[1] = network_add_uniform(layer, "weight", &shapes[0], limit);
	inputs[2] = inputs[1] < 0 ? inputs[1] :
				    network_add_uniform(layer, "recurrence",
							&shapes[1], limit);
	inputs[3] = inputs[2] < 0 ?
			    inputs[2] :
			    network_add_uniform(layer, "bias", &shapes[2], 0);
	if (inputs[3] < 0)
		return inputs[3];
	if (node->op == GRAPH_LSTM)
		open_forget_gate(layer, inputs[3], hidden);
	layer->network->state = GRAPH_NO_TENSOR;
	return network_add_node(layer->network, node, layer->name, inputs,
				count);
}

/* [N, H] as the state [1, N, H]. */
static int add_direction(struct network *network, const char *name, int tensor,
			 int64_t hidden)
{
	const struct graph_node node = {
		.op = GRAPH_RESHAPE,
		.reshape = { .rank = 3,
			     .dims = { { GRAPH_RESHAPE_NUMBER, 1, 1 },
				       { 0, 1, 1 },
				       { GRAPH_RESHAPE_NUMBER, hidden, 1 } } },
	};

	network->sequence = true;
	tensor = network_add_node(network, &node, name, &tensor, 1);
	network->sequence = false;
	return tensor;
}

int network_add_state(struct network *network, const char *name, int features,
		      int64_t hidden)
{
	const struct graph_node tanh_node = { .op = GRAPH_TANH };
	char part[96];
	int tensor = network_add_linear(network, name, features, hidden);

	if (tensor < 0)
		return tensor;
	snprintf(part, sizeof(part), "%s.tanh", name);
	tensor = network_add_node(network, &tanh_node, part, &tensor, 1);
	if (tensor < 0)
		return tensor;
	snprintf(part, sizeof(part), "%s.state", name);
	tensor = add_direction(network, part, tensor, hidden);
	if (tensor < 0)
		return tensor;
	network->state = tensor;
	return 0;
}

static int add_recurrent(const struct network_layer *layer, enum graph_op op,
			 int64_t gates)
{
	struct graph_node node = { .op = op };
	json_int_t hidden;
	const char *word;
	int ret = check_sequence(layer);

	if (!ret)
		ret = network_layer_read(layer, "{s:s, s:I}", "layer", &word,
					 "hidden", &hidden);
	if (!ret)
		ret = network_check_size("hidden", hidden);
	if (ret)
		return ret;
	node.recurrent.hidden = hidden;
	node.recurrent.direction = GRAPH_FORWARD;
	node.recurrent.linear_before_reset = op == GRAPH_GRU;
	return add_recurrence(layer, &node, gates);
}

int network_add_lstm(const struct network_layer *layer)
{
	return add_recurrent(layer, GRAPH_LSTM, LSTM_GATES);
}

int network_add_gru(const struct network_layer *layer)
{
	return add_recurrent(layer, GRAPH_GRU, GRU_GATES);
}

/* An image's rows, one after the other: [N, 1, H, W] to [H, N, W]. */
int network_add_rows(const struct network_layer *layer)
{
	const struct graph_shape *x =
		network_shape(layer->network, layer->input);
	struct graph_node node = { .op = GRAPH_TRANSPOSE,
				   .transpose = { .perm = { 1, 0, 2 } } };
	struct graph_shape sample = { .rank = 2 };
	const char *word;
	char name[96];
	int flat;
	int ret = network_layer_read(layer, "{s:s}", "layer", &word);

	if (!ret && (x->rank < 3 || layer->network->sequence))
		ret = accel_error(-EINVAL, "takes images");
	if (ret)
		return ret;
	sample.dims[1] = x->dims[x->rank - 1];
	sample.dims[0] = graph_shape_count(x) / sample.dims[1];
	snprintf(name, sizeof(name), "%s.flat", layer->name);
	flat = network_add_reshape(layer->network, name, layer->input, &sample);
	if (flat < 0)
		return flat;
	layer->network->sequence = true;
	return network_add_node(layer->network, &node, layer->name, &flat, 1);
}

/* The last step of a sequence: [T, N, F] to [N, F]. */
int network_add_last(const struct network_layer *layer)
{
	const struct graph_shape *x =
		network_shape(layer->network, layer->input);
	const struct graph_node node = {
		.op = GRAPH_SLICE,
		.slice = { .axis = 0,
			   .start = -1,
			   .end = GRAPH_SLICE_END,
			   .step = 1 },
	};
	struct graph_shape sample = { .rank = 1 };
	const char *word;
	char name[96];
	int slice;
	int ret = check_sequence(layer);

	if (!ret)
		ret = network_layer_read(layer, "{s:s}", "layer", &word);
	if (ret)
		return ret;
	sample.dims[0] = x->dims[2];
	snprintf(name, sizeof(name), "%s.slice", layer->name);
	slice = network_add_node(layer->network, &node, name, &layer->input, 1);
	if (slice < 0)
		return slice;
	return network_add_reshape(layer->network, layer->name, slice, &sample);
}
