/* SPDX-License-Identifier: MIT */
#include <train/gradient.h>

/**
 * struct gradient_entry - the way back through an operator
 * @run: adds to the gradients by the inputs
 * @workspace: floats that it needs besides; NULL for none
 */
struct gradient_entry {
	int (*run)(const struct gradient_call *call);
	int64_t (*workspace)(const struct gradient_call *call);
};

static const struct gradient_entry gradients[GRAPH_OP_COUNT] = {
	[GRAPH_CONV] = { gradient_conv, gradient_conv_workspace },
	[GRAPH_CONV_TRANSPOSE] = { gradient_conv_transpose,
				   gradient_conv_transpose_workspace },
	[GRAPH_GEMM] = { gradient_gemm, NULL },
	[GRAPH_LSTM] = { gradient_lstm, gradient_recurrent_workspace },
	[GRAPH_GRU] = { gradient_gru, gradient_recurrent_workspace },
	[GRAPH_BATCH_NORM] = { gradient_batch_norm, NULL },
	[GRAPH_RELU] = { gradient_activation, NULL },
	[GRAPH_LEAKY_RELU] = { gradient_activation, NULL },
	[GRAPH_PRELU] = { gradient_activation, NULL },
	[GRAPH_CLIP] = { gradient_activation, NULL },
	[GRAPH_SIGMOID] = { gradient_activation, NULL },
	[GRAPH_TANH] = { gradient_activation, NULL },
	[GRAPH_HARD_SIGMOID] = { gradient_activation, NULL },
	[GRAPH_HARD_SWISH] = { gradient_activation, NULL },
	[GRAPH_ELU] = { gradient_activation, NULL },
	[GRAPH_SOFTPLUS] = { gradient_activation, NULL },
	[GRAPH_SILU] = { gradient_activation, NULL },
	[GRAPH_GELU] = { gradient_activation, NULL },
	[GRAPH_EXP] = { gradient_activation, NULL },
	[GRAPH_ABS] = { gradient_activation, NULL },
	[GRAPH_ADD] = { gradient_add, NULL },
	[GRAPH_MULTIPLY] = { gradient_multiply, NULL },
	[GRAPH_AFFINE] = { gradient_affine, NULL },
	[GRAPH_CONCAT] = { gradient_concat, NULL },
	[GRAPH_SLICE] = { gradient_slice, NULL },
	[GRAPH_PAD] = { gradient_pad, NULL },
	[GRAPH_RESHAPE] = { gradient_reshape, NULL },
	[GRAPH_TRANSPOSE] = { gradient_transpose, NULL },
	[GRAPH_DEPTH_TO_SPACE] = { gradient_depth_to_space, NULL },
	[GRAPH_RESIZE_NEAREST] = { gradient_resize_nearest, NULL },
	[GRAPH_MAX_POOL] = { gradient_max_pool, NULL },
	[GRAPH_AVERAGE_POOL] = { gradient_average_pool, NULL },
	[GRAPH_GLOBAL_AVERAGE_POOL] = { gradient_global_average_pool, NULL },
};

int gradient_run(const struct gradient_call *call)
{
	return gradients[call->node->op].run(call);
}

int64_t gradient_workspace(const struct gradient_call *call)
{
	const struct gradient_entry *op = &gradients[call->node->op];

	return op->workspace ? op->workspace(call) : 0;
}

/* Where elements only move, or are added up, it is enough to know which went where. */
bool gradient_reads_values(enum graph_op op)
{
	switch (op) {
	case GRAPH_ADD:
	case GRAPH_CONCAT:
	case GRAPH_SLICE:
	case GRAPH_PAD:
	case GRAPH_RESHAPE:
	case GRAPH_TRANSPOSE:
	case GRAPH_DEPTH_TO_SPACE:
	case GRAPH_RESIZE_NEAREST:
	case GRAPH_AVERAGE_POOL:
	case GRAPH_GLOBAL_AVERAGE_POOL:
		return false;
	default:
		return true;
	}
}
