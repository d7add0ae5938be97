/* SPDX-License-Identifier: MIT */
/* Moving the elements of constants. */
#ifndef COMPRESS_ONNX_FOLD_H
#define COMPRESS_ONNX_FOLD_H

#include <compress/onnx_context.h>

/*
 * A constant whose element (i, j, …) is element offset + i·stride[0] +
 * j·stride[1] + … of another. A splat stays one. 0 or -errno.
 */
int onnx_constant_view(struct onnx_context *context,
		       const struct onnx_node *node,
		       const struct onnx_value *from,
		       const struct graph_shape *shape, const int64_t *stride,
		       int64_t offset, struct onnx_value *to);

int onnx_constant_transpose(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct onnx_value *from, const int *perm,
			    struct onnx_value *to);

/* The perm attribute; reversed axes without one. */
int onnx_permutation(const struct onnx_node *node, int rank,
		     int perm[GRAPH_MAX_RANK]);

#endif
