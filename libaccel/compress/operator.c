/* SPDX-License-Identifier: MIT */
#include <compress/operator.h>

/**
 * struct operator_entry - how an operator runs
 * @run: computes the outputs
 * @workspace: floats that it needs besides; NULL for none
 */
struct operator_entry {
	int (*run)(const struct operator_call *call);
	int64_t (*workspace)(const struct operator_call *call);
};

static const struct operator_entry operators[GRAPH_OP_COUNT] = {
	[GRAPH_CONV] = { operator_conv, operator_conv_workspace },
	[GRAPH_CONV_TRANSPOSE] = { operator_conv_transpose,
				   operator_conv_transpose_workspace },
	[GRAPH_GEMM] = { operator_gemm, NULL },
	[GRAPH_RELU] = { operator_relu, NULL },
	[GRAPH_LEAKY_RELU] = { operator_leaky_relu, NULL },
	[GRAPH_PRELU] = { operator_prelu, NULL },
	[GRAPH_CLIP] = { operator_clip, NULL },
	[GRAPH_SIGMOID] = { operator_sigmoid, NULL },
	[GRAPH_TANH] = { operator_tanh, NULL },
	[GRAPH_HARD_SIGMOID] = { operator_hard_sigmoid, NULL },
	[GRAPH_HARD_SWISH] = { operator_hard_swish, NULL },
	[GRAPH_ELU] = { operator_elu, NULL },
	[GRAPH_SOFTPLUS] = { operator_softplus, NULL },
	[GRAPH_SILU] = { operator_silu, NULL },
	[GRAPH_GELU] = { operator_gelu, NULL },
	[GRAPH_EXP] = { operator_exp, NULL },
	[GRAPH_ABS] = { operator_abs, NULL },
	[GRAPH_ADD] = { operator_add, NULL },
	[GRAPH_MULTIPLY] = { operator_multiply, NULL },
	[GRAPH_AFFINE] = { operator_affine, NULL },
	[GRAPH_CONCAT] = { operator_concat, NULL },
	[GRAPH_SLICE] = { operator_slice, NULL },
	[GRAPH_PAD] = { operator_pad, NULL },
	[GRAPH_RESHAPE] = { operator_reshape, NULL },
	[GRAPH_TRANSPOSE] = { operator_transpose, NULL },
	[GRAPH_DEPTH_TO_SPACE] = { operator_depth_to_space, NULL },
	[GRAPH_RESIZE_NEAREST] = { operator_resize_nearest, NULL },
	[GRAPH_MAX_POOL] = { operator_max_pool, NULL },
	[GRAPH_AVERAGE_POOL] = { operator_average_pool, NULL },
	[GRAPH_GLOBAL_AVERAGE_POOL] = { operator_global_average_pool, NULL },
	[GRAPH_LSTM] = { operator_lstm, operator_recurrent_workspace },
	[GRAPH_GRU] = { operator_gru, operator_recurrent_workspace },
	[GRAPH_BATCH_NORM] = { operator_batch_norm, NULL },
};

int operator_run(const struct operator_call *call)
{
	return operators[call->node->op].run(call);
}

int64_t operator_workspace(const struct operator_call *call)
{
	const struct operator_entry *op = &operators[call->node->op];

	return op->workspace ? op->workspace(call) : 0;
}

int64_t operator_count(const struct graph_shape *shape)
{
	return operator_extent(shape, 0, shape->rank);
}

int64_t operator_extent(const struct graph_shape *shape, int from, int to)
{
	int64_t extent = 1;

	for (int axis = from; axis < to; axis++)
		extent *= shape->dims[axis];
	return extent;
}
