// SPDX-License-Identifier: MIT
#include <compress/equalize.h>
#include <compress/compress_progress.h>
#include <compress/executor.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { X, WEIGHT, BIAS };
enum { MATRIX_RANK = 2, IMAGE_RANK = 4, CHANNELS = 1 };

#define NONE (-1)
#define SCALE_BITS 6

/**
 * struct channel - one of one tensor; all that are joined have one scale
 * @parent: index of another that it is joined to, or its own
 * @fixed: its scale is 1; of the root, for all
 * @largest: magnitude; of the root, of all
 * @scale: what it is multiplied by; of the root
 */
struct channel {
	size_t parent;
	bool fixed;
	float largest;
	float scale;
};

/**
 * struct channels - of all computed tensors
 * @graph: that they are of
 * @first: of each tensor, its first channel's index, or NONE
 * @of: all of them
 */
struct channels {
	const struct graph *graph;
	int64_t *first;
	struct channel *of;
};

static int64_t channel_count(const struct channels *channels, int tensor)
{
	return channels->graph->tensors[tensor].shape.dims[CHANNELS];
}

static bool has_channels(const struct channels *channels, int tensor)
{
	return tensor >= 0 && channels->first[tensor] != NONE;
}

static size_t find_root(const struct channels *channels, size_t index)
{
	struct channel *of = channels->of;

	while (of[index].parent != index) {
		of[index].parent = of[of[index].parent].parent;
		index = of[index].parent;
	}
	return index;
}

static struct channel *root_of(const struct channels *channels, int tensor,
			       int64_t channel)
{
	int64_t index = channels->first[tensor] + channel;

	return &channels->of[find_root(channels, (size_t)index)];
}

static int channels_create(struct channels *channels, const struct graph *graph)
{
	size_t tensors = (size_t)graph->tensor_count + 1, count = 0;

	channels->graph = graph;
	channels->first = calloc(tensors, sizeof(*channels->first));
	if (!channels->first)
		return -ENOMEM;
	for (int t = 0; t < graph->tensor_count; t++) {
		const struct graph_shape *shape = &graph->tensors[t].shape;

		channels->first[t] = NONE;
		if (graph_tensor_is_constant(graph, t) ||
		    (shape->rank != MATRIX_RANK && shape->rank != IMAGE_RANK) ||
		    shape->dims[CHANNELS] <= 0)
			continue;
		channels->first[t] = (int64_t)count;
		count += (size_t)shape->dims[CHANNELS];
	}
	channels->of = calloc(count + 1, sizeof(*channels->of));
	for (size_t i = 0; channels->of && i < count; i++)
		channels->of[i].parent = i;
	return channels->of ? 0 : -ENOMEM;
}

static void channels_release(struct channels *channels)
{
	free(channels->first);
	free(channels->of);
}

/* ---- which belong together ---- */

static void fix(struct channels *channels, int tensor)
{
	if (!has_channels(channels, tensor))
		return;
	for (int64_t c = 0; c < channel_count(channels, tensor); c++)
		root_of(channels, tensor, c)->fixed = true;
}

static void fix_all(struct channels *channels, const struct graph_node *node)
{
	for (int i = 0; i < node->input_count; i++)
		fix(channels, node->inputs[i]);
	for (int i = 0; i < node->output_count; i++)
		fix(channels, node->outputs[i]);
}

static void join(struct channels *channels, int from, int to, int64_t offset)
{
	for (int64_t c = 0; c < channel_count(channels, from); c++) {
		struct channel *one = root_of(channels, from, c);
		struct channel *other = root_of(channels, to, offset + c);

		other->fixed = other->fixed || one->fixed;
		one->parent = (size_t)(other - channels->of);
	}
}

/* Channel by channel the same, at other places or of another size? */
static bool is_joined(const struct channels *channels,
		      const struct graph_node *node)
{
	int64_t count;

	if (!has_channels(channels, node->outputs[0]))
		return false;
	count = channel_count(channels, node->outputs[0]);
	switch (node->op) {
	case GRAPH_RELU:
	case GRAPH_LEAKY_RELU:
	case GRAPH_RESIZE_NEAREST:
	case GRAPH_MAX_POOL:
	case GRAPH_AVERAGE_POOL:
	case GRAPH_GLOBAL_AVERAGE_POOL:
		return has_channels(channels, node->inputs[X]);
	case GRAPH_ADD:
		for (int i = 0; i < node->input_count; i++)
			if (!has_channels(channels, node->inputs[i]) ||
			    channel_count(channels, node->inputs[i]) != count)
				return false;
		return true;
	default:
		return false;
	}
}

static bool is_joined_concat(const struct channels *channels,
			     const struct graph_node *node)
{
	if (node->op != GRAPH_CONCAT || node->axis != CHANNELS ||
	    !has_channels(channels, node->outputs[0]))
		return false;
	for (int i = 0; i < node->input_count; i++)
		if (!has_channels(channels, node->inputs[i]))
			return false;
	return true;
}

static bool is_own(const struct graph *graph, int tensor)
{
	return graph_tensor_is_constant(graph, tensor) &&
	       graph_tensor_use_count(graph, tensor) == 1 &&
	       !graph->tensors[tensor].quantization;
}

/* May a node's rows and columns be scaled? */
static bool is_scaled(const struct channels *channels,
		      const struct graph_node *node)
{
	const struct graph *graph = channels->graph;

	if (!graph_op_is_linear(node->op) || node->structural ||
	    !has_channels(channels, node->inputs[X]) ||
	    !has_channels(channels, node->outputs[0]) ||
	    !is_own(graph, node->inputs[WEIGHT]))
		return false;
	return node->input_count <= BIAS || node->inputs[BIAS] < 0 ||
	       is_own(graph, node->inputs[BIAS]);
}

static void join_node(struct channels *channels, const struct graph_node *node)
{
	bool concat = is_joined_concat(channels, node);
	int64_t offset = 0;

	if (is_scaled(channels, node))
		return;
	if (!concat && !is_joined(channels, node)) {
		fix_all(channels, node);
		return;
	}
	for (int i = 0; i < node->input_count; i++) {
		int input = node->inputs[i];

		if (!has_channels(channels, input))
			continue;
		join(channels, input, node->outputs[0], offset);
		offset += concat ? channel_count(channels, input) : 0;
	}
}

static void join_all(struct channels *channels)
{
	const struct graph *graph = channels->graph;

	for (int n = 0; n < graph->node_count; n++)
		join_node(channels, &graph->nodes[n]);
	for (int i = 0; i < graph->input_count; i++)
		fix(channels, graph->inputs[i]);
	for (int i = 0; i < graph->output_count; i++)
		fix(channels, graph->outputs[i]);
	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].quantization)
			fix(channels, t);
}

/* ---- how large they are ---- */

static int observe(void *context, int tensor, const struct graph_shape *shape,
		   const float *values)
{
	struct channels *channels = context;
	int64_t inner = 1;

	if (!has_channels(channels, tensor))
		return 0;
	for (int i = CHANNELS + 1; i < shape->rank; i++)
		inner *= shape->dims[i];
	for (int64_t n = 0; n < shape->dims[0]; n++)
		for (int64_t c = 0; c < shape->dims[CHANNELS]; c++) {
			struct channel *root = root_of(channels, tensor, c);

			for (int64_t i = 0; i < inner; i++)
				root->largest =
					fmaxf(root->largest, fabsf(*values++));
		}
	return 0;
}

static int run_sample(struct channels *channels, const struct array *sample)
{
	const struct executor_options options = {
		.observer = observe,
		.observer_context = channels,
	};
	size_t count = (size_t)channels->graph->input_count;
	struct graph_shape *shapes = calloc(count + 1, sizeof(*shapes));
	const float **values = calloc(count + 1, sizeof(*values));
	struct executor *executor = NULL;
	int ret = shapes && values ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !ret; i++) {
		shapes[i] = sample[i].shape;
		values[i] = sample[i].values;
	}
	if (!ret)
		ret = executor_create(&executor, channels->graph, shapes,
				      &options);
	if (!ret)
		ret = executor_run(executor, values);
	executor_destroy(executor);
	free(shapes);
	free(values);
	return ret;
}

/*
 * 1/√largest, to few enough bits that another processor's last bits do not show. A
 * channel that is always zero has nothing to round.
 */
static float choose_scale(const struct channel *channel)
{
	double fraction;
	int exponent;

	if (channel->fixed || !(channel->largest > 0) ||
	    isinf(channel->largest))
		return 1;
	fraction = frexp(1 / sqrt((double)channel->largest), &exponent);
	return (float)ldexp(rint(ldexp(fraction, SCALE_BITS)),
			    exponent - SCALE_BITS);
}

static void choose_scales(struct channels *channels)
{
	const struct graph *graph = channels->graph;

	for (int t = 0; t < graph->tensor_count; t++) {
		if (!has_channels(channels, t))
			continue;
		for (int64_t c = 0; c < channel_count(channels, t); c++) {
			struct channel *root = root_of(channels, t, c);

			root->scale = choose_scale(root);
		}
	}
}

/* ---- scaling ---- */

/* struct block - the weights of a node between one channel and another */
struct block {
	int64_t from;
	int64_t to;
	float *values;
};

static float scale_of(const struct channels *channels, int tensor,
		      int64_t channel)
{
	return root_of(channels, tensor, channel)->scale;
}

/* The block at some index of the weight tensor's first two dimensions. */
static struct block block_at(const struct graph_node *node,
			     const struct graph_tensor *weight, int64_t index,
			     int64_t taps)
{
	const int64_t *dims = weight->shape.dims;
	int64_t groups = node->op == GRAPH_GEMM ? 1 : node->conv.group;
	int64_t major = index / dims[1], minor = index % dims[1];
	int64_t group = major / (dims[0] / groups);
	struct block block = {
		.from = group * dims[1] + minor,
		.to = major,
		.values = weight->data + index * taps,
	};

	if (node->op == GRAPH_CONV_TRANSPOSE) {
		block.to = block.from;
		block.from = major;
	}
	return block;
}

static void scale_node(const struct channels *channels,
		       const struct graph_node *node)
{
	const struct graph_tensor *tensors = channels->graph->tensors;
	const struct graph_tensor *weight = &tensors[node->inputs[WEIGHT]];
	const int64_t *dims = weight->shape.dims;
	int64_t taps = graph_shape_count(&weight->shape) / (dims[0] * dims[1]);
	int x = node->inputs[X], y = node->outputs[0];

	for (int64_t i = 0; i < dims[0] * dims[1]; i++) {
		struct block block = block_at(node, weight, i, taps);
		float scale = scale_of(channels, y, block.to) /
			      scale_of(channels, x, block.from);

		for (int64_t j = 0; j < taps; j++)
			block.values[j] *= scale;
	}
	if (node->input_count <= BIAS || node->inputs[BIAS] < 0)
		return;
	for (int64_t c = 0; c < channel_count(channels, y); c++)
		tensors[node->inputs[BIAS]].data[c] *= scale_of(channels, y, c);
}

int graph_equalize(struct graph *graph, const struct calibration_data *data,
		   const struct compress_progress *progress)
{
	struct channels channels = { .graph = NULL };
	int ret = channels_create(&channels, graph);

	if (ret) {
		accel_error(ret, "no memory for the sizes of channels");
	} else {
		join_all(&channels);
		for (int i = 0; i < data->sample_count && !ret; i++) {
			ret = run_sample(&channels, data->samples[i]);
			compress_report(progress, "equalizing", i + 1,
					data->sample_count);
		}
	}
	if (!ret) {
		choose_scales(&channels);
		for (int n = 0; n < graph->node_count; n++)
			if (is_scaled(&channels, &graph->nodes[n]))
				scale_node(&channels, &graph->nodes[n]);
	}
	channels_release(&channels);
	return ret;
}
