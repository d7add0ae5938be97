/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_ONNX_EXPRESSION_H
#define COMPRESS_ONNX_EXPRESSION_H

#include "compress/onnx_builder.h"

/**
 * DOC: Functions of one element, written in ONNX's operators of opset 13
 *
 * Each appends the nodes that compute the value named @y from the one named @x.
 */

void onnx_leaky_relu(const struct onnx_builder *builder, const char *x,
		     float alpha, const char *y);

/* Bounds beyond 1e37 are none. */
void onnx_clip(const struct onnx_builder *builder, const char *x, float low,
	       float high, const char *y);

void onnx_hard_sigmoid(const struct onnx_builder *builder, const char *x,
		       float alpha, float beta, const char *y);

void onnx_elu(const struct onnx_builder *builder, const char *x, float alpha,
	      const char *y);

/* x·σ(x) */
void onnx_silu(const struct onnx_builder *builder, const char *x,
	       const char *y);

/* x·clip(x/6 + 1/2, 0, 1) */
void onnx_hard_swish(const struct onnx_builder *builder, const char *x,
		     const char *y);

/* x·(1 + erf(x / √2)) / 2 */
void onnx_gelu(const struct onnx_builder *builder, const char *x,
	       const char *y);

#endif
