/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_ONNX_TENSOR_H
#define COMPRESS_ONNX_TENSOR_H

#include <compress/onnx_context.h>

/* A TensorProto as a constant; its data may be external. 0 or -errno. */
int onnx_tensor_decode(struct onnx_context *context,
		       const Onnx__TensorProto *tensor,
		       struct onnx_value *value);

/*
 * Take the values of an initializer from context->weights, if they have one of its
 * name. 0 or -errno.
 */
int onnx_weight_replace(struct onnx_context *context, struct onnx_value *value);

/* Does the graph have an initializer for each tensor of context->weights? */
int onnx_weights_check(struct onnx_context *context);

#endif
