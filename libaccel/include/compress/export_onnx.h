/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_EXPORT_ONNX_H
#define COMPRESS_EXPORT_ONNX_H

#include <stdint.h>

#include "model/model.h"

/**
 * export_onnx() - write a model as quantized ONNX (QDQ, opset 13)
 * @model: valid
 * @path: written atomically
 *
 * QuantizeLinear and DequantizeLinear surround every operation, with exactly the
 * model's codes, scales and zero points: a runtime with integer kernels computes
 * what the device does. Transposed convolutions are convolutions over phases and
 * DepthToSpace, recurrent layers a Scan over integer matrix products. Zeros are
 * stored: ONNX's sparse form takes more space and is not widely read.
 *
 * Return: 0; −ENOMEM; −EFBIG above 2 GiB; what the file system says.
 */
int export_onnx(const struct model *model, const char *path);

/**
 * export_onnx_layer() - the same of one layer, with its tensors for inputs and
 * outputs, for a comparison layer by layer
 */
int export_onnx_layer(const struct model *model, uint32_t layer,
		      const char *path);

#endif
