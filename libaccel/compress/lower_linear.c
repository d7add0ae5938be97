/* SPDX-License-Identifier: MIT */
/* The matrix, window and input of every node that becomes an SPMM. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compress/lowering.h"
#include "core/error.h"

static const struct model_window point = {
	.kernel_height = 1,
	.kernel_width = 1,
	.stride_height = 1,
	.stride_width = 1,
	.dilation_height = 1,
	.dilation_width = 1,
};

static const uint8_t *kept_positions(const struct lowering *lowering,
				     const struct graph_node *node)
{
	const struct prune_mask *mask = lowering->options->mask;

	return mask ? mask->keep[node->inputs[1]] : NULL;
}

static int set_input(struct lowering *lowering, int node,
		     struct lower_layer *layer,
		     const uint8_t axis[GRAPH_MAX_RANK])
{
	int input = lower_operand(lowering, node,
				  lowering->graph->nodes[node].inputs[0], axis);

	if (input < 0)
		return input;
	layer->model.inputs[0] = input;
	layer->model.input_count = 1;
	return 0;
}

/* Height and width of an NCHW tensor, or false if they depend on the run. */
static bool image_size(const struct graph *graph, int tensor, int64_t *height,
		       int64_t *width)
{
	*height = graph->tensors[tensor].shape.dims[2];
	*width = graph->tensors[tensor].shape.dims[3];
	return *height > 0 && *width > 0;
}

static void set_conv_pads(const struct graph *graph,
			  const struct graph_node *node,
			  struct model_window *window)
{
	const struct graph_conv *conv = &node->conv;
	int64_t height = 1, width = 1, pads[4];

	/* With stride 1 the size does not matter. */
	if (conv->auto_pad != GRAPH_PAD_EXPLICIT &&
	    !image_size(graph, node->inputs[0], &height, &width) &&
	    (conv->stride[0] > 1 || conv->stride[1] > 1)) {
		window->same_upper = conv->auto_pad == GRAPH_PAD_SAME_UPPER;
		window->same_lower = !window->same_upper;
		return;
	}
	/* Any size will do: one that does not make the window stick out. */
	if (height < 1 || width < 1)
		height = width = 1 << 20;
	graph_conv_pads(node, height, width, pads);
	window->pad_top = (int32_t)pads[0];
	window->pad_left = (int32_t)pads[1];
	window->pad_bottom = (int32_t)pads[2];
	window->pad_right = (int32_t)pads[3];
}

static int linear_conv(struct lowering *lowering, int index,
		       struct lower_layer *layer)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	struct model_window *window = &layer->model.spmm.window;

	window->kernel_height = (uint32_t)node->conv.kernel[0];
	window->kernel_width = (uint32_t)node->conv.kernel[1];
	window->stride_height = (uint32_t)node->conv.stride[0];
	window->stride_width = (uint32_t)node->conv.stride[1];
	window->dilation_height = (uint32_t)node->conv.dilation[0];
	window->dilation_width = (uint32_t)node->conv.dilation[1];
	set_conv_pads(lowering->graph, node, window);
	return lower_matrix_conv(lowering->graph, index,
				 kept_positions(lowering, node),
				 &layer->matrix);
}

static int linear_conv_transpose(struct lowering *lowering, int index,
				 struct lower_layer *layer)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct graph_conv *conv = &node->conv;
	struct model_spmm *spmm = &layer->model.spmm;
	int64_t height, width, pads[4], extra[2];
	bool known =
		image_size(lowering->graph, node->inputs[0], &height, &width);

	if (!known && (conv->output_size[0] || conv->output_size[1]))
		return lower_error(
			lowering, index,
			"output_shape needs a fixed size of input; give pads");
	if (!known)
		height = width = 1 << 20;
	graph_conv_pads(node, height, width, pads);
	/* The output has (input − 1)·stride + extra rows, whatever the input. */
	for (int i = 0; i < 2; i++)
		extra[i] = (conv->kernel[i] - 1) * conv->dilation[i] + 1 +
			   conv->output_padding[i] - pads[i] - pads[i + 2];
	spmm->transposed = true;
	spmm->shuffle_height = (uint32_t)conv->stride[0];
	spmm->shuffle_width = (uint32_t)conv->stride[1];
	spmm->output_stride_height = spmm->shuffle_height;
	spmm->output_stride_width = spmm->shuffle_width;
	spmm->output_extra_height = (int32_t)extra[0];
	spmm->output_extra_width = (int32_t)extra[1];
	return lower_matrix_conv_transpose(lowering->graph, index,
					   kept_positions(lowering, node), pads,
					   extra, &spmm->window,
					   &layer->matrix);
}

/* A permutation or selection of channels; NULL: all as they are. */
static int linear_move(struct lower_layer *layer, const int64_t *source,
		       uint32_t rows, uint32_t columns)
{
	int64_t *all = NULL;
	int ret;

	if (!source) {
		all = malloc(((size_t)rows + 1) * sizeof(*all));
		if (!all)
			return accel_error(-ENOMEM, "out of memory");
		for (uint32_t r = 0; r < rows; r++)
			all[r] = r;
		source = all;
	}
	ret = lower_matrix_move(source, rows, columns, &layer->matrix);
	free(all);
	return ret;
}

/* The first or the last row of however many; a stride beyond all leaves the first. */
static bool slice_one_row(const struct graph_slice *slice,
			  struct model_window *window)
{
	if (slice->start == -1 && slice->end == GRAPH_SLICE_END)
		window->last_row = true;
	else if (!slice->start && slice->end == 1)
		window->stride_height = UINT16_MAX;
	else
		return false;
	return true;
}

static int linear_slice(struct lowering *lowering, int index,
			struct lower_layer *layer, enum lower_axis axis)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct graph_slice *slice = &node->slice;
	int64_t length = lowering->graph->tensors[node->inputs[0]]
				 .shape.dims[slice->axis];
	struct model_window *window = &layer->model.spmm.window;
	int64_t start = slice->start, end = slice->end, cut;

	if (length == GRAPH_DIM_DYNAMIC && axis == LOWER_HEIGHT &&
	    slice_one_row(slice, window))
		return 0;
	/* What is cut at the end is a number only if it is counted from there. */
	if (length != GRAPH_DIM_DYNAMIC) {
		start = start < 0 ? start + length : start;
		end = end < 0 ? end + length : end;
		end = end > length ? length : end;
		cut = length - end;
	} else {
		cut = end == GRAPH_SLICE_END ? 0 : -end;
	}
	if (start < 0 || cut < 0 || start > INT32_MAX || cut > INT32_MAX)
		return lower_error(
			lowering, index,
			"its bounds depend on the input's size; count them from the nearer end");
	if (axis == LOWER_HEIGHT) {
		window->pad_top = (int32_t)-start;
		window->pad_bottom = (int32_t)-cut;
		window->stride_height = (uint32_t)slice->step;
	} else {
		window->pad_left = (int32_t)-start;
		window->pad_right = (int32_t)-cut;
		window->stride_width = (uint32_t)slice->step;
	}
	return 0;
}

/* Every step-th channel from start on. */
static int linear_channels(struct lowering *lowering, int index,
			   struct lower_layer *layer, uint32_t channels)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct graph_slice *slice = &node->slice;
	int64_t count = lowering->graph->tensors[node->outputs[0]]
				.shape.dims[slice->axis];
	int64_t *source = malloc(((size_t)count + 1) * sizeof(*source));
	int64_t start = slice->start < 0 ? slice->start + channels :
					   slice->start;
	int ret;

	if (!source)
		return accel_error(-ENOMEM, "out of memory");
	for (int64_t i = 0; i < count; i++)
		source[i] = start + i * slice->step;
	ret = linear_move(layer, source, (uint32_t)count, channels);
	free(source);
	return ret;
}

static int pad_channels(struct lower_layer *layer, uint32_t channels,
			int64_t before, int64_t after)
{
	int64_t rows = before + channels + after;
	int64_t *source;
	int ret;

	if (rows > INT32_MAX)
		return accel_error(-EOVERFLOW, "%lld channels",
				   (long long)rows);
	source = malloc(((size_t)rows + 1) * sizeof(*source));
	if (!source)
		return accel_error(-ENOMEM, "out of memory");
	for (int64_t r = 0; r < rows; r++)
		source[r] = r >= before && r < before + channels ? r - before :
								   -1;
	ret = linear_move(layer, source, (uint32_t)rows, channels);
	free(source);
	return ret;
}

static int linear_pad(struct lowering *lowering, int index,
		      struct lower_layer *layer, const uint8_t *axis,
		      uint32_t channels)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct graph_pad *pad = &node->pad;
	struct model_window *window = &layer->model.spmm.window;
	int64_t before[LOWER_STEPS + 1] = { 0 }, after[LOWER_STEPS + 1] = { 0 };

	for (int i = 0;
	     i < lowering->graph->tensors[node->inputs[0]].shape.rank; i++) {
		before[axis[i]] = pad->before[i];
		after[axis[i]] = pad->after[i];
	}
	if (pad->mode != GRAPH_PAD_CONSTANT || pad->value != 0)
		return lower_error(
			lowering, index,
			"only padding with zeros is supported, no other value, reflection or edge");
	if (before[LOWER_BATCH] || after[LOWER_BATCH] || before[LOWER_STEPS] ||
	    after[LOWER_STEPS])
		return lower_error(lowering, index, "it pads the batch axis");
	window->pad_top = (int32_t)before[LOWER_HEIGHT];
	window->pad_bottom = (int32_t)after[LOWER_HEIGHT];
	window->pad_left = (int32_t)before[LOWER_WIDTH];
	window->pad_right = (int32_t)after[LOWER_WIDTH];
	return pad_channels(layer, channels, before[LOWER_CHANNEL],
			    after[LOWER_CHANNEL]);
}

/* Rows that only move pixels or channels. */
static int linear_identity(struct lowering *lowering, int index,
			   struct lower_layer *layer, const uint8_t *axis)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	int input = layer->model.inputs[0];
	uint32_t channels = lowering->tensors[input].model.channels;
	int ret = 0;

	if (node->op == GRAPH_PAD)
		return linear_pad(lowering, index, layer, axis, channels);
	if (node->op == GRAPH_SLICE && axis[node->slice.axis] == LOWER_CHANNEL)
		return linear_channels(lowering, index, layer, channels);
	if (node->op == GRAPH_SLICE)
		ret = linear_slice(lowering, index, layer,
				   axis[node->slice.axis]);
	return ret ? ret : linear_move(layer, NULL, channels, channels);
}

/* Gemm works on the last axis, wherever the others lie. */
static int result_axes(struct lowering *lowering, int index,
		       uint8_t axis[GRAPH_MAX_RANK])
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct lower_view *view = &lowering->views[node->inputs[0]];

	int rank = lowering->graph->tensors[node->inputs[0]].shape.rank;

	if (node->op == GRAPH_GEMM)
		return lower_channel_axes(lowering, index, node->inputs[0],
					  rank - 1, axis);
	if (node->op == GRAPH_SLICE || node->op == GRAPH_PAD) {
		memcpy(axis, view->axis, sizeof(view->axis));
		return 0;
	}
	return lower_axes(lowering, index, 4, axis);
}

/* A point-wise layer, until something else is said. */
static void set_point(struct model_spmm *spmm)
{
	spmm->window = point;
	spmm->shuffle_height = spmm->shuffle_width = 1;
	spmm->replicate_height = spmm->replicate_width = 1;
}

int lower_row(struct lowering *lowering, int node, const struct lower_row *row)
{
	uint32_t channels = lowering->tensors[row->input].model.channels;
	int output = lower_bind(lowering, row->source, row->axis);
	struct lower_layer *layer =
		output < 0 ? NULL : lower_layer_add(lowering, node, MODEL_SPMM);

	if (!layer)
		return output < 0 ? output : -ENOMEM;
	set_point(&layer->model.spmm);
	if (row->last)
		layer->model.spmm.window.last_row = true;
	else
		layer->model.spmm.window.stride_height = UINT16_MAX;
	layer->model.inputs[0] = row->input;
	layer->model.input_count = 1;
	layer->model.outputs[0] = output;
	layer->model.output_count = 1;
	lower_unite(lowering, row->input, output);
	return linear_move(layer, NULL, channels, channels);
}

static int make_matrix(struct lowering *lowering, int node,
		       struct lower_layer *layer, uint8_t axis[GRAPH_MAX_RANK])
{
	switch (lowering->graph->nodes[node].op) {
	case GRAPH_CONV:
		return linear_conv(lowering, node, layer);
	case GRAPH_CONV_TRANSPOSE:
		return linear_conv_transpose(lowering, node, layer);
	case GRAPH_GEMM:
		return lower_matrix_conv(
			lowering->graph, node,
			kept_positions(lowering, &lowering->graph->nodes[node]),
			&layer->matrix);
	default:
		return linear_identity(lowering, node, layer, axis);
	}
}

int lower_linear(struct lowering *lowering, int index,
		 struct lower_layer *layer, uint8_t axis[GRAPH_MAX_RANK])
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct weight_format *formats = lowering->options->formats;
	int ret = result_axes(lowering, index, axis);

	if (!ret)
		ret = set_input(lowering, index, layer, axis);
	if (ret)
		return ret;
	if (graph_op_is_linear(node->op))
		layer->input_mean = channel_means_get(lowering->options->means,
						      lowering->graph, node,
						      node->inputs[0]);
	set_point(&layer->model.spmm);
	ret = make_matrix(lowering, index, layer, axis);
	if (!ret && formats && graph_op_is_linear(node->op) &&
	    !node->structural)
		layer->matrix.format = &formats[node->inputs[1]];
	return ret;
}
