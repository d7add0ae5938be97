/* SPDX-License-Identifier: MIT */
/*
 * Convolutions of one axis become such of two, on images of one row: the device and
 * the executor know no others. The views around them cancel later where layers
 * follow each other.
 */
#include <compress/onnx_operator.h>
#include <compress/onnx_window.h>

#include <errno.h>
#include <string.h>

/* An image of one row for a sequence [N, C, L], and back. */
static int emit_row(struct onnx_context *context, const struct onnx_node *node,
		    int tensor, bool to_image)
{
	struct graph_shape shape = context->shapes[tensor];

	shape.rank = to_image ? 4 : 3;
	if (to_image)
		shape.dims[3] = shape.dims[2];
	else
		shape.dims[2] = shape.dims[3];
	if (to_image)
		shape.dims[2] = 1;
	return onnx_emit_reshape(context, node, tensor, &shape,
				 onnx_output_name(node));
}

/* The weight as a constant of four axes. */
static int weight_tensor(struct onnx_context *context,
			 const struct onnx_node *node,
			 const struct onnx_value *weight)
{
	struct onnx_value *value = onnx_input(context, node, 1);
	struct graph_shape shape = weight->shape;

	if (shape.rank == 4)
		return onnx_value_tensor(context, value);
	shape.rank = 4;
	shape.dims[3] = shape.dims[2];
	shape.dims[2] = 1;
	/* the axes that scales belong to, 0 and 1, stay */
	return onnx_add_constant(context, weight->name, &shape, weight->reals,
				 weight->quantization);
}

/*
 * Input i as a constant of one axis, whatever axes of length 1 it has beside;
 * GRAPH_NO_TENSOR if absent, or -errno.
 */
static int input_vector(struct onnx_context *context,
			const struct onnx_node *node, size_t i)
{
	const struct onnx_value *value;
	struct graph_shape shape;

	if (!onnx_has_input(node, i))
		return GRAPH_NO_TENSOR;
	value = onnx_input_weight(context, node, i);
	if (!value)
		return -ENOTSUP;
	shape = (struct graph_shape){ 1, { value->count } };
	if (value->shape.rank == 1)
		return onnx_input_tensor(context, node, i);
	return onnx_add_constant(context, value->name, &shape, value->reals,
				 NULL);
}

/* Emit, and for one axis take the row of the image out again. */
static int convolution_emit(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct graph_node *template, int spatial,
			    const int inputs[3])
{
	bool has_bias = inputs[2] != GRAPH_NO_TENSOR;
	int tensor;

	if (spatial == 2)
		return onnx_emit_output(context, node, template, inputs,
					has_bias ? 3 : 2);
	tensor = onnx_emit(context, node, template, inputs, has_bias ? 3 : 2,
			   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	tensor = emit_row(context, node, tensor, false);
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

/* kernel_shape, if it is given, must be the weight's; it is read from there. */
static int kernel_check(const struct onnx_node *node,
			const struct onnx_value *weight, int spatial)
{
	int64_t kernel[2];
	size_t count = SIZE_MAX;
	int ret = onnx_attribute_integers(node, "kernel_shape", kernel, 2,
					  &count);

	if (ret || count == SIZE_MAX)
		return ret;
	for (int i = 0; i < spatial; i++)
		if (count != (size_t)spatial ||
		    kernel[i] != weight->shape.dims[2 + i])
			return onnx_invalid(node, "kernel_shape is not the "
						  "shape of its weight");
	return 0;
}

/*
 * Input, weight and bias as tensors, GRAPH_NO_TENSOR for an absent bias, and the
 * kernel. Return the number of axes that the window moves along, or -errno.
 */
static int convolution_inputs(struct onnx_context *context,
			      const struct onnx_node *node, int inputs[3],
			      struct onnx_window *window)
{
	const struct onnx_value *weight;
	int spatial, ret;

	inputs[0] = onnx_input_tensor(context, node, 0);
	if (inputs[0] < 0)
		return inputs[0];
	weight = onnx_input_weight(context, node, 1);
	if (!weight)
		return -ENOTSUP;
	spatial = weight->shape.rank - 2;
	if (spatial < 1 || spatial > 2 ||
	    context->shapes[inputs[0]].rank != weight->shape.rank)
		return onnx_unsupported(node, "convolution over other than one "
					      "or two axes");
	ret = kernel_check(node, weight, spatial);
	if (ret)
		return ret;
	window->kernel[0] = spatial == 1 ? 1 : weight->shape.dims[2];
	window->kernel[1] = weight->shape.dims[1 + spatial];
	if (window->kernel[0] > GRAPH_MAX_EXTENT ||
	    window->kernel[1] > GRAPH_MAX_EXTENT)
		return onnx_invalid(node, "a kernel of this size");
	inputs[1] = weight_tensor(context, node, weight);
	inputs[2] = input_vector(context, node, 2);
	if (spatial == 1)
		inputs[0] = emit_row(context, node, inputs[0], true);
	for (int i = 0; i < 3; i++)
		if (inputs[i] < 0 && (i < 2 || inputs[i] != GRAPH_NO_TENSOR))
			return inputs[i];
	return spatial;
}

static int group_read(const struct onnx_node *node, int64_t *group)
{
	*group = 1;
	return onnx_attribute_integer(node, "group", group);
}

int onnx_import_conv(struct onnx_context *context, const struct onnx_node *node)
{
	struct graph_node conv = { .op = GRAPH_CONV };
	struct onnx_window window = { 0 };
	int inputs[3], ret;
	int spatial = convolution_inputs(context, node, inputs, &window);

	if (spatial < 0)
		return spatial;
	ret = onnx_window_read(node, spatial, &window);
	if (!ret)
		ret = group_read(node, &conv.conv.group);
	if (ret)
		return ret;
	onnx_window_resolve(&window, &context->shapes[inputs[0]]);
	memcpy(conv.conv.kernel, window.kernel, sizeof(window.kernel));
	memcpy(conv.conv.stride, window.stride, sizeof(window.stride));
	memcpy(conv.conv.dilation, window.dilation, sizeof(window.dilation));
	memcpy(conv.conv.pads, window.pads, sizeof(window.pads));
	conv.conv.auto_pad = window.auto_pad;
	return convolution_emit(context, node, &conv, spatial, inputs);
}

/* output_shape may name the batch and the channels too. */
static int read_output_size(const struct onnx_node *node, int spatial,
			    int64_t size[2])
{
	int64_t values[4];
	size_t count = 0;
	int ret = onnx_attribute_integers(node, "output_shape", values, 4,
					  &count);

	if (ret || !count)
		return ret;
	if (count != (size_t)spatial && count != (size_t)spatial + 2)
		return onnx_invalid(node, "output_shape has %zu values", count);
	size[0] = 1;
	for (int i = 0; i < spatial; i++) {
		size[2 - spatial + i] =
			values[count - (size_t)spatial + (size_t)i];
		if (size[2 - spatial + i] < 1 ||
		    size[2 - spatial + i] > GRAPH_MAX_EXTENT)
			return onnx_invalid(node, "output_shape has %lld",
					    (long long)size[2 - spatial + i]);
	}
	return 0;
}

/* Padding that the attributes leave open, where the input's size is known. */
static void transposed_resolve(struct graph_node *node,
			       const struct graph_shape *shape)
{
	struct graph_conv *conv = &node->conv;
	int64_t pads[4];

	if ((conv->auto_pad == GRAPH_PAD_EXPLICIT && !conv->output_size[0]) ||
	    !dimension_is_number(shape->dims[2]) ||
	    !dimension_is_number(shape->dims[3]) || conv->stride[0] < 1 ||
	    conv->stride[1] < 1)
		return;
	graph_conv_pads(node, shape->dims[2], shape->dims[3], pads);
	for (int i = 0; i < 4; i++)
		if (pads[i] < 0)
			return;
	memcpy(conv->pads, pads, sizeof(pads));
	memset(conv->output_size, 0, sizeof(conv->output_size));
	conv->auto_pad = GRAPH_PAD_EXPLICIT;
}

int onnx_import_conv_transpose(struct onnx_context *context,
			       const struct onnx_node *node)
{
	struct graph_node conv = { .op = GRAPH_CONV_TRANSPOSE };
	struct onnx_window window = { 0 };
	int inputs[3], ret;
	int spatial = convolution_inputs(context, node, inputs, &window);

	if (spatial < 0)
		return spatial;
	ret = onnx_window_read(node, spatial, &window);
	if (!ret)
		ret = group_read(node, &conv.conv.group);
	if (!ret)
		ret = onnx_window_pair(node, "output_padding", spatial,
				       conv.conv.output_padding);
	if (!ret)
		ret = read_output_size(node, spatial, conv.conv.output_size);
	if (ret)
		return ret;
	memcpy(conv.conv.kernel, window.kernel, sizeof(window.kernel));
	memcpy(conv.conv.stride, window.stride, sizeof(window.stride));
	memcpy(conv.conv.dilation, window.dilation, sizeof(window.dilation));
	memcpy(conv.conv.pads, window.pads, sizeof(window.pads));
	conv.conv.auto_pad = window.auto_pad;
	transposed_resolve(&conv, &context->shapes[inputs[0]]);
	return convolution_emit(context, node, &conv, spatial, inputs);
}
