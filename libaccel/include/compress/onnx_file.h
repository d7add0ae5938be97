/* SPDX-License-Identifier: MIT */
/* From bytes to protobuf messages, on guard against damage. */
#ifndef COMPRESS_ONNX_FILE_H
#define COMPRESS_ONNX_FILE_H

#include <onnx.pb-c.h>

#include <stddef.h>
#include <stdint.h>

/* Larger models keep their weights in external data. */
#define ONNX_FILE_LIMIT (INT64_C(2) << 30)

/* The whole of a file; the caller frees it. 0 or -errno. */
int onnx_file_read(const char *path, void **data, size_t *size);

/*
 * size bytes from offset of a file of external data. The name is relative to the
 * folder, and must not lead out of it.
 */
int onnx_file_read_external(const char *folder, const char *name,
			    uint64_t offset, size_t size, void *data);

/* Size of a file of external data. */
int onnx_file_external_size(const char *folder, const char *name,
			    uint64_t *size);

/* Free with onnx__model_proto__free_unpacked(model, NULL). */
int onnx_file_unpack(const void *data, size_t size, Onnx__ModelProto **model);

#endif
