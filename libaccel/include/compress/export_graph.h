/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_EXPORT_GRAPH_H
#define COMPRESS_EXPORT_GRAPH_H

struct graph;

/**
 * export_graph() - write a float graph as ONNX, opset 13
 * @graph: valid
 * @path: written atomically
 *
 * Tensors, layers and dynamic dimensions keep their names. Weights are initializers
 * with their zeros; how a tensor was quantized is not written. onnx_import() gives
 * back a graph that computes the same.
 *
 * Return: 0; −ENOMEM; −EFBIG above 2 GiB; what the file system says.
 */
int export_graph(const struct graph *graph, const char *path);

#endif
