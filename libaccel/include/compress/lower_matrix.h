/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_LOWER_MATRIX_H
#define COMPRESS_LOWER_MATRIX_H

#include "compress/graph.h"
#include "compress/prune.h"
#include "compress/weight_format.h"
#include "model/model.h"

/**
 * struct lower_matrix - a sparse binary32 matrix and its bias
 * @rows: M
 * @columns: K
 * @row_start: @rows + 1
 * @column: ascending within a row
 * @value: may be 0 at a kept position
 * @bias: @rows
 * @row_scale: recorded scales of the weights, or NULL
 * @format: of the weights, where they have no such scales; NULL: plain int8
 * @identity: the values are all 1 and rows only move
 * @dense_macs: of the layer that it stands for, per column of the result
 */
struct lower_matrix {
	uint32_t rows;
	uint32_t columns;
	int64_t *row_start;
	int32_t *column;
	float *value;
	float *bias;
	float *row_scale;
	const struct weight_format *format;
	bool identity;
	uint64_t dense_macs;
};

void lower_matrix_release(struct lower_matrix *matrix);

/* Weights of one part (direction) of a [parts, M, K] or [M, K] constant. */
struct lower_dense {
	const float *value;
	const uint8_t *keep; /* NULL: what is not zero */
	uint32_t rows, columns;
};

int lower_matrix_dense(const struct lower_dense *dense,
		       struct lower_matrix *matrix);

/*
 * Take over the weights' recorded scales, if they are int8 without zero points and
 * one for all rows or for each; row r has scale r / repeat.
 */
int lower_matrix_record(const struct graph_quantization *recorded,
			uint32_t repeat, struct lower_matrix *matrix);

/* A convolution's rows; columns are (channel, ky, kx). */
int lower_matrix_conv(const struct graph *graph, int node, const uint8_t *keep,
		      struct lower_matrix *matrix);

/**
 * lower_matrix_conv_transpose() - all phases of a transposed convolution
 * @pads: top and left, what is cut off the output
 * @window: result: kernel, pads at the beginning and stride 1 of the convolution
 *	that has its output's pixels (s·p + φ) as channels φ at p; pads at the end
 *	that make P = ⌈output / s⌉ for @extra
 * @extra: output size − (input size − 1)·s, for height and width
 */
int lower_matrix_conv_transpose(const struct graph *graph, int node,
				const uint8_t *keep, const int64_t pads[2],
				const int64_t extra[2],
				struct model_window *window,
				struct lower_matrix *matrix);

/* Row r holds a 1 in column source[r], or nothing where that is negative. */
int lower_matrix_move(const int64_t *source, uint32_t rows, uint32_t columns,
		      struct lower_matrix *matrix);

/* Row r becomes what was row source[r]. */
int lower_matrix_permute(struct lower_matrix *matrix, const uint32_t *source);

#endif
