/* SPDX-License-Identifier: MIT */
/* The sizes of a model's tensors in one run. */
#include <model/model.h>

#include <core/error.h>

#include <errno.h>
#include <string.h>

/* So many differences of two int8 add up to less than 2³¹. */
#define POOL_ELEMENTS_MAX (1u << 23)

struct axis {
	int64_t size, kernel, stride, dilation;
	int64_t pad_before, pad_after;
};

/* Positions of a window along one axis, and the padding before the first. */
static int axis_positions(const struct model_window *window,
			  const struct axis *axis, uint32_t *count,
			  int32_t *pad)
{
	int64_t span = (axis->kernel - 1) * axis->dilation + 1;
	int64_t before = axis->pad_before, positions, room;

	if (window->same_upper || window->same_lower) {
		positions = (axis->size + axis->stride - 1) / axis->stride;
		room = (positions - 1) * axis->stride + span - axis->size;
		room = room < 0 ? 0 : room;
		before = (room + window->same_lower) / 2;
	} else {
		room = axis->size + before + axis->pad_after - span;
		if (room < 0)
			return accel_error(
				-EINVAL,
				"a window over %lld values does not fit into %lld; use a larger input",
				(long long)span, (long long)(span + room));
		positions = room / axis->stride + 1;
		if (window->ceil_mode && room % axis->stride &&
		    positions * axis->stride < axis->size + before)
			positions++;
	}
	if (positions > MODEL_DIMENSION_MAX)
		return accel_error(-EINVAL, "more than %u positions in a row",
				   MODEL_DIMENSION_MAX);
	*count = (uint32_t)positions;
	*pad = (int32_t)before;
	return 0;
}

/* Both axes alike; auto_pad is why the pads come back with the sizes. */
static int window_grid(const struct model_window *window,
		       const struct model_extent *input,
		       struct model_grid *grid)
{
	struct axis vertical = {
		input->height,	       window->kernel_height,
		window->stride_height, window->dilation_height,
		window->pad_top,       window->pad_bottom,
	};
	const struct axis horizontal = {
		input->width,	      window->kernel_width,
		window->stride_width, window->dilation_width,
		window->pad_left,     window->pad_right,
	};
	int64_t span = (vertical.kernel - 1) * vertical.dilation + 1;
	int ret;

	/* All rows before the last window are cut off. */
	if (window->last_row && vertical.size > span)
		vertical.pad_before = span - vertical.size;
	ret = axis_positions(window, &vertical, &grid->height, &grid->pad_top);
	if (ret)
		return ret;
	return axis_positions(window, &horizontal, &grid->width,
			      &grid->pad_left);
}

/* Rows or columns that a transposed convolution makes. */
static int64_t transposed_size(uint32_t size, uint32_t stride, int32_t extra)
{
	return (int64_t)(size - 1) * stride + extra;
}

static int transposed_grid(const struct model_spmm *spmm,
			   const struct model_extent *input,
			   struct model_grid *grid)
{
	uint32_t s = spmm->output_stride_height, t = spmm->output_stride_width;
	int64_t height =
		transposed_size(input->height, s, spmm->output_extra_height);
	int64_t width =
		transposed_size(input->width, t, spmm->output_extra_width);

	if (height < 1 || width < 1 || height > MODEL_DIMENSION_MAX ||
	    width > MODEL_DIMENSION_MAX)
		return accel_error(
			-EINVAL,
			"its result would have %lld × %lld pixels; use an input of another size",
			(long long)height, (long long)width);
	grid->height = (uint32_t)((height + s - 1) / s);
	grid->width = (uint32_t)((width + t - 1) / t);
	grid->pad_top = spmm->window.pad_top;
	grid->pad_left = spmm->window.pad_left;
	return 0;
}

int model_spmm_grid(const struct model_spmm *spmm,
		    const struct model_extent *input, struct model_grid *grid)
{
	if (spmm->transposed)
		return transposed_grid(spmm, input, grid);
	return window_grid(&spmm->window, input, grid);
}

int model_pool_grid(const struct model_pool *pool,
		    const struct model_extent *input, struct model_grid *grid)
{
	if (pool->window.kernel_height == 0) {
		*grid = (struct model_grid){ 1, 1, 0, 0 };
		return 0;
	}
	return window_grid(&pool->window, input, grid);
}

/* Products of 32-bit sizes are made in 64 bits and come through here. */
static int fit_size(uint64_t value, uint32_t *size)
{
	if (value < 1 || value > MODEL_DIMENSION_MAX)
		return accel_error(
			-EINVAL,
			"its result would have a side of %llu; 1 to %u is possible",
			(unsigned long long)value, MODEL_DIMENSION_MAX);
	*size = (uint32_t)value;
	return 0;
}

static bool extents_equal(const struct model_extent *a,
			  const struct model_extent *b)
{
	return a->channels == b->channels && a->height == b->height &&
	       a->width == b->width;
}

static int spmm_extent(const struct model_layer *layer,
		       const struct model_extent *extents,
		       struct model_extent *out)
{
	const struct model_spmm *spmm = &layer->spmm;
	const struct model_extent *input = &extents[layer->inputs[0]];
	uint64_t height, width;
	struct model_grid grid;
	int ret = model_spmm_grid(spmm, input, &grid);

	if (ret)
		return ret;
	out->channels = spmm->weights.rows /
			(spmm->shuffle_height * spmm->shuffle_width);
	height = (uint64_t)grid.height * spmm->shuffle_height *
		 spmm->replicate_height;
	width = (uint64_t)grid.width * spmm->shuffle_width *
		spmm->replicate_width;
	if (spmm->transposed) {
		height = (uint64_t)transposed_size(input->height,
						   spmm->output_stride_height,
						   spmm->output_extra_height);
		width = (uint64_t)transposed_size(input->width,
						  spmm->output_stride_width,
						  spmm->output_extra_width);
	}
	ret = fit_size(height, &out->height);
	if (!ret)
		ret = fit_size(width, &out->width);
	if (!ret && spmm->residual != MODEL_NO_TENSOR &&
	    !extents_equal(out, &extents[spmm->residual]))
		return accel_error(
			-EINVAL,
			"its result of %u × %u pixels cannot be added to %u × %u; use an input of another size",
			out->height, out->width, extents[spmm->residual].height,
			extents[spmm->residual].width);
	return ret;
}

static bool broadcasts(uint32_t size, uint32_t to)
{
	return size == to || size == 1;
}

static int eltwise_extent(const struct model_layer *layer,
			  const struct model_extent *extents,
			  struct model_extent *out)
{
	const struct model_extent *a = &extents[layer->inputs[0]];
	const struct model_extent *b = &extents[layer->inputs[1]];

	if (!broadcasts(b->height, a->height) ||
	    !broadcasts(b->width, a->width))
		return accel_error(
			-EINVAL,
			"%u × %u and %u × %u pixels do not go together; use an input of another size",
			a->height, a->width, b->height, b->width);
	*out = *a;
	return 0;
}

/* The most elements of the image that a window holds. */
static uint64_t pool_elements(const struct model_window *window,
			      const struct model_extent *input)
{
	uint64_t height = input->height, width = input->width;

	if (window->kernel_height && window->kernel_height < height)
		height = window->kernel_height;
	if (window->kernel_width && window->kernel_width < width)
		width = window->kernel_width;
	return height * width;
}

static int pool_extent(const struct model_layer *layer,
		       const struct model_extent *extents,
		       struct model_extent *out)
{
	const struct model_extent *input = &extents[layer->inputs[0]];
	struct model_grid grid;
	int ret = model_pool_grid(&layer->pool, input, &grid);

	if (ret)
		return ret;
	if (pool_elements(&layer->pool.window, input) > POOL_ELEMENTS_MAX)
		return accel_error(
			-EINVAL,
			"a window over more than %u values; use a smaller input",
			POOL_ELEMENTS_MAX);
	out->channels = input->channels;
	out->height = grid.height;
	out->width = grid.width;
	return 0;
}

/* Sides of tensors that meet may be known only now, so they are compared here. */
static int concat_extent(const struct model_layer *layer,
			 const struct model_extent *extents,
			 struct model_extent *out)
{
	uint64_t channels = 0;

	*out = extents[layer->inputs[0]];
	for (uint32_t i = 0; i < layer->input_count; i++) {
		const struct model_extent *input = &extents[layer->inputs[i]];

		if (input->height != out->height || input->width != out->width)
			return accel_error(
				-EINVAL,
				"%u × %u and %u × %u pixels cannot be joined; use an input of another size",
				out->height, out->width, input->height,
				input->width);
		channels += input->channels;
	}
	return fit_size(channels, &out->channels);
}

/* Divides what there is by the sizes that are given; the open one gets the rest. */
static int reshape_extent(const struct model_layer *layer,
			  const struct model_extent *extents,
			  struct model_extent *out)
{
	const struct model_extent *input = &extents[layer->inputs[0]];
	uint64_t left = (uint64_t)input->channels * input->height;
	uint32_t sizes[3] = { layer->reshape.channels, layer->reshape.height,
			      layer->reshape.width };
	uint32_t *open = NULL;
	int ret = 0;

	left *= input->width; /* at most MODEL_ELEMENTS_MAX */
	for (int i = 0; i < 3; i++) {
		if (!sizes[i]) {
			open = &sizes[i];
			continue;
		}
		if (left % sizes[i])
			left = 0;
		left /= sizes[i];
	}
	if (open)
		ret = fit_size(left, open);
	else if (left != 1)
		ret = -EINVAL;
	if (ret)
		return accel_error(
			-EINVAL,
			"%u × %u × %u values do not fill %u × %u × %u; use an input of another size",
			input->channels, input->height, input->width,
			layer->reshape.channels, layer->reshape.height,
			layer->reshape.width);
	*out = (struct model_extent){ sizes[0], sizes[1], sizes[2] };
	return 0;
}

static void permute_extent(const struct model_layer *layer,
			   const struct model_extent *extents,
			   struct model_extent *out)
{
	const struct model_extent *input = &extents[layer->inputs[0]];
	const uint32_t sizes[3] = { input->channels, input->height,
				    input->width };

	out->channels = sizes[layer->permute.axis[0]];
	out->height = sizes[layer->permute.axis[1]];
	out->width = sizes[layer->permute.axis[2]];
}

static int recurrent_extent(const struct model_layer *layer,
			    const struct model_extent *extents,
			    struct model_extent *out)
{
	const struct model_extent *input = &extents[layer->inputs[0]];

	if (input->width != 1)
		return accel_error(-EINVAL, "a sequence has one column, not %u",
				   input->width);
	*out = (struct model_extent){ layer->recurrent.hidden, input->height,
				      1 };
	return 0;
}

/* The extent of the first output. */
static int layer_extent(const struct model *model,
			const struct model_layer *layer,
			const struct model_extent *extents,
			struct model_extent *out)
{
	switch (layer->op) {
	case MODEL_SPMM:
		return spmm_extent(layer, extents, out);
	case MODEL_ADD:
	case MODEL_MULTIPLY:
		return eltwise_extent(layer, extents, out);
	case MODEL_TABLE:
		*out = extents[layer->inputs[0]];
		return 0;
	case MODEL_POOL_MAX:
	case MODEL_POOL_AVERAGE:
		return pool_extent(layer, extents, out);
	case MODEL_CONCAT:
		return concat_extent(layer, extents, out);
	case MODEL_SLICE:
		*out = extents[layer->inputs[0]];
		out->channels = model->tensors[layer->outputs[0]].channels;
		return 0;
	case MODEL_RESHAPE:
		return reshape_extent(layer, extents, out);
	case MODEL_PERMUTE:
		permute_extent(layer, extents, out);
		return 0;
	case MODEL_LSTM:
	case MODEL_GRU:
		return recurrent_extent(layer, extents, out);
	}
	return accel_error(-EINVAL, "unknown operation %d", layer->op);
}

static bool size_matches(uint32_t declared, uint32_t size)
{
	return !declared || declared == size;
}

/* Against what the model declares and what can be counted. */
static int check_extent(const struct model_tensor *tensor,
			const struct model_extent *extent)
{
	uint64_t pixels = (uint64_t)extent->height * extent->width;

	if (!extent->channels || !pixels ||
	    extent->height > MODEL_DIMENSION_MAX ||
	    extent->width > MODEL_DIMENSION_MAX ||
	    extent->channels > MODEL_DIMENSION_MAX ||
	    pixels > MODEL_ELEMENTS_MAX / extent->channels)
		return accel_error(
			-EINVAL,
			"'%s': %u × %u × %u values are too many or none",
			tensor->name, extent->channels, extent->height,
			extent->width);
	if (tensor->channels != extent->channels ||
	    !size_matches(tensor->height, extent->height) ||
	    !size_matches(tensor->width, extent->width))
		return accel_error(
			-EINVAL,
			"'%s' has %u × %u × %u values (channels, height, width), but the model says %u × %u × %u (0: any)",
			tensor->name, extent->channels, extent->height,
			extent->width, tensor->channels, tensor->height,
			tensor->width);
	return 0;
}

static int infer_layer(const struct model *model,
		       const struct model_layer *layer,
		       struct model_extent *extents)
{
	struct model_extent out = { 0, 0, 0 };
	int ret = layer_extent(model, layer, extents, &out);

	for (uint32_t i = 0; !ret && i < layer->output_count; i++) {
		int32_t tensor = layer->outputs[i];

		if (i > 0) /* final states */
			out.height = 1;
		if (tensor == MODEL_NO_TENSOR)
			continue;
		extents[tensor] = out;
		ret = check_extent(&model->tensors[tensor], &out);
	}
	if (ret)
		accel_error_prefix(ret, "layer '%s'", layer->name);
	return ret;
}

/* A state is one vector for each batch element, whatever the sequence. */
static int infer_states(const struct model *model,
			const struct model_layer *layer,
			const struct model_extent *extents)
{
	if (layer->op != MODEL_LSTM && layer->op != MODEL_GRU)
		return 0;
	for (uint32_t i = 1; i < layer->input_count; i++) {
		int32_t tensor = layer->inputs[i];

		if (tensor != MODEL_NO_TENSOR &&
		    (extents[tensor].height != 1 || extents[tensor].width != 1))
			return accel_error(
				-EINVAL,
				"layer '%s': the state '%s' has more than one row or column",
				layer->name, model->tensors[tensor].name);
	}
	return 0;
}

int model_infer_extents(const struct model *model,
			const struct model_extent *inputs,
			struct model_extent *extents)
{
	int ret = 0;

	memset(extents, 0, model->tensor_count * sizeof(*extents));
	for (uint32_t i = 0; i < model->input_count; i++) {
		int32_t tensor = model->inputs[i].tensor;

		extents[tensor] = inputs[i];
		ret = check_extent(&model->tensors[tensor], &inputs[i]);
		if (ret)
			return accel_error_prefix(ret, "input");
	}
	for (uint32_t i = 0; !ret && i < model->layer_count; i++) {
		ret = infer_states(model, &model->layers[i], extents);
		if (!ret)
			ret = infer_layer(model, &model->layers[i], extents);
	}
	return ret;
}
