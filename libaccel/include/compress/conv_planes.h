/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_CONV_PLANES_H
#define COMPRESS_CONV_PLANES_H

#include <compress/graph.h>

/**
 * DOC: Planes in which every tap of a convolution is a shift
 *
 * One of x and y is the image, over which windows lie: x of a convolution, y of a
 * transposed one. The other one, the grid, has an element for each window. Both are
 * copied into planes of one pitch, with zeros between rows and pictures: one plane
 * for each channel of the grid; for each channel of the image one for every phase,
 * that is place in a stride × stride block of pixels. Then element p of the grid's
 * planes belongs to the elements p + offset of the image's planes, with an offset
 * and a phase for each tap, whatever stride, dilation and padding are; and no tap
 * has to ask where the border is.
 */

/** struct conv_side - x or y, one group's part; arrays are (height, width) */
struct conv_side {
	int64_t channels;
	int64_t size[2];
	int64_t step[2];
	int64_t picture;
};

/**
 * struct conv_planes - layout for a node and given sizes
 * @image: side with windows over it; @step is the convolution's stride
 * @grid: side of the windows; @step is 1
 * @batch: pictures
 * @group: parts of the channels
 * @kernel: taps; height, width
 * @pitch: from one row to the next
 * @rows: of one picture, in a plane
 * @pictures: side by side in a plane
 * @lead: zeros before the first row, and behind the last plane
 * @span: elements from the first row to the end, with room for whole CONV_TILEs
 */
struct conv_planes {
	struct conv_side image, grid;
	int64_t batch, group;
	int64_t kernel[2];
	int64_t dilation[2];
	int64_t pad[2];
	int64_t pitch, rows;
	int64_t pictures;
	int64_t lead, span;
};

/* Elements that are computed together. */
#define CONV_TILE 48

/** struct conv_tap - what a tap of a window sees: @phase's plane, @offset further */
struct conv_tap {
	int64_t phase;
	int64_t offset;
};

struct conv_planes conv_planes_create(const struct graph_node *node,
				      const struct graph_shape *x,
				      const struct graph_shape *y);

/* tap: ky · kernel width + kx */
struct conv_tap conv_planes_tap(const struct conv_planes *planes, int64_t tap);

/* From the beginning of a plane to that of the next, and of all of a side. */
int64_t conv_planes_stride(const struct conv_planes *planes);
int64_t conv_side_phases(const struct conv_side *side);
/* From the first to the last element of a picture in a plane. */
int64_t conv_side_length(const struct conv_planes *planes,
			 const struct conv_side *side);
int64_t conv_side_floats(const struct conv_planes *planes,
			 const struct conv_side *side);

/*
 * Copy pictures picture … picture + pictures − 1, as far as there are such, of one
 * group into planes, all the rest of which becomes zero.
 */
void conv_planes_load(const struct conv_planes *planes,
		      const struct conv_side *side, int64_t picture,
		      const float *values, float *result);

/* Add them back. */
void conv_planes_add(const struct conv_planes *planes,
		     const struct conv_side *side, int64_t picture,
		     const float *result, float *values);

#endif
