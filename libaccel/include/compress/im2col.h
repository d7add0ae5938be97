/* SPDX-License-Identifier: MIT */
/*
 * The implicit matrix of a convolution: row k = (channel, ky, kx), column = output
 * pixel. It is made in tiles of columns that stay in cache; forward, backward and
 * the Hessians of pruning all read the same tiles.
 */
#ifndef COMPRESS_IM2COL_H
#define COMPRESS_IM2COL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct im2col - how windows lie on an image; arrays are (height, width)
 * @channels: of the image
 * @image: size of the image
 * @windows: number of window positions
 * @kernel: taps
 * @stride: image pixels from one window to the next
 * @dilation: image pixels from one tap to the next
 * @pad: image pixels that the first window begins before the image; may be < 0
 */
struct im2col {
	int64_t channels;
	int64_t image[2];
	int64_t windows[2];
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t pad[2];
};

/* Rows of the matrix: channels · kernel height · kernel width. */
int64_t im2col_rows(const struct im2col *windows);

/* Is the matrix the image itself? */
bool im2col_is_image(const struct im2col *windows);

/* How many columns of that many rows make a good tile. */
int64_t im2col_tile(int64_t rows, int64_t columns);

/*
 * Columns first … first + count − 1 of the matrix, [rows][stride]. Taps outside the
 * image are zero.
 */
void im2col_gather(const struct im2col *windows, const float *image,
		   int64_t first, int64_t count, float *columns,
		   int64_t stride);

/* The transpose: add every column back onto the pixels that it came from. Taps
 * outside the image become zero in the columns. */
void im2col_scatter(const struct im2col *windows, float *columns, int64_t first,
		    int64_t count, int64_t stride, float *image);

#endif
