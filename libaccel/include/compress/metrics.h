/* SPDX-License-Identifier: MIT */
/*
 * How far a compressed network's results are from the dense one's. All sums are in
 * binary64 and in order.
 */
#ifndef COMPRESS_METRICS_H
#define COMPRESS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <compress/quantize.h>

/*
 * Peak signal-to-noise ratio in decibels, both arrays clipped to the range first;
 * the peak is its width. Infinite if they are equal.
 */
double metrics_psnr(const float *a, const float *b, size_t count,
		    struct quantize_range range);

/** struct metrics_planes - a batch of images, [planes][height][width] */
struct metrics_planes {
	size_t planes;
	size_t height;
	size_t width;
};

/*
 * Structural similarity (Wang et al., 2004): Gaussian window of 11 × 11, σ = 1.5, K1 =
 * 0.01, K2 = 0.03, only windows that lie inside; mean over all planes. In images
 * smaller than that the window is as large as fits. Values are clipped as in
 * metrics_psnr(). NaN without memory.
 */
double metrics_ssim(const float *a, const float *b,
		    const struct metrics_planes *planes,
		    struct quantize_range range);

/* Largest |a − b|. */
double metrics_max_error(const float *a, const float *b, size_t count);

/* The part of rows of scores whose largest element is at the label's index. */
double metrics_accuracy(const float *scores, size_t rows, size_t classes,
			const int64_t *labels);

#define METRICS_STROKE_SIZE 5
#define METRICS_MIXTURE 20
/* 3 pen logits, then weight logit, μx, μy, ln σx, ln σy and ρ before tanh. */
#define METRICS_STROKE_OUTPUTS (3 + 6 * METRICS_MIXTURE)

/*
 * Negative log-likelihood per step of a Sketch-RNN decoder, teacher-forced: output
 * t predicts stroke t + 1, −ln Σ π·N(dx, dy; μ, σ, ρ) − ln p(pen), mean over all
 * steps but the last and over the batch.
 *
 * strokes: [steps][batch][5] (dx, dy, pen down, pen up, end); outputs:
 * [steps][batch][123]; steps ≥ 2.
 */
double metrics_stroke_nll(const float *strokes, const float *outputs,
			  size_t steps, size_t batch);

/*
 * Divergence per step of what a decoder predicts from what the one predicts that drew
 * the strokes: exact on the pen, on the mixture estimated at the next stroke. Arrays
 * and mean as in metrics_stroke_nll().
 */
double metrics_stroke_kl(const float *strokes, const float *outputs,
			 const float *other, size_t steps, size_t batch);

#endif
