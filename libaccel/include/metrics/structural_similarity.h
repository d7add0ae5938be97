/* SPDX-License-Identifier: MIT */
#ifndef METRICS_STRUCTURAL_SIMILARITY_H
#define METRICS_STRUCTURAL_SIMILARITY_H

#include <compress/quantize.h>
#include <metrics/planes.h>

/*
 * Structural similarity (Wang et al., 2004): Gaussian window of 11 × 11, σ = 1.5, K1 =
 * 0.01, K2 = 0.03, only windows that lie inside; mean over all planes. In images
 * smaller than that the window is as large as fits. Values are clipped as in
 * metrics_psnr(). NaN without memory.
 */
double metrics_ssim(const float *a, const float *b,
		    const struct metrics_planes *planes,
		    struct quantize_range range);

#define METRICS_SCALES 5

/*
 * How many scales images have: of each, the window has to fit. At least 1, at most
 * METRICS_SCALES, which images of 176 × 176 have.
 */
size_t metrics_scales(const struct metrics_planes *planes);

/*
 * Structural similarity over scales (Wang et al., 2003): contrast and structure of
 * each, luminance of the last, each to the power of its weight; the mean over all
 * planes. Images too small for five scales have the weights of metrics_scales() ones,
 * which then add up to 1: such figures compare only with those of as many scales. A
 * negative factor counts as 0. NaN without memory.
 */
double metrics_ms_ssim(const float *a, const float *b,
		       const struct metrics_planes *planes,
		       struct quantize_range range);

#endif
