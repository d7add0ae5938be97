/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_WEIGHT_FORMAT_H
#define COMPRESS_WEIGHT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#define WEIGHT_CENTROIDS_MAX 256
#define WEIGHT_VECTOR_MAX 8

/**
 * enum weight_kind - what values weights may take
 * @WEIGHT_INTEGER: whole multiples of a scale, symmetric
 * @WEIGHT_CODEBOOK: some values, chosen for each matrix by k-means
 * @WEIGHT_HALF: IEEE 754 binary16
 * @WEIGHT_FLOAT8: E4M3, with a scale for each row
 * @WEIGHT_FIXED: whole multiples of a power of two
 *
 * The device multiplies int8 codes with a scale for each row. Integers of a scale for
 * each row or matrix are such codes; the others are rounded to them afterwards, so that
 * what they lose by themselves is measured as it runs.
 */
enum weight_kind {
	WEIGHT_INTEGER,
	WEIGHT_CODEBOOK,
	WEIGHT_HALF,
	WEIGHT_FLOAT8,
	WEIGHT_FIXED,
};

/** enum weight_granularity - what shares a scale */
enum weight_granularity {
	WEIGHT_PER_CHANNEL, /* a row of the matrix */
	WEIGHT_PER_TENSOR,
	WEIGHT_PER_GROUP, /* so many consecutive columns of a row */
};

/**
 * struct weight_format - how the weights of a matrix are rounded
 * @kind: all 0 is int8 with a scale for each row
 * @bits: of an integer or fixed-point number, 2 … 8; 0: 8
 * @centroids: of a code book, 2 … 256
 * @vector: weights that it codes at once, 2 … WEIGHT_VECTOR_MAX; 0: each by itself
 * @granularity: of scales
 * @group: columns, for WEIGHT_PER_GROUP
 * @search: scales of the least squared error; else of the largest magnitude
 */
struct weight_format {
	enum weight_kind kind;
	int bits;
	int centroids;
	int vector;
	enum weight_granularity granularity;
	int group;
	bool search;
};

/*
 * int8, int4, intB[:tensor|:channel|:group:N][:mse], codebook:K[:vN], fp16, fp8, fixed[:B].
 * −EINVAL with a text for anything else.
 */
int weight_format_parse(const char *text, struct weight_format *format);

/* The same text, for reports; into size bytes. */
void weight_format_print(const struct weight_format *format, char *text,
			 size_t size);

/* Does rounding to int8 with a scale for each row do it? */
bool weight_format_is_plain(const struct weight_format *format);

/* The largest code of an integer: 127 of int8. */
int weight_format_code_max(const struct weight_format *format);

/* Of one weight that is kept, scales and code books aside. */
double weight_format_bits(const struct weight_format *format);

#endif
