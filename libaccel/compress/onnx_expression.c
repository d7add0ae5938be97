/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "compress/onnx_expression.h"

void onnx_leaky_relu(const struct onnx_builder *builder, const char *x,
		     float alpha, const char *y)
{
	onnx_float(builder, ONNX_NODE(builder, "LeakyRelu", y, x), "alpha",
		   alpha);
}

static const char *bound(const struct onnx_builder *builder, float value)
{
	return fabsf(value) < 1e37f ? onnx_scalar_float(builder, value) : "";
}

void onnx_clip(const struct onnx_builder *builder, const char *x, float low,
	       float high, const char *y)
{
	ONNX_NODE(builder, "Clip", y, x, bound(builder, low),
		  bound(builder, high));
}

void onnx_hard_sigmoid(const struct onnx_builder *builder, const char *x,
		       float alpha, float beta, const char *y)
{
	Onnx__NodeProto *node = ONNX_NODE(builder, "HardSigmoid", y, x);

	onnx_float(builder, node, "alpha", alpha);
	onnx_float(builder, node, "beta", beta);
}

void onnx_elu(const struct onnx_builder *builder, const char *x, float alpha,
	      const char *y)
{
	onnx_float(builder, ONNX_NODE(builder, "Elu", y, x), "alpha", alpha);
}

void onnx_silu(const struct onnx_builder *builder, const char *x, const char *y)
{
	const char *gate = onnx_name(builder, "gate");

	ONNX_NODE(builder, "Sigmoid", gate, x);
	ONNX_NODE(builder, "Mul", y, x, gate);
}

void onnx_hard_swish(const struct onnx_builder *builder, const char *x,
		     const char *y)
{
	const char *gate = onnx_name(builder, "gate");

	onnx_hard_sigmoid(builder, x, 1.0f / 6, 0.5f, gate);
	ONNX_NODE(builder, "Mul", y, x, gate);
}

void onnx_gelu(const struct onnx_builder *builder, const char *x, const char *y)
{
	const char *scaled = onnx_name(builder, "scaled");
	const char *error = onnx_name(builder, "error");
	const char *gate = onnx_name(builder, "gate");
	const char *twice = onnx_name(builder, "twice");

	ONNX_NODE(builder, "Mul", scaled, x,
		  onnx_scalar_float(builder, (float)M_SQRT1_2));
	ONNX_NODE(builder, "Erf", error, scaled);
	ONNX_NODE(builder, "Add", gate, error, onnx_scalar_float(builder, 1));
	ONNX_NODE(builder, "Mul", twice, x, gate);
	ONNX_NODE(builder, "Mul", y, twice, onnx_scalar_float(builder, 0.5f));
}
