/* SPDX-License-Identifier: MIT */
/* What the writer and the reader of model files share. Documentation/model-file.rst. */
#ifndef MODEL_FILE_FORMAT_H
#define MODEL_FILE_FORMAT_H

/* Keys of the safetensors metadata, and the value of the first. */
#define MODEL_FILE_FORMAT_KEY "format"
#define MODEL_FILE_FORMAT "accel-model-1"
#define MODEL_FILE_GRAPH_KEY "graph"
#define MODEL_FILE_GRAPH_CRC_KEY "graph_crc32c"
#define MODEL_FILE_CRC_KEY "crc32c"

/* Of packed files: the other value of "format", and keys of their own. */
#define MODEL_FILE_PACKED_FORMAT "accel-model-packed-2"
/* The one before: scales and biases are tensors, as in a portable file. */
#define MODEL_FILE_PACKED_FORMAT_1 "accel-model-packed-1"

/* Of compact files, which have one tensor and no graph in the metadata. */
#define MODEL_FILE_COMPACT_FORMAT "accel-model-compact-1"
#define MODEL_FILE_COMPACT_TENSOR "model"

#define MODEL_FILE_PACKING_KEY "packing"
#define MODEL_FILE_PACKING_CRC_KEY "packing_crc32c"

/* Names of a layer's tensors end so. */
#define MODEL_FILE_STREAM "stream"
#define MODEL_FILE_TABLE "table"
#define MODEL_FILE_ROWS "rows"

/* Eight hexadecimal digits. */
#define MODEL_FILE_CRC_FORMAT "%08x"
#define MODEL_FILE_CRC_SIZE 9

/* Column numbers are U16 up to so many columns. */
#define MODEL_FILE_NARROW_COLUMNS 65536

/* Biases are coded as numbers without a sign, in the same order. */
#define MODEL_FILE_BIAS_OFFSET 0x80000000u

#endif
