/* SPDX-License-Identifier: MIT */
/*
 * Code books of vectors: so many weights that stay, one behind the other in a row, are
 * one of K vectors. What is left over at a row's end is held against their beginnings.
 */
#ifndef COMPRESS_WEIGHT_VECTOR_H
#define COMPRESS_WEIGHT_VECTOR_H

#include <stddef.h>
#include <stdint.h>

struct weight_coder;

/**
 * weight_vectors_learn() - k-means over a matrix's vectors
 * @coder: from weight_coder_create(), of a format with vectors; gets them
 * @values: all that are kept of the matrix
 * @row_start: [@rows + 1], where its rows begin
 * @rows: of the matrix
 *
 * The same values give the same vectors. Return: 0 or −ENOMEM.
 */
int weight_vectors_learn(struct weight_coder *coder, const float *values,
			 const int64_t *row_start, size_t rows);

/** weight_vectors_round() - every weight of a row as the nearest vectors have it */
void weight_vectors_round(const struct weight_coder *coder, const float *row,
			  size_t count, float *rounded);

#endif
