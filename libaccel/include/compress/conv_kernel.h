/* SPDX-License-Identifier: MIT */
/*
 * Products whose columns are shifts of a vector, so that no matrix of columns is
 * made. They need AVX-512.
 */
#ifndef COMPRESS_CONV_KERNEL_H
#define COMPRESS_CONV_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

bool conv_kernel_is_supported(void);

/**
 * struct conv_shifts - a matrix of @depth rows; row k is @values + @offsets[k]
 * @values: defined as far as an offset and the length of a row reach
 * @offsets: may be negative
 * @depth: rows
 */
struct conv_shifts {
	const float *values;
	const int32_t *offsets;
	int64_t depth;
};

/**
 * struct conv_range - which elements of rows count
 * @pieces: of them
 * @step: from the beginning of one to that of the next
 * @length: of each; results may be written, and are read, to a multiple of CONV_TILE
 */
struct conv_range {
	int64_t pieces;
	int64_t step;
	int64_t length;
};

/* Rows of a weight come in blocks; the size of that which begins with row first. */
int64_t conv_kernel_block(int64_t rows, int64_t first);

/*
 * result = weight · shifts in a range, result's rows being stride apart; what follows
 * a piece up to a multiple of CONV_TILE becomes undefined before the next piece is
 * computed. The weight has one block of rows after the other, each as [depth][rows of
 * the block].
 */
void conv_kernel_multiply(const float *weight, int64_t rows,
			  const struct conv_shifts *shifts,
			  const struct conv_range *range, float *result,
			  int64_t stride);

/*
 * weight[rows][depth] += grid · shiftsᵀ over a range; grid's rows are stride apart, and
 * zero behind a piece.
 */
void conv_kernel_correlate(const float *grid, int64_t rows, int64_t stride,
			   const struct conv_shifts *shifts,
			   const struct conv_range *range, float *weight);

#endif
