/* SPDX-License-Identifier: MIT */
#include <compress/convolution.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

struct im2col convolution_windows(const struct graph_node *node,
				  const struct graph_shape *x,
				  const struct graph_shape *y)
{
	const struct graph_conv *conv = &node->conv;
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	const struct graph_shape *image = transposed ? y : x;
	const struct graph_shape *steps = transposed ? x : y;
	struct im2col windows = {
		.channels = image->dims[CHANNELS] / conv->group,
	};
	int64_t pads[4];

	graph_conv_pads(node, x->dims[HEIGHT], x->dims[WIDTH], pads);
	for (int i = 0; i < 2; i++) {
		windows.image[i] = image->dims[HEIGHT + i];
		windows.windows[i] = steps->dims[HEIGHT + i];
		windows.kernel[i] = conv->kernel[i];
		windows.stride[i] = conv->stride[i];
		windows.dilation[i] = conv->dilation[i];
		windows.pad[i] = pads[i];
	}
	return windows;
}
