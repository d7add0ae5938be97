/* SPDX-License-Identifier: MIT */
/*
 * The way back through the operators of the float graph: from the gradient of a
 * loss by a node's outputs to those by its inputs and weights. Like the operators
 * these functions know neither the graph nor who owns the memory.
 */
#ifndef TRAIN_GRADIENT_H
#define TRAIN_GRADIENT_H

#include <compress/operator.h>

/**
 * struct gradient_call - one way back through one node
 * @node: operator and attributes
 * @inputs: node->input_count of them, with the values of the forward run where
 *	gradient_reads_values() says so
 * @outputs: node->output_count of them; only their shapes count, the values may be
 *	gone
 * @output_gradients: of each output, shaped like it; NULL where no loss depends on
 *	it
 * @input_gradients: of each input, shaped like it; the result is *added*; NULL
 *	where it is not wanted
 * @workspace: as many floats as gradient_workspace() says, undefined before and
 *	after
 */
struct gradient_call {
	const struct graph_node *node;
	const struct operator_value *inputs;
	const struct operator_value *outputs;
	const float *const *output_gradients;
	float *const *input_gradients;
	float *workspace;
};

/* Return 0 or −EOVERFLOW. */
int gradient_run(const struct gradient_call *call);

/* Floats of workspace that the call needs; looks at shapes, and at which
 * gradients are wanted, only. */
int64_t gradient_workspace(const struct gradient_call *call);

/* Does the way back depend on the values of the inputs, or only on their shapes? */
bool gradient_reads_values(enum graph_op op);

/* ---- the operators, by file ---- */

/* gradient_conv.c */
int gradient_conv(const struct gradient_call *call);
int64_t gradient_conv_workspace(const struct gradient_call *call);
int gradient_conv_transpose(const struct gradient_call *call);
int64_t gradient_conv_transpose_workspace(const struct gradient_call *call);

/* gradient_gemm.c */
int gradient_gemm(const struct gradient_call *call);

/* gradient_recurrent.c: backpropagation through all steps of the sequence */
int gradient_lstm(const struct gradient_call *call);
int gradient_gru(const struct gradient_call *call);
int64_t gradient_recurrent_workspace(const struct gradient_call *call);

/* gradient_activation.c: every operator of graph_op_is_activation() */
int gradient_activation(const struct gradient_call *call);

/* gradient_arithmetic.c */
int gradient_add(const struct gradient_call *call);
int gradient_multiply(const struct gradient_call *call);
int gradient_affine(const struct gradient_call *call);

/* gradient_layout.c */
int gradient_concat(const struct gradient_call *call);
int gradient_slice(const struct gradient_call *call);
int gradient_pad(const struct gradient_call *call);
int gradient_reshape(const struct gradient_call *call);
int gradient_transpose(const struct gradient_call *call);

/* gradient_image.c */
int gradient_depth_to_space(const struct gradient_call *call);
int gradient_resize_nearest(const struct gradient_call *call);

/* gradient_batch_norm.c */
int gradient_batch_norm(const struct gradient_call *call);

/* gradient_pool.c */
int gradient_max_pool(const struct gradient_call *call);
int gradient_average_pool(const struct gradient_call *call);
int gradient_global_average_pool(const struct gradient_call *call);

#endif
