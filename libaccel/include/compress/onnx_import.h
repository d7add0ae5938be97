/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_ONNX_IMPORT_H
#define COMPRESS_ONNX_IMPORT_H

#include <stddef.h>

struct graph;

/**
 * onnx_import() - read an ONNX model, opset 9 to 21, into a float graph
 * @path: the file; external data lies in its folder
 * @graph: result; the caller frees it with graph_destroy()
 *
 * What depends on shapes alone is folded, batch normalization and constant
 * factors too, where they meet a linear layer. Quantized models (QDQ) come back
 * as float graphs whose tensors remember scales and zero points.
 *
 * Return: 0; −ENOENT and other errors of open and read; −EFBIG above 2 GiB;
 * −EBADMSG if the file is damaged; −ENOTSUP for an operator, attribute or shape
 * that is not supported; −EINVAL if the model contradicts itself; −ENOMEM. The
 * message names the node and the operator.
 */
int onnx_import(const char *path, struct graph **graph);

/**
 * onnx_import_weights() - the same, with weights of another file
 * @path: the model
 * @weights: a safetensors file; each of its tensors takes the place of the
 *	initializer of its name, before anything is folded
 * @graph: result
 *
 * Return: as onnx_import(); −EINVAL if a tensor has no counterpart of its shape.
 */
int onnx_import_weights(const char *path, const char *weights,
			struct graph **graph);

/**
 * onnx_import_memory() - the same from a model in memory
 * @data: the file's bytes
 * @size: how many
 * @folder: of external data; NULL refuses it
 * @graph: result
 */
int onnx_import_memory(const void *data, size_t size, const char *folder,
		       struct graph **graph);

#endif
