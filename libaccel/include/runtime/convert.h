/* SPDX-License-Identifier: MIT */
/*
 * Between a caller's float arrays and the [channel][row][column][batch] arrays
 * of the device: permutation, quantization and dequantization.
 */
#ifndef RUNTIME_CONVERT_H
#define RUNTIME_CONVERT_H

#include "accel/types.h"
#include "model/model.h"

/**
 * struct convert_array - one tensor at the model's edge
 * @extent: C, H, W
 * @batch: B
 * @type: of the device's side
 * @quantization: of MODEL_INT8
 * @layout: of the caller's side, not ACCEL_LAYOUT_DEFAULT
 */
struct convert_array {
	struct model_extent extent;
	uint32_t batch;
	enum model_type type;
	struct golden_quantization quantization;
	enum accel_layout layout;
};

void convert_to_device(const struct convert_array *array, const float *from,
		       void *to);
void convert_from_device(const struct convert_array *array, const void *from,
			 float *to);

/* The device's side of an array of zeros. */
void convert_zeros(const struct convert_array *array, void *to);

#endif
