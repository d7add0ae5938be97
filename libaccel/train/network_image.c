/* SPDX-License-Identifier: MIT */
/* Layers over images, [N, C, H, W]. */
#include <train/network_layer.h>

#include <core/error.h>

#include <errno.h>

#define CHANNELS 1

/** struct window - what convolutions and pooling have in common */
struct window {
	json_int_t outputs;
	json_int_t kernel;
	json_int_t stride;
	json_int_t padding;
	json_int_t output_padding;
	json_int_t groups;
	int bias;
};

static const struct graph_shape *image_shape(const struct network_layer *layer)
{
	const struct graph_shape *shape =
		network_shape(layer->network, layer->input);

	if (shape->rank == 4)
		return shape;
	accel_error_set(
		"takes images, [channels, height, width]: put reshape before it");
	return NULL;
}

static int check_window(const struct window *window)
{
	int ret = network_check_size("kernel", window->kernel);

	if (!ret)
		ret = network_check_size("stride", window->stride);
	if (!ret)
		ret = network_check_size("groups", window->groups);
	if (!ret && (window->padding < 0 || window->padding >= window->kernel))
		ret = accel_error(-EINVAL,
				  "\"padding\" takes 0 to below the kernel");
	if (!ret && (window->output_padding < 0 ||
		     window->output_padding >= window->stride))
		ret = accel_error(
			-EINVAL,
			"\"output_padding\" takes 0 to below the stride");
	return ret;
}

static void set_pair(int64_t pair[2], int64_t value)
{
	pair[0] = value;
	pair[1] = value;
}

static void set_conv(struct graph_conv *conv, const struct window *window)
{
	set_pair(conv->kernel, window->kernel);
	set_pair(conv->stride, window->stride);
	set_pair(conv->dilation, 1);
	set_pair(conv->pads, window->padding);
	set_pair(conv->pads + 2, window->padding);
	set_pair(conv->output_padding, window->output_padding);
	conv->group = window->groups;
}

static int read_conv(const struct network_layer *layer, struct window *window)
{
	const char *word;
	json_t *init = NULL;
	int ret;

	*window = (struct window){ .stride = 1, .groups = 1, .bias = 1 };
	ret = network_layer_read(
		layer, "{s:s, s:I, s:I, s?I, s?I, s?I, s?I, s?b, s?o}", "layer",
		&word, "outputs", &window->outputs, "kernel", &window->kernel,
		"stride", &window->stride, "padding", &window->padding,
		"output_padding", &window->output_padding, "groups",
		&window->groups, "bias", &window->bias, "init", &init);
	if (!ret)
		ret = network_check_size("outputs", window->outputs);
	return ret ? ret : check_window(window);
}

static int add_convolution(const struct network_layer *layer,
			   const struct window *window, struct graph_node *node,
			   const struct graph_shape *shape,
			   struct network_fan fan)
{
	int inputs[3] = { layer->input, 0, 0 };

	set_conv(&node->conv, window);
	inputs[1] = network_add_weight(layer, "weight", shape, fan);
	if (inputs[1] >= 0 && window->bias)
		inputs[2] =
			network_add_vector(layer, "bias", window->outputs, 0);
	if (inputs[1] < 0 || inputs[2] < 0)
		return inputs[1] < 0 ? inputs[1] : inputs[2];
	return network_add_node(layer->network, node, layer->name, inputs,
				window->bias ? 3 : 2);
}

static int check_groups(const struct window *window, int64_t channels)
{
	if (channels % window->groups == 0 &&
	    window->outputs % window->groups == 0)
		return 0;
	return accel_error(
		-EINVAL,
		"\"groups\" does not divide the %lld channels before it and its %lld",
		(long long)channels, (long long)window->outputs);
}

int network_add_conv(const struct network_layer *layer)
{
	const struct graph_shape *x = image_shape(layer);
	struct graph_node node = { .op = GRAPH_CONV };
	struct graph_shape shape = { .rank = 4 };
	struct window window;
	int64_t taps;
	int ret = x ? read_conv(layer, &window) : -EINVAL;

	if (!ret && window.output_padding)
		ret = accel_error(-EINVAL,
				  "\"output_padding\" is for conv_transpose");
	if (!ret)
		ret = check_groups(&window, x->dims[CHANNELS]);
	if (ret)
		return ret;
	shape.dims[0] = window.outputs;
	shape.dims[1] = x->dims[CHANNELS] / window.groups;
	set_pair(shape.dims + 2, window.kernel);
	taps = window.kernel * window.kernel;
	return add_convolution(
		layer, &window, &node, &shape,
		(struct network_fan){ shape.dims[1] * taps,
				      window.outputs / window.groups * taps });
}

/* Of its taps, only one in stride² reaches a pixel of the result. */
int network_add_conv_transpose(const struct network_layer *layer)
{
	const struct graph_shape *x = image_shape(layer);
	struct graph_node node = { .op = GRAPH_CONV_TRANSPOSE };
	struct graph_shape shape = { .rank = 4 };
	struct window window;
	int64_t taps;
	int ret = x ? read_conv(layer, &window) : -EINVAL;

	if (!ret)
		ret = check_groups(&window, x->dims[CHANNELS]);
	if (ret)
		return ret;
	shape.dims[0] = x->dims[CHANNELS];
	shape.dims[1] = window.outputs / window.groups;
	set_pair(shape.dims + 2, window.kernel);
	taps = window.kernel * window.kernel / (window.stride * window.stride);
	if (taps < 1)
		taps = 1;
	return add_convolution(
		layer, &window, &node, &shape,
		(struct network_fan){ shape.dims[0] / window.groups * taps,
				      shape.dims[1] * taps });
}

static int add_pool(const struct network_layer *layer, enum graph_op op)
{
	struct graph_node node = { .op = op };
	struct window window = { .stride = 0, .groups = 1 };
	const char *word;
	int ret = image_shape(layer) ? 0 : -EINVAL;

	if (!ret)
		ret = network_layer_read(layer, "{s:s, s:I, s?I, s?I}", "layer",
					 &word, "kernel", &window.kernel,
					 "stride", &window.stride, "padding",
					 &window.padding);
	if (!window.stride)
		window.stride = window.kernel;
	if (!ret)
		ret = check_window(&window);
	if (ret)
		return ret;
	set_pair(node.pool.kernel, window.kernel);
	set_pair(node.pool.stride, window.stride);
	set_pair(node.pool.dilation, 1);
	set_pair(node.pool.pads, window.padding);
	set_pair(node.pool.pads + 2, window.padding);
	return network_add_node(layer->network, &node, layer->name,
				&layer->input, 1);
}

int network_add_max_pool(const struct network_layer *layer)
{
	return add_pool(layer, GRAPH_MAX_POOL);
}

int network_add_average_pool(const struct network_layer *layer)
{
	return add_pool(layer, GRAPH_AVERAGE_POOL);
}

int network_add_global_pool(const struct network_layer *layer)
{
	const struct graph_node node = { .op = GRAPH_GLOBAL_AVERAGE_POOL };
	const char *word;
	int ret = image_shape(layer) ?
			  network_layer_read(layer, "{s:s}", "layer", &word) :
			  -EINVAL;

	return ret ? ret :
		     network_add_node(layer->network, &node, layer->name,
				      &layer->input, 1);
}

int network_add_upsample(const struct network_layer *layer)
{
	struct graph_node node = { .op = GRAPH_RESIZE_NEAREST };
	json_int_t scale = 2;
	const char *word;
	int ret = image_shape(layer) ?
			  network_layer_read(layer, "{s:s, s?I}", "layer",
					     &word, "scale", &scale) :
			  -EINVAL;

	if (!ret)
		ret = network_check_size("scale", scale);
	if (ret)
		return ret;
	set_pair(node.resize.scale, scale);
	return network_add_node(layer->network, &node, layer->name,
				&layer->input, 1);
}

int network_add_pixel_shuffle(const struct network_layer *layer)
{
	struct graph_node node = { .op = GRAPH_DEPTH_TO_SPACE };
	json_int_t block = 2;
	const char *word;
	int ret = image_shape(layer) ?
			  network_layer_read(layer, "{s:s, s?I}", "layer",
					     &word, "block", &block) :
			  -EINVAL;

	if (!ret && block < 2)
		ret = accel_error(-EINVAL, "\"block\" takes 2 or more");
	if (!ret)
		ret = network_check_size("block", block);
	if (ret)
		return ret;
	node.depth_to_space.block = block;
	node.depth_to_space.crd = true;
	return network_add_node(layer->network, &node, layer->name,
				&layer->input, 1);
}
