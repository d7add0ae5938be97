/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_ONNX_TENSOR_H
#define COMPRESS_ONNX_TENSOR_H

#include <compress/onnx_context.h>

/* A TensorProto as a constant; its data may be external. 0 or -errno. */
int onnx_tensor_decode(struct onnx_context *context,
		       const Onnx__TensorProto *tensor,
		       struct onnx_value *value);

#endif
