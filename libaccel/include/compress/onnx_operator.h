/* SPDX-License-Identifier: MIT */
/* The operators that import; each file onnx_FAMILY.c has those of a family. */
#ifndef COMPRESS_ONNX_OPERATOR_H
#define COMPRESS_ONNX_OPERATOR_H

#include <compress/onnx_context.h>

typedef int onnx_operator_function(struct onnx_context *context,
				   const struct onnx_node *node);

/*
 * Import one node. If all its inputs are constant and the operator folds, the
 * result is a constant; otherwise nodes of the graph.
 */
int onnx_import_node(struct onnx_context *context,
		     const struct onnx_node *node);

/* onnx_convolution.c */
onnx_operator_function onnx_import_conv;
onnx_operator_function onnx_import_conv_transpose;

/* onnx_matrix.c */
onnx_operator_function onnx_import_gemm;
onnx_operator_function onnx_import_matmul;

/* onnx_normalization.c */
onnx_operator_function onnx_import_batch_normalization;

/* onnx_activation.c */
onnx_operator_function onnx_import_activation;
onnx_operator_function onnx_import_clip;
onnx_operator_function onnx_import_prelu;
onnx_operator_function onnx_import_pass_through;
onnx_operator_function onnx_import_cast;

/* onnx_gelu.c */
onnx_operator_function onnx_import_erf;
onnx_operator_function onnx_import_gelu;

/* onnx_arithmetic.c */
onnx_operator_function onnx_import_arithmetic;
onnx_operator_function onnx_import_bound;
onnx_operator_function onnx_import_negate;
onnx_operator_function onnx_import_power;

/* onnx_pooling.c */
onnx_operator_function onnx_import_pool;
onnx_operator_function onnx_import_global_average;
onnx_operator_function onnx_import_mean;

/* onnx_layout.c */
onnx_operator_function onnx_import_reshape;
onnx_operator_function onnx_import_transpose;
onnx_operator_function onnx_import_concat;
onnx_operator_function onnx_import_expand;
onnx_operator_function onnx_import_pad;

/* onnx_slice.c */
onnx_operator_function onnx_import_slice;
onnx_operator_function onnx_import_split;
onnx_operator_function onnx_import_gather;

/* onnx_resize.c */
onnx_operator_function onnx_import_resize;
onnx_operator_function onnx_import_depth_to_space;
onnx_operator_function onnx_import_space_to_depth;

/* onnx_recurrent.c */
onnx_operator_function onnx_import_lstm;
onnx_operator_function onnx_import_gru;

/* onnx_scan.c */
onnx_operator_function onnx_import_scan;

/* onnx_accumulator.c */
onnx_operator_function onnx_import_matmul_integer;
onnx_operator_function onnx_import_accumulated;

/* onnx_quantize.c */
onnx_operator_function onnx_import_quantize;
onnx_operator_function onnx_import_dequantize;
onnx_operator_function onnx_fold_quantize;
onnx_operator_function onnx_fold_dequantize;

/* onnx_shape.c: constants from shapes */
onnx_operator_function onnx_import_constant;
onnx_operator_function onnx_import_shape;
onnx_operator_function onnx_import_size;
onnx_operator_function onnx_fold_constant_of_shape;
onnx_operator_function onnx_fold_range;
onnx_operator_function onnx_fold_expand;

/* onnx_fold_arithmetic.c: constants from constants, element by element */
onnx_operator_function onnx_fold_binary;
onnx_operator_function onnx_fold_unary;
onnx_operator_function onnx_fold_cast;
onnx_operator_function onnx_fold_where;
onnx_operator_function onnx_fold_reduce;
onnx_operator_function onnx_fold_matmul;

/* onnx_fold_layout.c: constants from constants, moved */
onnx_operator_function onnx_fold_reshape;
onnx_operator_function onnx_fold_transpose;
onnx_operator_function onnx_fold_concat;
onnx_operator_function onnx_fold_slice;
onnx_operator_function onnx_fold_split;
onnx_operator_function onnx_fold_gather;
onnx_operator_function onnx_fold_pass_through;

/* Shared by the families */

/* The shape that Reshape, Flatten, Squeeze or Unsqueeze gives to its input. */
int onnx_reshape_target(struct onnx_context *context,
			const struct onnx_node *node,
			const struct graph_shape *shape,
			struct graph_shape *target);

/* Does a node compute with what MatMulInteger made? */
bool onnx_reads_accumulator(struct onnx_context *context,
			    const struct onnx_node *node);

/* Does a node compute with what Erf made? */
bool onnx_reads_erf(struct onnx_context *context, const struct onnx_node *node);

/*
 * A quantized value's tensor, which remembers the quantization; a copy if it has
 * another one already. −errno.
 */
int onnx_quantized_tensor(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct onnx_value *value);

/* Are both of a whole tensor, and the same? */
bool onnx_quantization_equal(const struct graph_quantization *a,
			     const struct graph_quantization *b);

/*
 * [T·N, M] as [T, N, M], where it is the product of a [T, N, K] that was made
 * [T·N, K]: the same product without these views. GRAPH_NO_TENSOR if it is
 * none, −errno.
 */
int onnx_part_steps(struct onnx_context *context, const struct onnx_node *node,
		    int tensor, const struct graph_shape *wanted);

/* What Slice asks for on each axis; handles. */
struct onnx_slice_range {
	bool used;
	int64_t start;
	int64_t end;
	int64_t step;
};

int onnx_slice_ranges(struct onnx_context *context,
		      const struct onnx_node *node, int rank,
		      struct onnx_slice_range ranges[GRAPH_MAX_RANK]);

/* Lengths of Split's parts on an axis; their number is the node's outputs'. */
int onnx_split_sizes(struct onnx_context *context, const struct onnx_node *node,
		     int64_t length, int64_t *sizes);

#endif
