/* SPDX-License-Identifier: MIT */
/* Random image networks of all the operators that a float graph may have. */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include "float_graph.h"

static uint64_t seed = 1;

/* Whole numbers with scales of 1, or real ones and all operators. */
static bool whole = true;

/* May sequences go on with one of their steps? An export has two nodes for that. */
static bool cut_steps = true;

static inline int64_t pick(int64_t low, int64_t high)
{
	return low + random_below(&seed, (uint32_t)(high - low + 1));
}

static inline float real_value(void)
{
	return (float)(2 * random_unit(&seed) - 1);
}

/* Few, small and whole numbers; or real ones, some of them 0. */
static inline float *sparse_values(int64_t count, int64_t one_in)
{
	float *values = calloc((size_t)count + 1, sizeof(*values));

	for (int64_t i = 0; i < count; i++)
		if (!whole)
			values[i] =
				pick(0, 3) ?
					real_value() *
						sqrtf(3.0f / (float)one_in) :
					0;
		else if (!pick(0, one_in - 1))
			values[i] = (float)(pick(0, 1) ? 1 : -1);
	return values;
}

static inline float *whole_values(int64_t count, int64_t low, int64_t high)
{
	float *values = calloc((size_t)count + 1, sizeof(*values));

	for (int64_t i = 0; i < count; i++)
		values[i] = whole ? (float)pick(low, high) : real_value();
	return values;
}

static inline int take_constant(struct graph *graph, int rank,
				const int64_t *dims, float *values)
{
	int tensor = add_constant(graph, rank, dims, values);

	free(values);
	return tensor;
}

static inline const int64_t *dims_of(const struct graph *graph, int tensor)
{
	return graph->tensors[tensor].shape.dims;
}

static inline int weight_of(struct graph *graph, int64_t a, int64_t b,
			    int64_t kh, int64_t kw, int rank)
{
	int64_t dims[4] = { a, b, kh, kw };
	int weight = take_constant(graph, rank, dims,
				   sparse_values(a * b * kh * kw,
						 1 + b * kh * kw / 3));

	if (whole)
		record(graph, weight, 1, 0);
	return weight;
}

static inline int bias_of(struct graph *graph, int64_t count)
{
	return take_constant(graph, 1, &count, whole_values(count, -2, 2));
}

static inline void random_conv(struct graph_conv *conv, bool transposed)
{
	for (int i = 0; i < 2; i++) {
		conv->kernel[i] = pick(1, 3);
		conv->stride[i] = pick(1, 2);
		conv->dilation[i] = pick(1, 2);
		conv->pads[i] = pick(0, 2);
		conv->pads[i + 2] = pick(0, 2);
		if (transposed && conv->stride[i] > 1)
			conv->output_padding[i] = pick(0, 1);
	}
	conv->group = 1;
	if (!pick(0, 5)) {
		conv->auto_pad = pick(0, 1) ? GRAPH_PAD_SAME_UPPER :
					      GRAPH_PAD_SAME_LOWER;
		memset(conv->pads, 0, sizeof(conv->pads));
		memset(conv->output_padding, 0, sizeof(conv->output_padding));
	}
}

static inline int make_conv(struct graph *graph, int x)
{
	int64_t channels = dims_of(graph, x)[1], outputs = 4 * pick(1, 2);
	struct graph_conv conv = { .group = 1 };
	int inputs[3] = { x }, y;

	random_conv(&conv, false);
	if (channels % 2 == 0 && !pick(0, 3))
		conv.group = 2;
	inputs[1] = weight_of(graph, outputs, channels / conv.group,
			      conv.kernel[0], conv.kernel[1], 4);
	inputs[2] = bias_of(graph, outputs);
	y = add_node(graph, GRAPH_CONV, inputs, 3);
	producer_of(graph, y)->conv = conv;
	return y;
}

static inline int make_conv_transpose(struct graph *graph, int x)
{
	int64_t channels = dims_of(graph, x)[1], outputs = pick(1, 4);
	struct graph_conv conv = { .group = 1 };
	int inputs[3] = { x }, y;

	random_conv(&conv, true);
	if (channels % 2 == 0 && !pick(0, 3))
		conv.group = 2;
	inputs[1] = weight_of(graph, channels, outputs, conv.kernel[0],
			      conv.kernel[1], 4);
	inputs[2] = bias_of(graph, outputs * conv.group);
	y = add_node(graph, GRAPH_CONV_TRANSPOSE, inputs, 3);
	producer_of(graph, y)->conv = conv;
	return y;
}

static inline int make_activation(struct graph *graph, int x)
{
	static const enum graph_op ops[] = {
		GRAPH_RELU,	    GRAPH_LEAKY_RELU, GRAPH_CLIP,
		GRAPH_PRELU,	    GRAPH_AFFINE,     GRAPH_ABS,
		GRAPH_SIGMOID,	    GRAPH_TANH,	      GRAPH_SILU,
		GRAPH_HARD_SIGMOID, GRAPH_HARD_SWISH, GRAPH_ELU,
		GRAPH_SOFTPLUS,	    GRAPH_GELU,	      GRAPH_EXP,
	};
	enum graph_op op = ops[pick(0, whole ? 5 : 14)];
	int64_t channels = dims_of(graph, x)[1];
	int inputs[3] = { x }, count = 1, y;

	if (op == GRAPH_PRELU || op == GRAPH_AFFINE)
		inputs[count++] = take_constant(graph, 1, &channels,
						whole_values(channels, -1, 2));
	if (op == GRAPH_AFFINE)
		inputs[count++] = bias_of(graph, channels);
	y = add_node(graph, op, inputs, count);
	if (op == GRAPH_LEAKY_RELU || op == GRAPH_ELU ||
	    op == GRAPH_HARD_SIGMOID)
		producer_of(graph, y)->unary.alpha = whole ? 2 : 0.25f;
	if (op == GRAPH_HARD_SIGMOID)
		producer_of(graph, y)->unary.beta = 0.5f;
	if (op == GRAPH_CLIP) {
		producer_of(graph, y)->unary.low = (float)pick(-4, 0);
		producer_of(graph, y)->unary.high = (float)pick(1, 6);
	}
	if (count > 1)
		producer_of(graph, y)->axis = 1;
	return y;
}

/* A tensor made earlier whose shape is the same but for the channels. */
static inline int find_partner(const struct graph *graph, int x,
			       bool same_channels)
{
	const int64_t *dims = dims_of(graph, x);
	int first = (int)pick(0, graph->tensor_count - 1);

	for (int i = 0; i < graph->tensor_count; i++) {
		int t = (first + i) % graph->tensor_count;
		const int64_t *other = dims_of(graph, t);

		if (graph->tensors[t].data ||
		    graph->tensors[t].shape.rank != 4 || t == x ||
		    other[0] != dims[0] || other[2] != dims[2] ||
		    other[3] != dims[3] ||
		    (same_channels && other[1] != dims[1]))
			continue;
		return t;
	}
	return x;
}

static inline int make_add(struct graph *graph, int x)
{
	int inputs[2] = { find_partner(graph, x, true), x };

	return add_node(graph, whole || pick(0, 1) ? GRAPH_ADD : GRAPH_MULTIPLY,
			inputs, 2);
}

static inline int make_concat(struct graph *graph, int x)
{
	int inputs[2] = { find_partner(graph, x, false), x }, y;

	if (inputs[0] == x)
		return x;
	y = add_node(graph, GRAPH_CONCAT, inputs, 2);
	producer_of(graph, y)->axis = 1;
	return y;
}

static inline int make_slice(struct graph *graph, int x)
{
	int axis = (int)pick(1, 3);
	int64_t size = dims_of(graph, x)[axis];
	int y;

	if (size < 3)
		return x;
	y = add_node(graph, GRAPH_SLICE, &x, 1);
	producer_of(graph, y)->slice = (struct graph_slice){
		.axis = axis,
		.start = pick(0, 1) ? pick(0, 1) : -size + 1,
		.end = pick(0, 1) ? GRAPH_SLICE_END :
		       pick(0, 1) ? size - 1 :
				    -1,
		.step = pick(1, 2),
	};
	return y;
}

static inline int make_pad(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_PAD, &x, 1);

	for (int i = 1; i < 4; i++) {
		producer_of(graph, y)->pad.before[i] = pick(0, 2);
		producer_of(graph, y)->pad.after[i] = pick(0, 2);
	}
	return y;
}

static inline int make_depth_to_space(struct graph *graph, int x)
{
	int y;

	if (dims_of(graph, x)[1] % 4)
		return x;
	y = add_node(graph, GRAPH_DEPTH_TO_SPACE, &x, 1);
	producer_of(graph, y)->depth_to_space =
		(struct graph_depth_to_space){ 2, pick(0, 1) };
	return y;
}

static inline int make_resize(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_RESIZE_NEAREST, &x, 1);

	producer_of(graph, y)->resize =
		(struct graph_resize){ { pick(1, 2), pick(1, 3) } };
	return y;
}

static inline int make_max_pool(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_MAX_POOL, &x, 1);

	producer_of(graph, y)->pool = (struct graph_pool){
		.kernel = { 2, 3 },
		.stride = { pick(1, 2), pick(1, 2) },
		.dilation = { 1, pick(1, 2) },
		.pads = { pick(0, 1), pick(0, 2), pick(0, 1), pick(0, 2) },
		.ceil_mode = dims_of(graph, x)[2] > 4 &&
			     dims_of(graph, x)[3] > 4 && pick(0, 1),
	};
	return y;
}

static inline int make_average_pool(struct graph *graph, int x)
{
	int y;

	if (whole)
		return x;
	if (pick(0, 3)) {
		y = add_node(graph, GRAPH_AVERAGE_POOL, &x, 1);
		producer_of(graph, y)->pool = (struct graph_pool){
			.kernel = { 2, pick(1, 3) },
			.stride = { pick(1, 2), pick(1, 2) },
			.dilation = { 1, 1 },
			.pads = { pick(0, 1), 0, pick(0, 1), 0 },
			.count_include_pad = pick(0, 1),
		};
		return y;
	}
	/* Attention over channels: the mean scales what it was made from. */
	y = add_node(graph, GRAPH_GLOBAL_AVERAGE_POOL, &x, 1);
	return add_node(graph, GRAPH_MULTIPLY, (int[]){ x, y }, 2);
}

static inline int transpose(struct graph *graph, int x, int a, int b, int c,
			    int d)
{
	int y = add_node(graph, GRAPH_TRANSPOSE, &x, 1);

	memcpy(producer_of(graph, y)->transpose.perm, (int[]){ a, b, c, d },
	       4 * sizeof(int));
	return y;
}

/* Axes change places, and come back or not. */
static inline int make_transpose(struct graph *graph, int x)
{
	x = transpose(graph, x, 0, 2, 3, 1);
	settle_shapes(graph);
	if (pick(0, 1))
		return transpose(graph, x, 0, 3, 1, 2);
	return transpose(graph, x, 0, 2, 1, 3);
}

/* [N, C, H, W] to [N, C·H·W/2, 2] to [N, C/2, 2, H·W]-like shapes. */
static inline int make_reshape(struct graph *graph, int x)
{
	const int64_t *dims = dims_of(graph, x);
	int64_t count = dims[1] * dims[2] * dims[3];
	int64_t width = count % 3 ? 1 : 3, height = count / width % 2 ? 1 : 2;
	int y;

	y = add_node(graph, GRAPH_RESHAPE, &x, 1);
	producer_of(graph, y)->reshape = (struct graph_reshape){
		4,
		{ { 0, 1, 1 },
		  { GRAPH_RESHAPE_REST, 1, 1 },
		  { GRAPH_RESHAPE_NUMBER, height, 1 },
		  { GRAPH_RESHAPE_NUMBER, width, 1 } }
	};
	return y;
}

static inline int make_flat_gemm(struct graph *graph, int x)
{
	const int64_t *dims = dims_of(graph, x);
	int64_t count = dims[1] * dims[2] * dims[3];
	int inputs[3], y;

	if (count > 2000)
		return x;
	y = add_node(graph, GRAPH_RESHAPE, &x, 1);
	producer_of(graph, y)->reshape = (struct graph_reshape){
		2, { { 0, 1, 1 }, { GRAPH_RESHAPE_REST, 1, 1 } }
	};
	inputs[0] = y;
	inputs[1] = weight_of(graph, 16, count, 1, 1, 2);
	inputs[2] = bias_of(graph, 16);
	y = add_node(graph, GRAPH_GEMM, inputs, 3);
	x = add_node(graph, GRAPH_RESHAPE, &y, 1);
	producer_of(graph, x)->reshape =
		(struct graph_reshape){ 4,
					{ { 0, 1, 1 },
					  { GRAPH_RESHAPE_NUMBER, 4, 1 },
					  { GRAPH_RESHAPE_NUMBER, 2, 1 },
					  { GRAPH_RESHAPE_NUMBER, 2, 1 } } };
	return x;
}

static int (*const makers[])(struct graph *, int) = {
	make_conv,	 make_conv,	      make_conv_transpose,
	make_activation, make_activation,     make_add,
	make_add,	 make_concat,	      make_slice,
	make_pad,	 make_depth_to_space, make_resize,
	make_max_pool,	 make_transpose,      make_reshape,
	make_flat_gemm,	 make_average_pool,
};

#define MAKER_COUNT (sizeof(makers) / sizeof(makers[0]))

static inline struct graph *random_graph(int length)
{
	struct graph *graph = graph_create("random");
	struct graph_shape shape = {
		4, { pick(1, 3), pick(1, 4), pick(3, 7), pick(3, 7) }
	};
	int x = graph_add_tensor(graph, "x", &shape);

	graph_add_input(graph, x);
	for (int i = 0; i < length; i++) {
		struct graph *before = graph_clone(graph);
		int y = makers[pick(0, MAKER_COUNT - 1)](graph, x);

		/* Another try where the input has become too small. */
		if (settle_shapes(graph)) {
			graph_destroy(before);
			x = y;
		} else {
			graph_destroy(graph);
			graph = before;
		}
	}
	/* The result's axes shall be NCHW, not whatever a transposition left. */
	x = add_node(graph, GRAPH_MAX_POOL, &x, 1);
	producer_of(graph, x)->pool = (struct graph_pool){
		.kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }
	};
	assert_true(settle_shapes(graph));
	graph_add_output(graph, x);
	return graph;
}

/* All scales 1, for whole numbers. */
static inline void record_all(struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++)
		if (!graph->tensors[t].data)
			record(graph, t, 1, 0);
}

static inline int recurrent_node(struct graph *graph, int x, int64_t features,
				 int64_t hidden, enum graph_direction direction)
{
	bool lstm = pick(0, 1);
	int64_t gates = (lstm ? 4 : 3) * hidden;
	int64_t d = direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
	int64_t w[3] = { d, gates, features }, r[3] = { d, gates, hidden };
	int64_t b[2] = { d, 2 * gates };
	struct graph_shape any = { 1, { 1 } }, state = { 3, { 1, -1, hidden } };
	int inputs[6], outputs[3], states = lstm ? 2 : 1, count = 4, node;
	char name[32];

	state.dims[1] = dims_of(graph, x)[1];
	inputs[0] = x;
	inputs[1] = take_constant(
		graph, 3, w, sparse_values(d * gates * features, features));
	inputs[2] = take_constant(graph, 3, r,
				  sparse_values(d * gates * hidden, hidden));
	inputs[3] =
		take_constant(graph, 2, b, whole_values(d * 2 * gates, -1, 1));
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "r%d.%d", graph->node_count, i);
		outputs[i] = i <= states ? graph_add_tensor(graph, name, &any) :
					   GRAPH_NO_TENSOR;
	}
	/* Every other layer has its states at the network's edge. */
	if (d == 1 && pick(0, 1))
		for (int i = 0; i < states; i++) {
			snprintf(name, sizeof(name), "s%d.%d",
				 graph->node_count, i);
			inputs[count] = graph_add_tensor(graph, name, &state);
			graph_add_input(graph, inputs[count++]);
			graph_add_output(graph, outputs[i + 1]);
		}
	snprintf(name, sizeof(name), "%s%d", lstm ? "lstm" : "gru",
		 graph->node_count);
	node = graph_add_node(graph, lstm ? GRAPH_LSTM : GRAPH_GRU, name,
			      inputs, count, outputs, states + 1);
	assert_true(node >= 0);
	graph->nodes[node].recurrent =
		(struct graph_recurrent){ hidden, direction,
					  !lstm && pick(0, 1) };
	return outputs[0];
}

/* All steps, the first, the last, or the last state where nothing else reads it. */
static inline int cut_step(struct graph *graph, int x)
{
	struct graph_node *layer = producer_of(graph, x);
	int kind = (int)pick(0, 3), y;

	if (cut_steps && kind == 3 &&
	    layer->recurrent.direction != GRAPH_BIDIRECTIONAL &&
	    !graph_tensor_use_count(graph, layer->outputs[1]))
		return layer->outputs[1];
	if (!kind || kind == 3 || !cut_steps)
		return x;
	y = add_node(graph, GRAPH_SLICE, &x, 1);
	producer_of(graph, y)->slice =
		kind == 1 ? (struct graph_slice){ 0, -1, GRAPH_SLICE_END, 1 } :
			    (struct graph_slice){ 0, 0, 1, 1 };
	assert_true(settle_shapes(graph));
	return y;
}

static inline int swap_steps(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_TRANSPOSE, &x, 1);

	memcpy(producer_of(graph, y)->transpose.perm, (int[]){ 1, 0, 2 },
	       3 * sizeof(int));
	assert_true(settle_shapes(graph));
	return y;
}

/*
 * One or two recurrent layers and a matrix product over the steps; some are [N, T, F]
 * at their edges.
 */
static inline struct graph *random_sequence_graph(void)
{
	struct graph *graph = graph_create("sequence");
	bool batch_first = pick(0, 1);
	struct graph_shape shape = { 3,
				     { pick(1, 6), pick(1, 3), pick(2, 5) } };
	int x = graph_add_tensor(graph, "x", &shape), inputs[3], layers;
	int64_t features = shape.dims[2], hidden;

	graph_add_input(graph, x);
	if (batch_first)
		x = swap_steps(graph, x);
	layers = (int)pick(1, 2);
	for (int i = 0; i < layers; i++) {
		enum graph_direction direction = (enum graph_direction)pick(
			GRAPH_FORWARD, GRAPH_BIDIRECTIONAL);

		hidden = pick(3, 9);
		x = recurrent_node(graph, x, features, hidden, direction);
		assert_true(settle_shapes(graph));
		features = dims_of(graph, x)[2];
	}
	x = cut_step(graph, x);
	inputs[0] = x;
	inputs[1] = weight_of(graph, 7, features, 1, 1, 2);
	inputs[2] = bias_of(graph, 7);
	x = add_node(graph, GRAPH_GEMM, inputs, 3);
	if (pick(0, 1))
		x = add_node(graph, GRAPH_TANH, &x, 1);
	assert_true(settle_shapes(graph));
	if (batch_first)
		x = swap_steps(graph, x);
	graph_add_output(graph, x);
	return graph;
}

/* Make the number of a sequence's steps free, where it can be told from others. */
static inline void forget_steps(struct graph *graph)
{
	int64_t steps = graph->tensors[0].shape.dims[0];

	for (int t = 0; t < graph->tensor_count; t++)
		if (!graph->tensors[t].data &&
		    graph->tensors[0].shape.rank == 3 && steps > 3)
			for (int i = 0; i < graph->tensors[t].shape.rank - 1;
			     i++)
				if (graph->tensors[t].shape.dims[i] == steps)
					graph->tensors[t].shape.dims[i] =
						GRAPH_DIM_DYNAMIC;
}

#endif
