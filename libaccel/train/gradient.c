/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/gradient.h>

#include <errno.h>

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
};

int gradient_run(const struct gradient_call *call)
{
	const struct gradient_entry *op = &gradients[call->node->op];

	if (!op->run)
		return accel_error(-ENOSYS, "no way back through %s",
				   graph_op_name(call->node->op));
	return op->run(call);
}

int64_t gradient_workspace(const struct gradient_call *call)
{
	const struct gradient_entry *op = &gradients[call->node->op];

	return op->workspace ? op->workspace(call) : 0;
}
