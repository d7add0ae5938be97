/* SPDX-License-Identifier: MIT */
/* What the ways forth and back of Conv and ConvTranspose share. */
#ifndef COMPRESS_CONVOLUTION_H
#define COMPRESS_CONVOLUTION_H

#include <compress/graph.h>
#include <compress/im2col.h>

/*
 * How the windows of one group lie on the image, which is x of a convolution and y
 * of a transposed one; a window is an element of the other one.
 */
struct im2col convolution_windows(const struct graph_node *node,
				  const struct graph_shape *x,
				  const struct graph_shape *y);

#endif
