/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_BROADCAST_H
#define COMPRESS_BROADCAST_H

#include <compress/graph.h>

/**
 * struct broadcast - two operands on the way through the result, row by row
 * @shape: of the result
 * @width: of a row: the result's last axis
 * @rows: in all
 * @stride: elements of each operand from one index to the next, 0 where it repeats
 * @index: of the current row; its last axis stays 0
 * @offset: of the current row in each operand
 *
 * By ONNX's rules, which are numpy's. Within a row each operand's stride is 0 or 1.
 */
struct broadcast {
	const struct graph_shape *shape;
	int64_t width;
	int64_t rows;
	int64_t stride[2][GRAPH_MAX_RANK];
	int64_t index[GRAPH_MAX_RANK];
	int64_t offset[2];
};

/* At the first row; the shapes are known to fit. */
struct broadcast broadcast_begin(const struct graph_shape *result,
				 const struct graph_shape *a,
				 const struct graph_shape *b);

void broadcast_next_row(struct broadcast *broadcast);

/* 0 where the operand has one element for the whole row. */
int64_t broadcast_row_stride(const struct broadcast *broadcast, int operand);

#endif
