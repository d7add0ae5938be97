/* SPDX-License-Identifier: MIT */
/* How well a Sketch-RNN decoder predicts strokes; sums are in binary64 and in order. */
#ifndef METRICS_STROKE_LIKELIHOOD_H
#define METRICS_STROKE_LIKELIHOOD_H

#include <stddef.h>

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
