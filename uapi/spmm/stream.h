/* SPDX-License-Identifier: MIT */
/*
 * Weight streams: a sparse int8 matrix as the clusters read it.
 *
 *	struct spmm_stream_header
 *	struct spmm_stream_lane [row_groups][lanes]
 *	the lanes' bit streams, one after the other, each from a byte boundary
 *
 * A lane's bit stream is a sequence of blocks; bits are counted from the least
 * significant bit of the first byte. Specification, with a worked example:
 * Documentation/weight-stream.rst.
 */
#ifndef UAPI_SPMM_STREAM_H
#define UAPI_SPMM_STREAM_H

#include <linux/types.h>

#define SPMM_STREAM_MAGIC 0x574d5053 /* "SPMW" */
#define SPMM_STREAM_VERSION 1

/**
 * struct spmm_stream_header - of a whole matrix
 * @magic: SPMM_STREAM_MAGIC
 * @version: SPMM_STREAM_VERSION
 * @lanes: of a cluster; twice the device's when @vector_width is half of it
 * @vector_width: columns of X that one issue works on
 * @row_groups: parts of the stream
 * @column_groups: parts of X; row_groups · column_groups ≤ clusters
 * @bank_skew: column k of W reads bank (k + bank_skew · ⌊k / banks⌋) mod banks
 * @pad: zero
 * @rows: M, as in the descriptor
 * @columns: K, as in the descriptor
 * @nonzeros: weights in all blocks
 */
struct spmm_stream_header {
	__le32 magic;
	__u8 version;
	__u8 lanes;
	__le16 vector_width;
	__le16 row_groups;
	__le16 column_groups;
	__le16 bank_skew;
	__le16 pad;
	__le32 rows;
	__le32 columns;
	__le64 nonzeros;
};

/**
 * struct spmm_stream_lane - one lane of one row group
 * @length: bytes of its bit stream
 * @row: where it starts; not before the end of the lane before it
 * @column: likewise
 */
struct spmm_stream_lane {
	__le32 length;
	__le32 row;
	__le32 column;
};

/*
 * A block starts with 16 bits: its format, a parameter and the number of its
 * weights less one.
 */
#define SPMM_BLOCK_HEADER_BITS 16
#define SPMM_BLOCK_FORMAT_SHIFT 0 /* 2 bits, enum spmm_block_format */
#define SPMM_BLOCK_PARAMETER_SHIFT 2 /* 6 bits */
#define SPMM_BLOCK_COUNT_SHIFT 8 /* 8 bits */
#define SPMM_BLOCK_FORMAT_MASK 0x3
#define SPMM_BLOCK_PARAMETER_MASK 0x3f
#define SPMM_BLOCK_COUNT_MASK 0xff
#define SPMM_BLOCK_COUNT_MAX 256

/**
 * enum spmm_block_format - how a block tells the positions of its weights
 * @SPMM_BLOCK_DENSE: they are neighbours; parameter 0
 * @SPMM_BLOCK_STRUCTURED: N:M; the parameter is an enum spmm_block_pattern
 * @SPMM_BLOCK_BITMAP: one bit for each position; parameter 0
 * @SPMM_BLOCK_DELTA: Rice code of each gap; the parameter is its k ≥ 1
 */
enum spmm_block_format {
	SPMM_BLOCK_DENSE = 0,
	SPMM_BLOCK_STRUCTURED = 1,
	SPMM_BLOCK_BITMAP = 2,
	SPMM_BLOCK_DELTA = 3,
};

/**
 * enum spmm_block_pattern - N weights in each group of M neighbouring columns
 * @SPMM_PATTERN_1_2: 1 bit for each group
 * @SPMM_PATTERN_1_4: 2 bits
 * @SPMM_PATTERN_1_8: 3 bits
 * @SPMM_PATTERN_1_16: 4 bits
 * @SPMM_PATTERN_2_4: 3 bits: 01 02 03 12 13 23
 */
enum spmm_block_pattern {
	SPMM_PATTERN_1_2 = 0,
	SPMM_PATTERN_1_4 = 1,
	SPMM_PATTERN_1_8 = 2,
	SPMM_PATTERN_1_16 = 3,
	SPMM_PATTERN_2_4 = 4,
};

#define SPMM_BLOCK_RICE_MAX 15 /* largest k */
#define SPMM_BLOCK_UNARY_MAX 16 /* zeros that make a filler; K when smaller */

#endif
