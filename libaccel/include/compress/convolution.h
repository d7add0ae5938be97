/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_CONVOLUTION_H
#define COMPRESS_CONVOLUTION_H

#include <compress/blas.h>
#include <compress/graph.h>
#include <compress/im2col.h>

/**
 * DOC: Convolutions as matrix products
 *
 * One of x and y is the *image*, over which windows lie; the other is the *grid*,
 * which has an element for each window. With the im2col columns of the image, a
 * column for each window, all that Conv and ConvTranspose need, forth and back,
 * are three products over tiles of columns:
 *
 *	grid += weight · columns;  image += scatter(weightᵀ · grid);
 *	weight += grid · columnsᵀ
 *
 * The image of a convolution is x, of a transposed one y. With steps of one pixel
 * it may as well be the other one, with the *flipped* weight: taps in reverse,
 * channels of x and y exchanged. So the columns can be made of the side with the
 * fewer channels, or of that which several products need.
 *
 * Pointers to x, y and weight are to one group's part (in the first picture).
 */

/**
 * struct convolution - a node for given sizes
 * @windows: over the image
 * @batch: pictures
 * @group: parts of the channels
 * @rows: of the columns of one group
 * @channels: of one group of the grid
 * @pixels: of the grid
 * @image_size: floats of one group of the image
 * @flipped: the weight is
 * @pictures: whose windows make one tile; where 1, there may be several tiles
 * @count: windows of a picture in one tile
 */
struct convolution {
	struct im2col windows;
	int64_t batch, group;
	int64_t rows;
	int64_t channels, pixels;
	int64_t image_size;
	bool flipped;
	int64_t pictures;
	int64_t count;
};

/* Steps of one pixel: either side may be the image. */
bool convolution_may_flip(const struct graph_node *node);

/* image_is_x: must be as the operator has it unless convolution_may_flip(). */
struct convolution convolution_create(const struct graph_node *node,
				      const struct graph_shape *x,
				      const struct graph_shape *y,
				      bool image_is_x);

/* Floats of a group's weight. */
int64_t convolution_weight_size(const struct convolution *c);

/* To and from the flipped form of a group's weight: the latter is added. */
void convolution_flip(const struct convolution *c, const float *weight,
		      float *flipped);
void convolution_add_flipped(const struct convolution *c, const float *flipped,
			     float *weight);

/**
 * struct convolution_tile - some columns and the memory to work on them
 * @picture: first one
 * @pictures: number of them
 * @first: first window in each
 * @count: windows in each
 * @columns: result of convolution_columns()
 * @workspace: convolution_tile_floats()
 */
struct convolution_tile {
	int64_t picture, pictures;
	int64_t first, count;
	struct blas_matrix columns;
	float *workspace;
};

int64_t convolution_tile_floats(const struct convolution *c);

/* How many tiles there are, and one of them. */
int64_t convolution_tile_count(const struct convolution *c);
struct convolution_tile convolution_tile(const struct convolution *c,
					 int64_t index, float *workspace);

/* Make the tile's columns. */
void convolution_columns(const struct convolution *c,
			 struct convolution_tile *tile, const float *image);

/* The products. Those that read columns need convolution_columns(); that into the
 * image destroys them. 0 or −EOVERFLOW. */
int convolution_into_grid(const struct convolution *c,
			  const struct convolution_tile *tile,
			  const float *weight, float *grid);
int convolution_into_image(const struct convolution *c,
			   const struct convolution_tile *tile,
			   const float *weight, const float *grid,
			   float *image);
int convolution_into_weight(const struct convolution *c,
			    const struct convolution_tile *tile,
			    const float *grid, float *weight);

#endif
