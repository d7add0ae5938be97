/* SPDX-License-Identifier: MIT */
/* The functions that tables sample, as ONNX operators on real values. */
#include "compress/function.h"
#include "compress/onnx_exporter.h"
#include "compress/onnx_expression.h"

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

static void leaky_relu(struct exporter *exporter, const char *x,
		       const struct function_step *step, enum export_form form,
		       const char *y)
{
	if (step->count > 1)
		ONNX_NODE(&exporter->builder, "PRelu", y, x,
			  parameter(exporter, step->alpha, step->count, form));
	else
		onnx_leaky_relu(&exporter->builder, x, step->alpha[0], y);
}

static void affine(struct exporter *exporter, const char *x,
		   const struct function_step *step, enum export_form form,
		   const char *y)
{
	const char *scaled = onnx_name(&exporter->builder, "scaled");

	ONNX_NODE(&exporter->builder, "Mul", scaled, x,
		  parameter(exporter, step->alpha, step->count, form));
	ONNX_NODE(&exporter->builder, "Add", y, scaled,
		  parameter(exporter, step->beta, step->count, form));
}

/* The operator of a function that ONNX has, without attributes; NULL for none. */
static const char *plain_operator(enum golden_function_kind kind)
{
	switch (kind) {
	case GOLDEN_RELU:
		return "Relu";
	case GOLDEN_SIGMOID:
		return "Sigmoid";
	case GOLDEN_TANH:
		return "Tanh";
	case GOLDEN_SOFTPLUS:
		return "Softplus";
	case GOLDEN_EXP:
		return "Exp";
	case GOLDEN_ABS:
		return "Abs";
	default:
		return NULL;
	}
}

static const char *export_step(struct exporter *exporter, const char *x,
			       const struct function_step *step,
			       enum export_form form)
{
	const struct onnx_builder *builder = &exporter->builder;
	const char *op = plain_operator(step->kind);
	const char *y = onnx_name(builder, op ? op : "function");

	if (op)
		ONNX_NODE(builder, op, y, x);
	switch (step->kind) {
	case GOLDEN_IDENTITY:
		return x;
	case GOLDEN_LEAKY_RELU:
		leaky_relu(exporter, x, step, form, y);
		break;
	case GOLDEN_CLIP:
		onnx_clip(builder, x, step->alpha[0], step->beta[0], y);
		break;
	case GOLDEN_AFFINE:
		affine(exporter, x, step, form, y);
		break;
	case GOLDEN_SILU:
		onnx_silu(builder, x, y);
		break;
	case GOLDEN_GELU:
		onnx_gelu(builder, x, y);
		break;
	case GOLDEN_ELU:
		onnx_elu(builder, x, step->alpha[0], y);
		break;
	case GOLDEN_HARD_SIGMOID:
		onnx_hard_sigmoid(builder, x, step->alpha[0], step->beta[0], y);
		break;
	case GOLDEN_HARD_SWISH:
		onnx_hard_swish(builder, x, y);
		break;
	default:
		break;
	}
	return y;
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
