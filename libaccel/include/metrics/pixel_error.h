/* SPDX-License-Identifier: MIT */
/* How far values are from those they should be. All sums are in binary64 and in order. */
#ifndef METRICS_PIXEL_ERROR_H
#define METRICS_PIXEL_ERROR_H

#include <stddef.h>

#include <compress/quantize.h>
#include <metrics/planes.h>

/*
 * Peak signal-to-noise ratio in decibels, both arrays clipped to the range first;
 * the peak is its width. Infinite if they are equal.
 */
double metrics_psnr(const float *a, const float *b, size_t count,
		    struct quantize_range range);

/*
 * The same of luminance (ITU-R BT.601, in which white is 219/255 of the peak), as
 * super-resolution is measured: [images][3][height][width], or gray as it is where
 * @channels is 1, without @border pixels at each edge. NaN where no pixel is left.
 */
double metrics_psnr_luminance(const float *a, const float *b,
			      const struct metrics_planes *planes,
			      size_t channels, size_t border,
			      struct quantize_range range);

/* Largest |a − b|; NaN if there is one. */
double metrics_max_error(const float *a, const float *b, size_t count);

#endif
