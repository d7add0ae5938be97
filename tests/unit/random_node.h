/* SPDX-License-Identifier: MIT */
/*
 * Graphs of one random node, of every operator. Values keep away from kinks by more
 * than twice RANDOM_NODE_STEP, for differences across which there is none.
 */
#ifndef RANDOM_NODE_H
#define RANDOM_NODE_H

#include "one_node.h"

/* A power of two: random values stay exact when it is added. */
#define RANDOM_NODE_STEP 0x1p-6f

static inline struct graph_shape random_shape(int rank, int64_t longest)
{
	struct graph_shape shape = { .rank = rank };

	for (int i = 0; i < rank; i++)
		shape.dims[i] = random_integer(1, longest);
	return shape;
}

/* Move what lies too near to a kink for a difference across it. */
static inline void avoid(float *values, int64_t count, double kink)
{
	for (int64_t i = 0; i < count; i++)
		if (fabs((double)values[i] - kink) <=
		    2 * (double)RANDOM_NODE_STEP)
			values[i] += 5 * RANDOM_NODE_STEP;
}

static inline struct one_node unary_node(enum graph_op op)
{
	struct graph_shape x = random_shape((int)random_integer(0, 4), 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_unary *unary = &one.node->unary;
	int64_t count = graph_shape_count(&x);

	*unary = (struct graph_unary){
		.alpha = 0.25f + (float)random_integer(0, 8) / 16,
		.beta = (float)random_integer(-4, 4) / 8,
		.low = -1.5f + (float)random_integer(0, 8) / 8,
		.high = 0.25f + (float)random_integer(0, 8) / 8,
	};
	for (int64_t i = 0; i < count; i++)
		one.values[0][i] *= 2;
	if (op == GRAPH_CLIP && random_integer(0, 3) == 0)
		unary->high = INFINITY;
	/* twice: out of one kink's way may be into another's */
	for (int i = 0; i < 2; i++) {
		avoid(one.values[0], count, 0);
		avoid(one.values[0], count, -3);
		avoid(one.values[0], count, 3);
		avoid(one.values[0], count, (double)unary->low);
		avoid(one.values[0], count, (double)unary->high);
		avoid(one.values[0], count,
		      (double)(-unary->beta / unary->alpha));
		avoid(one.values[0], count,
		      (double)((1 - unary->beta) / unary->alpha));
	}
	return one;
}

static inline struct one_node prelu_node(enum graph_op op)
{
	struct graph_shape shapes[2] = { random_shape(4, 4), { 1, { 1 } } };
	int axis = (int)random_integer(0, 3);
	struct one_node one;

	if (random_integer(0, 2))
		shapes[1].dims[0] = shapes[0].dims[axis];
	one = one_node_create(op, 2, shapes, 1, 2, 1);
	one.node->axis = axis;
	avoid(one.values[0], graph_shape_count(&shapes[0]), 0);
	return one;
}

/* Each operand lacks some of the result's axes, or has length 1 there; one may be
 * constant. */
static inline struct one_node broadcast_node(enum graph_op op)
{
	struct graph_shape full = random_shape((int)random_integer(0, 4), 4);
	struct graph_shape shapes[2];
	int constant;

	for (int operand = 0; operand < 2; operand++) {
		int drop = (int)random_integer(0, full.rank);

		if (random_integer(0, 1))
			drop = 0;
		shapes[operand].rank = full.rank - drop;
		for (int i = drop; i < full.rank; i++)
			shapes[operand].dims[i - drop] =
				random_integer(0, 2) ? full.dims[i] : 1;
	}
	constant = (int)random_integer(0, 2);
	return one_node_create(op, 2, shapes, constant,
			       constant == 2 ? 2 : constant + 1, 1);
}

static inline struct one_node affine_node(enum graph_op op)
{
	struct graph_shape shapes[3] = { random_shape(4, 4),
					 { 1, { 1 } },
					 { 1, { 1 } } };
	int axis = (int)random_integer(0, 3);
	struct one_node one;

	for (int i = 1; i < 3; i++)
		if (random_integer(0, 2))
			shapes[i].dims[0] = shapes[0].dims[axis];
	one = one_node_create(op, 3, shapes, 1, 3, 1);
	one.node->axis = axis;
	return one;
}

static inline struct one_node concat_node(enum graph_op op)
{
	int count = (int)random_integer(2, 4);
	int rank = (int)random_integer(1, 4);
	int axis = (int)random_integer(0, rank - 1);
	struct graph_shape x = random_shape(rank, 3);
	struct graph_shape shapes[4] = { x, x, x, x };
	struct one_node one;

	for (int i = 0; i < count; i++)
		shapes[i].dims[axis] = random_integer(1, 4);
	one = one_node_create(op, count, shapes, 1, 2, 1);
	one.node->axis = axis;
	return one;
}

static inline struct one_node slice_node(enum graph_op op)
{
	int rank = (int)random_integer(1, 4);
	struct graph_shape x = random_shape(rank, 7);
	int axis = (int)random_integer(0, rank - 1);
	int64_t start = random_integer(0, x.dims[axis] - 1);
	int64_t end = random_integer(start + 1, x.dims[axis]);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);

	one.node->slice = (struct graph_slice){
		.axis = axis,
		.start = random_integer(0, 1) ? start : start - x.dims[axis],
		.end = end == x.dims[axis] ? GRAPH_SLICE_END : end,
		.step = random_integer(1, 3),
	};
	return one;
}

static inline struct one_node pad_node(enum graph_op op)
{
	struct graph_shape x = random_shape((int)random_integer(1, 4), 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_pad *pad = &one.node->pad;

	*pad = (struct graph_pad){ .mode = random_integer(0, 2),
				   .value = 1.5f };
	for (int i = 0; i < x.rank; i++) {
		/* a reflection is shorter than what it reflects */
		int64_t most = pad->mode == GRAPH_PAD_REFLECT ? x.dims[i] - 1 :
								3;

		pad->before[i] = random_integer(0, most);
		pad->after[i] = random_integer(0, most);
	}
	return one;
}

static inline struct one_node reshape_node(enum graph_op op)
{
	struct graph_shape x = random_shape(3, 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);

	one.node->reshape = (struct graph_reshape){
		.rank = 2,
		.dims = { { 0, 1, 1 }, { GRAPH_RESHAPE_REST, 1, 1 } },
	};
	return one;
}

static inline struct one_node transpose_node(enum graph_op op)
{
	int rank = (int)random_integer(1, 5);
	struct graph_shape x = random_shape(rank, 3);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	int *perm = one.node->transpose.perm;

	for (int i = 0; i < rank; i++) {
		int j = (int)random_integer(0, i);

		perm[i] = perm[j];
		perm[j] = i;
	}
	return one;
}

static inline struct one_node depth_to_space_node(enum graph_op op)
{
	struct graph_shape x = random_shape(4, 3);
	int64_t block = random_integer(2, 3);
	struct one_node one;

	x.dims[1] *= block * block;
	one = one_node_create(op, 1, &x, 1, 1, 1);
	one.node->depth_to_space = (struct graph_depth_to_space){
		.block = block,
		.crd = random_integer(0, 1),
	};
	return one;
}

static inline struct one_node resize_node(enum graph_op op)
{
	struct graph_shape x = random_shape(4, 4);
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);

	one.node->resize = (struct graph_resize){
		.scale = { random_integer(1, 3), random_integer(1, 3) },
	};
	return one;
}

/* No two values so near that a difference could change which is larger. */
static inline void part_values(float *values, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		int64_t j = random_integer(0, i);

		values[i] = values[j];
		values[j] = (float)(i - count / 2) * 6 * RANDOM_NODE_STEP;
	}
}

static inline struct one_node pool_node(enum graph_op op)
{
	struct graph_shape x = SHAPE(random_integer(1, 2), random_integer(1, 2),
				     random_integer(6, 9),
				     random_integer(6, 9));
	struct one_node one = one_node_create(op, 1, &x, 1, 1, 1);
	struct graph_pool *pool = &one.node->pool;

	*pool = (struct graph_pool){
		.auto_pad = random_integer(0, 3) ? GRAPH_PAD_EXPLICIT :
						   random_integer(0, 2),
		.ceil_mode = random_integer(0, 1),
		.count_include_pad = random_integer(0, 1),
	};
	for (int i = 0; i < 2; i++) {
		pool->kernel[i] = random_integer(1, 3);
		pool->stride[i] = random_integer(1, 3);
		pool->dilation[i] =
			op == GRAPH_MAX_POOL ? random_integer(1, 2) : 1;
		if (pool->auto_pad != GRAPH_PAD_EXPLICIT)
			continue;
		pool->pads[i] = random_integer(0, pool->kernel[i] / 2);
		pool->pads[2 + i] = random_integer(0, pool->kernel[i] / 2);
	}
	part_values(one.values[0], graph_shape_count(&x));
	return one;
}

static inline struct one_node global_pool_node(enum graph_op op)
{
	struct graph_shape x = random_shape(4, 5);

	return one_node_create(op, 1, &x, 1, 1, 1);
}

/* ---- operators with weights ---- */

static inline struct graph_conv random_conv(bool transposed)
{
	struct graph_conv conv = { .group = random_integer(1, 3) };

	if (!random_integer(0, 3))
		conv.auto_pad = (enum graph_auto_pad)random_integer(1, 2);
	for (int i = 0; i < 2; i++) {
		conv.kernel[i] = random_integer(1, 4);
		conv.stride[i] = random_integer(1, 3);
		conv.dilation[i] = random_integer(1, 2);
		if (conv.auto_pad)
			continue;
		conv.pads[i] = random_integer(0, conv.kernel[i] / 2);
		conv.pads[2 + i] = random_integer(0, conv.kernel[i] / 2);
		if (transposed)
			conv.output_padding[i] =
				random_integer(0, conv.stride[i] - 1);
	}
	return conv;
}

static inline struct one_node conv_node(enum graph_op op)
{
	bool transposed = op == GRAPH_CONV_TRANSPOSE;
	struct graph_conv conv = random_conv(transposed);
	int64_t in = random_integer(1, 3), out = random_integer(1, 3);
	struct graph_shape shapes[3] = {
		SHAPE(random_integer(1, 2), in * conv.group,
		      random_integer(8, 11), random_integer(8, 11)),
		SHAPE(out * conv.group, in, conv.kernel[0], conv.kernel[1]),
		SHAPE(out * conv.group),
	};
	struct one_node one;

	if (transposed)
		shapes[1] = SHAPE(in * conv.group, out, conv.kernel[0],
				  conv.kernel[1]);
	one = one_node_create(op, (int)random_integer(2, 3), shapes, 1, 3, 1);
	one.node->conv = conv;
	return one;
}

static inline struct one_node gemm_node(enum graph_op op)
{
	struct graph_shape shapes[3] = {
		random_shape((int)random_integer(1, 4), 4),
		SHAPE(random_integer(1, 5), 0),
	};

	shapes[1].dims[1] = shapes[0].dims[shapes[0].rank - 1];
	shapes[2] = SHAPE(shapes[1].dims[0]);
	return one_node_create(op, (int)random_integer(2, 3), shapes, 1, 3, 1);
}

static inline struct one_node recurrent_node(enum graph_op op)
{
	enum graph_direction direction =
		(enum graph_direction)random_integer(0, 2);
	int64_t directions = direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
	int64_t hidden = random_integer(1, 4), batch = random_integer(1, 3);
	int64_t rows = (op == GRAPH_LSTM ? 4 : 3) * hidden;
	struct graph_shape x = random_shape(3, 4);
	struct graph_shape shapes[6] = {
		SHAPE(x.dims[0], batch, x.dims[2]),
		SHAPE(directions, rows, x.dims[2]),
		SHAPE(directions, rows, hidden),
		SHAPE(directions, 2 * rows),
		SHAPE(directions, batch, hidden),
		SHAPE(directions, batch, hidden),
	};
	int most = op == GRAPH_LSTM ? 3 : 2;
	struct one_node one;

	for (int i = 3; i < 6; i++)
		if (!random_integer(0, 2))
			shapes[i].rank = -1;
	one = one_node_create(op, 3 + most, shapes, 1, 4,
			      (int)random_integer(1, most));
	one.node->recurrent = (struct graph_recurrent){
		.hidden = hidden,
		.direction = direction,
		.linear_before_reset = op == GRAPH_GRU && random_integer(0, 1),
	};
	return one;
}

/* Of two samples at least: of one, a result is 0 whatever comes in. */
static inline struct one_node batch_norm_node(enum graph_op op)
{
	struct graph_shape x = random_shape((int)random_integer(2, 4), 4);
	struct one_node one;

	x.dims[0] = random_integer(3, 5);
	one = one_node_create(op, 1, &x, 1, 1, 1);
	one.node->unary.alpha = 0.125f;
	return one;
}

/* How to make one of each; a new operator has none. */
static struct one_node (*const random_node[GRAPH_OP_COUNT])(enum graph_op) = {
	[GRAPH_CONV] = conv_node,
	[GRAPH_CONV_TRANSPOSE] = conv_node,
	[GRAPH_GEMM] = gemm_node,
	[GRAPH_RELU] = unary_node,
	[GRAPH_LEAKY_RELU] = unary_node,
	[GRAPH_PRELU] = prelu_node,
	[GRAPH_CLIP] = unary_node,
	[GRAPH_SIGMOID] = unary_node,
	[GRAPH_TANH] = unary_node,
	[GRAPH_HARD_SIGMOID] = unary_node,
	[GRAPH_HARD_SWISH] = unary_node,
	[GRAPH_ELU] = unary_node,
	[GRAPH_SOFTPLUS] = unary_node,
	[GRAPH_SILU] = unary_node,
	[GRAPH_GELU] = unary_node,
	[GRAPH_EXP] = unary_node,
	[GRAPH_ABS] = unary_node,
	[GRAPH_ADD] = broadcast_node,
	[GRAPH_MULTIPLY] = broadcast_node,
	[GRAPH_AFFINE] = affine_node,
	[GRAPH_CONCAT] = concat_node,
	[GRAPH_SLICE] = slice_node,
	[GRAPH_PAD] = pad_node,
	[GRAPH_RESHAPE] = reshape_node,
	[GRAPH_TRANSPOSE] = transpose_node,
	[GRAPH_DEPTH_TO_SPACE] = depth_to_space_node,
	[GRAPH_RESIZE_NEAREST] = resize_node,
	[GRAPH_MAX_POOL] = pool_node,
	[GRAPH_AVERAGE_POOL] = pool_node,
	[GRAPH_GLOBAL_AVERAGE_POOL] = global_pool_node,
	[GRAPH_LSTM] = recurrent_node,
	[GRAPH_GRU] = recurrent_node,
	[GRAPH_BATCH_NORM] = batch_norm_node,
};

#endif
