/* SPDX-License-Identifier: MIT */
/* Pictures and their PNG files. Part of libaccel-compress. */
#ifndef FORMATS_IMAGE_H
#define FORMATS_IMAGE_H

#include <stddef.h>

struct image {
	size_t width;
	size_t height;
	size_t channels; /* 1 gray, 3 red green blue */
	float *pixels; /* [height][width][channels], 0 black to 1 full */
};

enum image_layout {
	IMAGE_CHW,
	IMAGE_HWC,
};

/* Each of these fills an image that goes back with image_release(). */

/* Any PNG: 1 to 16 bits, gray, colour or palette; alpha is dropped. */
int image_read_png(struct image *image, const char *path);

/* The same from a file's bytes. */
int image_decode_png(struct image *image, const void *data, size_t size);

/* A black one. */
int image_create(struct image *image, size_t width, size_t height,
		 size_t channels);

/* From one picture of a network's output, where low is black and high is full. */
int image_from_tensor(struct image *image, const float *values,
		      enum image_layout layout, size_t channels, size_t height,
		      size_t width, float low, float high);

/* Every pixel becomes a square of factor × factor. */
int image_enlarge(struct image *large, const struct image *image,
		  size_t factor);

/*
 * Images of one size and number of channels, side by side in rows of so many
 * columns, with a border of one pixel between them.
 */
int image_grid(struct image *grid, const struct image *cells, size_t count,
	       size_t columns);

void image_release(struct image *image);

/* The reverse of image_from_tensor(), into channels · height · width values. */
void image_to_tensor(const struct image *image, float *values,
		     enum image_layout layout, float low, float high);

/* Eight bits per channel, rounded and clipped; atomic (see atomic_file.h). */
int image_write_png(const char *path, const struct image *image);

#endif
