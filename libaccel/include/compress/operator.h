/* SPDX-License-Identifier: MIT */
/*
 * The operators of the float graph, each a function over arrays. They know neither
 * the graph nor who owns the memory: the executor runs them over planned buffers,
 * training over buffers that it keeps for the way back.
 */
#ifndef COMPRESS_OPERATOR_H
#define COMPRESS_OPERATOR_H

#include <compress/graph.h>

/** struct operator_value - one tensor; @values is NULL where it is absent */
struct operator_value {
	const struct graph_shape *shape;
	float *values;
};

/**
 * struct operator_call - one run of one node
 * @node: operator and attributes
 * @inputs: node->input_count of them; only read
 * @outputs: node->output_count of them; overlap no input
 * @workspace: as many floats as operator_workspace() says, undefined before and
 *	after
 */
struct operator_call {
	const struct graph_node *node;
	const struct operator_value *inputs;
	const struct operator_value *outputs;
	float *workspace;
};

/* Shapes must be those of graph_infer_shapes(). Return 0 or −EOVERFLOW. */
int operator_run(const struct operator_call *call);

/* Floats of workspace that the call needs; looks at shapes only. */
int64_t operator_workspace(const struct operator_call *call);

/* ---- the operators, by file ---- */

/* operator_conv.c */
int operator_conv(const struct operator_call *call);
int64_t operator_conv_workspace(const struct operator_call *call);
int operator_conv_transpose(const struct operator_call *call);
int64_t operator_conv_transpose_workspace(const struct operator_call *call);

/* operator_gemm.c */
int operator_gemm(const struct operator_call *call);

/* operator_activation.c */
int operator_relu(const struct operator_call *call);
int operator_leaky_relu(const struct operator_call *call);
int operator_prelu(const struct operator_call *call);
int operator_clip(const struct operator_call *call);
int operator_sigmoid(const struct operator_call *call);
int operator_tanh(const struct operator_call *call);
int operator_hard_sigmoid(const struct operator_call *call);
int operator_hard_swish(const struct operator_call *call);
int operator_elu(const struct operator_call *call);
int operator_softplus(const struct operator_call *call);
int operator_silu(const struct operator_call *call);
int operator_gelu(const struct operator_call *call);
int operator_exp(const struct operator_call *call);
int operator_abs(const struct operator_call *call);

/* operator_arithmetic.c */
int operator_add(const struct operator_call *call);
int operator_multiply(const struct operator_call *call);
int operator_affine(const struct operator_call *call);

/* operator_layout.c */
int operator_concat(const struct operator_call *call);
int operator_slice(const struct operator_call *call);
int operator_pad(const struct operator_call *call);
int operator_reshape(const struct operator_call *call);
int operator_transpose(const struct operator_call *call);

/* operator_image.c */
int operator_depth_to_space(const struct operator_call *call);
int operator_resize_nearest(const struct operator_call *call);

/* operator_pool.c */
int operator_max_pool(const struct operator_call *call);
int operator_average_pool(const struct operator_call *call);
int operator_global_average_pool(const struct operator_call *call);

/* operator_recurrent.c */
int operator_lstm(const struct operator_call *call);
int operator_gru(const struct operator_call *call);
int64_t operator_recurrent_workspace(const struct operator_call *call);

/* operator_batch_norm.c */
int operator_batch_norm(const struct operator_call *call);

/* ---- what they share ---- */

/* Number of elements; the shape is known to be valid. */
int64_t operator_count(const struct graph_shape *shape);

/* Product of the dimensions from one axis to before another. */
int64_t operator_extent(const struct graph_shape *shape, int from, int to);

#endif
