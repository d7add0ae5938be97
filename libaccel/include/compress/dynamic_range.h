/* SPDX-License-Identifier: MIT */
/*
 * Activations whose range is found as the network runs, from the values themselves. The
 * device has one range for each tensor, which calibration finds; this is what it is to be
 * held against.
 */
#ifndef COMPRESS_DYNAMIC_RANGE_H
#define COMPRESS_DYNAMIC_RANGE_H

#include <stdint.h>

#include <compress/quantize.h>

/**
 * dynamic_range_round() - round a tensor to the 256 codes of its own range
 * @values: finite; each becomes the value of its code
 * @count: of them
 *
 * From the least to the greatest value, and to 0, which has a code. Return: the scale and
 * the zero point.
 */
struct golden_quantization dynamic_range_round(float *values, int64_t count);

#endif
