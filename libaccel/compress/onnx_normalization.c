/* SPDX-License-Identifier: MIT */
/* In inference batch normalization is a factor and a sum for each channel. */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>

/* Inputs 1 to 4: scale, bias, mean, variance, each of one axis. */
static int parameters_read(struct onnx_context *context,
			   const struct onnx_node *node,
			   const struct onnx_value *parameters[4])
{
	for (size_t i = 0; i < 4; i++) {
		parameters[i] = onnx_input_weight(context, node, i + 1);
		if (!parameters[i])
			return -ENOTSUP;
		if (parameters[i]->shape.rank != 1 ||
		    parameters[i]->count != parameters[0]->count)
			return onnx_invalid(node,
					    "its parameters differ in length");
	}
	return 0;
}

/* y = γ·(x − μ)/√(σ² + ε) + β as x·scale + shift, computed in binary64. */
static int parameters_combine(const struct onnx_node *node,
			      const struct onnx_value *const parameters[4],
			      double epsilon, float *scale, float *shift)
{
	for (int64_t i = 0; i < parameters[0]->count; i++) {
		double variance = (double)parameters[3]->reals[i];
		double factor = (double)parameters[0]->reals[i] /
				sqrt(variance + epsilon);

		if (!(variance + epsilon > 0))
			return onnx_invalid(node, "variance %lld is %g",
					    (long long)i, variance);
		scale[i] = (float)factor;
		shift[i] = (float)((double)parameters[1]->reals[i] -
				   (double)parameters[2]->reals[i] * factor);
	}
	return 0;
}

/* Two constants and one operation, which later folds into the convolution before it. */
int onnx_import_batch_normalization(struct onnx_context *context,
				    const struct onnx_node *node)
{
	struct graph_node affine = { .op = GRAPH_AFFINE, .axis = 1 };
	const struct onnx_value *parameters[4];
	int64_t training = 0;
	float epsilon = 1e-5f;
	float *scale, *shift;
	int inputs[3], ret;

	ret = onnx_attribute_real(node, "epsilon", &epsilon);
	if (!ret)
		ret = onnx_attribute_integer(node, "training_mode", &training);
	if (!ret && training)
		return onnx_unsupported(node, "training mode; export the model "
					      "for inference");
	if (!ret)
		ret = parameters_read(context, node, parameters);
	if (ret)
		return ret;
	scale = onnx_allocate(context, parameters[0]->count, sizeof(*scale));
	shift = onnx_allocate(context, parameters[0]->count, sizeof(*shift));
	if (!scale || !shift)
		return -ENOMEM;
	ret = parameters_combine(node, parameters, (double)epsilon, scale,
				 shift);
	if (ret)
		return ret;
	inputs[0] = onnx_input_tensor(context, node, 0);
	inputs[1] = onnx_add_vector(context, parameters[0]->name,
				    parameters[0]->count, scale);
	inputs[2] = onnx_add_vector(context, parameters[1]->name,
				    parameters[0]->count, shift);
	for (int i = 0; i < 3; i++)
		if (inputs[i] < 0)
			return inputs[i];
	return onnx_emit_output(context, node, &affine, inputs, 3);
}
