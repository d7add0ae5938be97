/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_POOL_WINDOW_H
#define COMPRESS_POOL_WINDOW_H

#include <compress/graph.h>

/**
 * struct pool_window - the pixels under one window; arrays are (height, width)
 * @first: the first tap inside the image, in image coordinates
 * @end: taps end before this one
 * @step: from tap to tap
 * @padded: taps that count with padding: inside the image grown by its pads
 */
struct pool_window {
	int64_t first[2];
	int64_t end[2];
	int64_t step[2];
	int64_t padded;
};

/* The window of an output pixel; pads by graph_pool_pads(), x: shape of the input. */
struct pool_window pool_window_at(const struct graph_pool *pool,
				  const int64_t pads[4],
				  const struct graph_shape *x, int64_t row,
				  int64_t column);

/* What an average over the window divides by. */
int64_t pool_window_count(const struct pool_window *window, bool count_padding);

/* Where in the plane the first largest value lies, or the first NaN; −1: nowhere. */
int64_t pool_window_largest(const struct pool_window *window,
			    const float *plane, int64_t width);

#endif
