/* SPDX-License-Identifier: MIT */
/* The sliding window that convolutions and poolings share. */
#ifndef COMPRESS_ONNX_WINDOW_H
#define COMPRESS_ONNX_WINDOW_H

#include <compress/onnx_context.h>

/* As in struct graph_conv; of one axis, the first of each pair is neutral. */
struct onnx_window {
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t pads[4];
	enum graph_auto_pad auto_pad;
};

/* Read strides, dilations, pads and auto_pad. 0 or -errno. */
int onnx_window_read(const struct onnx_node *node, int spatial,
		     struct onnx_window *window);

/* A list with a number for each axis; pair is left alone where there is none. */
int onnx_window_pair(const struct onnx_node *node, const char *name,
		     int spatial, int64_t pair[2]);

/* Make SAME padding explicit where the input's shape, or a stride of 1, fixes it. */
void onnx_window_resolve(struct onnx_window *window,
			 const struct graph_shape *shape);

#endif
