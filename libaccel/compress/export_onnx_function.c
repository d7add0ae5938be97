/* SPDX-License-Identifier: MIT */
/* The functions that tables sample, as ONNX operators on real values. */
#include <math.h>

#include "compress/function.h"
#include "compress/onnx_exporter.h"

/* One parameter, or one for each channel in a shape that broadcasts. */
static const char *parameter(struct exporter *exporter, const float *values,
			     size_t count, enum export_form form)
{
	const int64_t dims[3] = { (int64_t)count, 1, 1 };
	struct onnx_values constant = { ONNX_TYPE(FLOAT),
					form == EXPORT_IMAGE ? 3 : 1, dims,
					values, count * sizeof(*values) };

	if (count == 1)
		return onnx_scalar_float(&exporter->builder, *values);
	return onnx_constant(&exporter->builder, "parameters", &constant);
}

static const char *unary(struct exporter *exporter, const char *op,
			 const char *x)
{
	const char *y = onnx_name(&exporter->builder, op);

	ONNX_NODE(&exporter->builder, op, y, x);
	return y;
}

static const char *binary(struct exporter *exporter, const char *op,
			  const char *a, const char *b)
{
	const char *y = onnx_name(&exporter->builder, op);

	ONNX_NODE(&exporter->builder, op, y, a, b);
	return y;
}

static const char *with_scalar(struct exporter *exporter, const char *op,
			       const char *x, float value)
{
	return binary(exporter, op, x,
		      onnx_scalar_float(&exporter->builder, value));
}

static const char *leaky_relu(struct exporter *exporter, const char *x,
			      const struct function_step *step,
			      enum export_form form)
{
	const char *y = onnx_name(&exporter->builder, "leaky");

	if (step->count > 1)
		return binary(exporter, "PRelu", x,
			      parameter(exporter, step->alpha, step->count,
					form));
	onnx_float(&exporter->builder,
		   ONNX_NODE(&exporter->builder, "LeakyRelu", y, x), "alpha",
		   step->alpha[0]);
	return y;
}

/* A bound that JSON could only hold as a huge number is none. */
static const char *bound(struct exporter *exporter, float value)
{
	return fabsf(value) < 1e37f ?
		       onnx_scalar_float(&exporter->builder, value) :
		       "";
}

static const char *clip(struct exporter *exporter, const char *x,
			const struct function_step *step)
{
	const char *y = onnx_name(&exporter->builder, "clipped");

	ONNX_NODE(&exporter->builder, "Clip", y, x,
		  bound(exporter, step->alpha[0]),
		  bound(exporter, step->beta[0]));
	return y;
}

static const char *hard_sigmoid(struct exporter *exporter, const char *x,
				float alpha, float beta)
{
	const char *y = onnx_name(&exporter->builder, "hard");
	Onnx__NodeProto *node =
		ONNX_NODE(&exporter->builder, "HardSigmoid", y, x);

	onnx_float(&exporter->builder, node, "alpha", alpha);
	onnx_float(&exporter->builder, node, "beta", beta);
	return y;
}

/* x·(1 + erf(x / √2)) / 2 */
static const char *gelu(struct exporter *exporter, const char *x)
{
	const char *y = with_scalar(exporter, "Mul", x, (float)M_SQRT1_2);

	y = with_scalar(exporter, "Add", unary(exporter, "Erf", y), 1);
	return with_scalar(exporter, "Mul", binary(exporter, "Mul", x, y),
			   0.5f);
}

static const char *elu(struct exporter *exporter, const char *x, float alpha)
{
	const char *y = onnx_name(&exporter->builder, "elu");

	onnx_float(&exporter->builder,
		   ONNX_NODE(&exporter->builder, "Elu", y, x), "alpha", alpha);
	return y;
}

static const char *affine(struct exporter *exporter, const char *x,
			  const struct function_step *step,
			  enum export_form form)
{
	x = binary(exporter, "Mul", x,
		   parameter(exporter, step->alpha, step->count, form));
	return binary(exporter, "Add", x,
		      parameter(exporter, step->beta, step->count, form));
}

static const char *export_step(struct exporter *exporter, const char *x,
			       const struct function_step *step,
			       enum export_form form)
{
	switch (step->kind) {
	case GOLDEN_IDENTITY:
		return x;
	case GOLDEN_RELU:
		return unary(exporter, "Relu", x);
	case GOLDEN_LEAKY_RELU:
		return leaky_relu(exporter, x, step, form);
	case GOLDEN_CLIP:
		return clip(exporter, x, step);
	case GOLDEN_AFFINE:
		return affine(exporter, x, step, form);
	case GOLDEN_SIGMOID:
		return unary(exporter, "Sigmoid", x);
	case GOLDEN_TANH:
		return unary(exporter, "Tanh", x);
	case GOLDEN_SILU:
		return binary(exporter, "Mul", x,
			      unary(exporter, "Sigmoid", x));
	case GOLDEN_GELU:
		return gelu(exporter, x);
	case GOLDEN_ELU:
		return elu(exporter, x, step->alpha[0]);
	case GOLDEN_HARD_SIGMOID:
		return hard_sigmoid(exporter, x, step->alpha[0], step->beta[0]);
	case GOLDEN_HARD_SWISH:
		return binary(exporter, "Mul", x,
			      hard_sigmoid(exporter, x, 1.0f / 6, 0.5f));
	case GOLDEN_SOFTPLUS:
		return unary(exporter, "Softplus", x);
	case GOLDEN_EXP:
		return unary(exporter, "Exp", x);
	case GOLDEN_ABS:
		return unary(exporter, "Abs", x);
	}
	return x;
}

const char *export_function(struct exporter *exporter, const char *real,
			    const char *text, enum export_form form)
{
	struct function_chain chain;

	if (function_parse(text, &chain))
		return NULL;
	for (size_t i = 0; i < chain.count; i++)
		real = export_step(exporter, real, &chain.steps[i], form);
	function_chain_release(&chain);
	return real;
}
