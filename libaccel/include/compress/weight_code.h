/* SPDX-License-Identifier: MIT */
/* Weights in a format that is not plain int8, as the codes that the device multiplies. */
#ifndef COMPRESS_WEIGHT_CODE_H
#define COMPRESS_WEIGHT_CODE_H

#include <stdint.h>

#include <compress/quantize.h>
#include <compress/weight_format.h>

/**
 * struct weight_coder - what the rows of a matrix share
 * @format: that they are in
 * @scale: of the whole matrix, for WEIGHT_PER_TENSOR and WEIGHT_FIXED
 * @centroids: of the code book, ascending
 * @centroid_count: as many as differ
 * @vectors: of a code book of vectors, in place of @centroids; see weight_vector.h
 */
struct weight_coder {
	struct weight_format format;
	double scale;
	double centroids[WEIGHT_CENTROIDS_MAX];
	int centroid_count;
	float vectors[WEIGHT_CENTROIDS_MAX][WEIGHT_VECTOR_MAX];
};

/* values: all that are kept of the matrix. 0 or −ENOMEM. */
int weight_coder_create(struct weight_coder *coder,
			const struct weight_format *format, const float *values,
			size_t count);

/* What a code of an integer format counts, for values that share it; 1 for zeros. */
double weight_integer_scale(const struct weight_format *format,
			    const float *values, size_t count);

/**
 * weight_coder_row() - a row's codes
 * @coder: of its matrix
 * @row: as for quantize_row_scale(), which the result heeds
 * @columns: of the weights, ascending: groups are by them
 * @codes: result, row->count of them
 * @scale: result: what a code counts; finite and positive
 *
 * Return: 0 or −ENOMEM.
 */
int weight_coder_row(const struct weight_coder *coder,
		     const struct quantize_row *row, const int32_t *columns,
		     int8_t *codes, float *scale);

#endif
