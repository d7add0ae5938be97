/* SPDX-License-Identifier: MIT */
/*
 * One stroke of a Sketch-RNN decoder: what its outputs say about the next one, which
 * is a distribution, not a value. Outputs and strokes are laid out as in
 * metrics/stroke_likelihood.h.
 */
#ifndef COMPRESS_STROKE_H
#define COMPRESS_STROKE_H

#include <compress/sample.h>

/*
 * Draw the next stroke [5] from outputs [123]. The square root of @temperature scales
 * deviations, and logits are divided by it.
 */
void stroke_draw(struct sample_generator *generator, const float *outputs,
		 double temperature, float *stroke);

/*
 * gradient [123] += scale · the derivative of the stroke's log-likelihood by the
 * outputs. Over strokes that are drawn at a temperature of 1 the mean of its square is
 * the Fisher information: how fast the divergence grows when the outputs move.
 */
void stroke_gradient(const float *outputs, const float *stroke, double scale,
		     float *gradient);

#endif
