/* SPDX-License-Identifier: MIT */
/*
 * Conv and ConvTranspose, forth and back, without columns: every tap is a shift of
 * the planes of conv_planes.h. Sums have one order whatever else runs.
 */
#ifndef COMPRESS_CONV_DIRECT_H
#define COMPRESS_CONV_DIRECT_H

#include <compress/conv_planes.h>

/**
 * struct conv_direct - a node for given sizes
 * @planes: of both sides
 * @image_is_x: a convolution; else it is y
 */
struct conv_direct {
	struct conv_planes planes;
	bool image_is_x;
};

/*
 * Is there a kernel for this processor, and is it faster here than tiles of columns
 * (convolution.h)? @back: for conv_direct_back(), else for conv_direct_run().
 */
bool conv_direct_create(struct conv_direct *direct,
			const struct graph_node *node,
			const struct graph_shape *x,
			const struct graph_shape *y, bool back);

int64_t conv_direct_workspace(const struct conv_direct *direct);

/* y += convolution of x */
void conv_direct_run(const struct conv_direct *direct, const float *x,
		     const float *weight, float *y, float *workspace);

/* dx and dw: added to; NULL where not wanted. */
void conv_direct_back(const struct conv_direct *direct, const float *x,
		      const float *weight, const float *dy, float *dx,
		      float *dw, float *workspace);

#endif
