/* SPDX-License-Identifier: MIT */
/* What a super-resolution network is to find again: the pictures that its inputs were made of. */
#ifndef TOOL_ORIGINAL_H
#define TOOL_ORIGINAL_H

#include "reference.h"

#include <compress/quantize.h>

/**
 * struct original - pictures, and how near the dense network comes to them
 * @pictures: of the shape of the dense network's result
 * @range: black and white
 * @dense: PSNR of the dense network's luminance
 */
struct original {
	struct array pictures;
	struct quantize_range range;
	double dense;
};

/* From .npy or PNG; 0 or −errno. For original_release(). */
int original_read(struct original *original, const char *path,
		  enum array_layout layout, const struct reference *reference,
		  struct quantize_range range);

/* PSNR of luminance, in decibels; values are as many as the dense network gave. */
double original_compare(const struct original *original, const float *values);

void original_release(struct original *original);

#endif
