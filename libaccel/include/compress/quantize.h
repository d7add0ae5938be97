/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_QUANTIZE_H
#define COMPRESS_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

#include "golden/arithmetic.h"

/**
 * DOC: Quantization
 *
 * Weights are symmetric int8 with one scale for each output row, activations
 * asymmetric int8 with one scale for each tensor. The arithmetic that the numbers
 * are for is golden/arithmetic.h.
 */

/** struct quantize_range - real values that a tensor takes */
struct quantize_range {
	float low;
	float high;
};

/**
 * quantize_activation() - scale and zero point for a range
 *
 * The range is widened to hold 0, which gets a code of its own, so that padding
 * and the zero of ReLU are exact. A range from 0 upward has the zero point −128:
 * saturation is then ReLU.
 */
struct golden_quantization quantize_activation(struct quantize_range range);

/**
 * struct quantize_row - one row of a weight matrix, and what surrounds it
 * @weights: the kept ones
 * @count: their number
 * @bias: real value
 * @input_scale: of the activations
 */
struct quantize_row {
	const float *weights;
	size_t count;
	float bias;
	float input_scale;
};

/**
 * quantize_short_scale() - the next number upward of twelve significant bits
 *
 * Half of what a scale takes on disk, for a step that is at most 1/2048 wider. Products with
 * codes are exact in binary32, so that a matrix on such a grid keeps it when it is
 * quantized again.
 */
double quantize_short_scale(double scale);

/**
 * quantize_row_scale() - max|w| / 127, made short, or more where int32 demands it
 *
 * A row whose weights are tiny beside its bias, or so long that its sum could
 * leave int32, gets a larger scale. A row of zeros gets the scale that suits its
 * bias. The result is finite and positive.
 */
float quantize_row_scale(const struct quantize_row *row);

/** quantize_weight() - rne(weight / scale), saturated to int8 */
int8_t quantize_weight(float weight, float scale);

#endif
