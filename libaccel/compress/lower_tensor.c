/* SPDX-License-Identifier: MIT */
/*
 * Lowered tensors, and views of them. A graph's tensor is a view: a lowered tensor
 * and the place of each axis in [C][H][W][B]. So a transposition moves nothing; only
 * an operator that needs its axes elsewhere adds a permutation.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/lowering.h"
#include "core/error.h"

int lower_error(const struct lowering *lowering, int node, const char *format,
		...)
{
	const struct graph_node *at = &lowering->graph->nodes[node];
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return accel_error(-ENOTSUP, "%s (%s): %s", at->name,
			   graph_op_name(at->op), text);
}

/* Room for one more element; arrays grow by halves. */
static void *grow(void *array, int count, size_t size)
{
	if (count & (count - 1))
		return array;
	return realloc(array, (count ? 2 * (size_t)count : 1) * size);
}

/* A file's recorded quantization as int8, if it is per tensor. */
static bool recorded_quantization(const struct graph_tensor *tensor,
				  struct golden_quantization *q)
{
	const struct graph_quantization *recorded = tensor->quantization;

	if (!recorded || recorded->count != 1 ||
	    recorded->high - recorded->low != 255)
		return false;
	q->scale = recorded->scale[0];
	q->zero = recorded->zero_point[0] + (int32_t)(-128 - recorded->low);
	return q->zero >= -128 && q->zero <= 127;
}

int lower_stage_add(struct lowering *lowering, int source)
{
	int number = lowering->tensor_count;
	struct lower_tensor *tensors =
		grow(lowering->tensors, number, sizeof(*tensors));
	struct lower_tensor *tensor;

	if (!tensors)
		return accel_error(-ENOMEM, "out of memory");
	lowering->tensors = tensors;
	lowering->tensor_count++;
	tensor = &tensors[number];
	memset(tensor, 0, sizeof(*tensor));
	tensor->source = source;
	tensor->stage = true;
	tensor->range = lowering->options->ranges[source];
	tensor->fixed = recorded_quantization(&lowering->graph->tensors[source],
					      &tensor->model.quantization);
	tensor->group = number;
	tensor->index = LOWER_NONE;
	return number;
}

void lower_inherit(struct lowering *lowering, int number, int source)
{
	struct lower_tensor *tensor = &lowering->tensors[number];

	if (!tensor->fixed)
		tensor->fixed =
			recorded_quantization(&lowering->graph->tensors[source],
					      &tensor->model.quantization);
}

static uint32_t extent(int64_t dim)
{
	return dim == GRAPH_DIM_DYNAMIC ? 0 : (uint32_t)dim;
}

int lower_tensor_add(struct lowering *lowering, int source,
		     const uint8_t axis[GRAPH_MAX_RANK])
{
	const struct graph_shape *shape =
		&lowering->graph->tensors[source].shape;
	int number = lower_stage_add(lowering, source);
	struct lower_tensor *tensor;

	if (number < 0)
		return number;
	tensor = &lowering->tensors[number];
	/* Axes that the graph's tensor does not have are of length 1. */
	tensor->stage = false;
	tensor->model.type = MODEL_INT8;
	tensor->model.channels = 1;
	tensor->model.height = 1;
	tensor->model.width = 1;
	for (int i = 0; i < shape->rank; i++) {
		if (axis[i] == LOWER_CHANNEL)
			tensor->model.channels = extent(shape->dims[i]);
		else if (axis[i] == LOWER_HEIGHT)
			tensor->model.height = extent(shape->dims[i]);
		else if (axis[i] == LOWER_WIDTH)
			tensor->model.width = extent(shape->dims[i]);
		else if (axis[i] == LOWER_STEPS)
			tensor->model.height = 0;
	}
	if (!tensor->model.channels)
		return accel_error(
			-ENOTSUP,
			"%s: the number of channels depends on the input's size",
			lowering->graph->tensors[source].name);
	return number;
}

int lower_bind(struct lowering *lowering, int source,
	       const uint8_t axis[GRAPH_MAX_RANK])
{
	int number = lower_tensor_add(lowering, source, axis);
	struct lower_view *view = &lowering->views[source];

	if (number < 0)
		return number;
	view->tensor = number;
	memcpy(view->axis, axis, sizeof(view->axis));
	return number;
}

void lower_layer_release(struct lower_layer *layer)
{
	lower_matrix_release(&layer->matrix);
	lower_matrix_release(&layer->hidden);
	function_chain_release(&layer->function);
	function_chain_release(&layer->clamp);
	free(layer->model.name);
	layer->model.name = NULL;
}

struct lower_layer *lower_layer_add(struct lowering *lowering, int node,
				    enum model_op op)
{
	int number = lowering->layer_count;
	struct lower_layer *layers =
		grow(lowering->layers, number, sizeof(*layers));
	struct lower_layer *layer;

	if (!layers) {
		accel_error(-ENOMEM, "out of memory");
		return NULL;
	}
	lowering->layers = layers;
	layer = &layers[number];
	memset(layer, 0, sizeof(*layer));
	layer->model.op = op;
	layer->model.name = strdup(lowering->graph->nodes[node].name);
	layer->before = LOWER_NONE;
	layer->after = LOWER_NONE;
	if (op == MODEL_SPMM)
		layer->model.spmm.residual = MODEL_NO_TENSOR;
	lowering->layer_count++;
	if (!layer->model.name) {
		accel_error(-ENOMEM, "out of memory");
		return NULL;
	}
	return layer;
}

int lower_axes(const struct lowering *lowering, int node, int rank,
	       uint8_t axis[GRAPH_MAX_RANK])
{
	static const uint8_t usual[5][4] = {
		{ 0 },
		{ LOWER_CHANNEL },
		{ LOWER_BATCH, LOWER_CHANNEL },
		{ LOWER_BATCH, LOWER_CHANNEL, LOWER_HEIGHT },
		{ LOWER_BATCH, LOWER_CHANNEL, LOWER_HEIGHT, LOWER_WIDTH },
	};
	static const uint8_t sequence[4] = { LOWER_HEIGHT, LOWER_BATCH,
					     LOWER_CHANNEL };

	memset(axis, 0, GRAPH_MAX_RANK);
	if (rank < 1 || rank > 4)
		return lower_error(
			lowering, node,
			"a tensor of rank %d: the device's have 1 to 4 axes",
			rank);
	memcpy(axis, rank == 3 && lowering->sequence ? sequence : usual[rank],
	       4);
	return 0;
}

int lower_find_axis(const struct lowering *lowering, int source,
		    enum lower_axis wanted)
{
	for (int i = 0; i < lowering->graph->tensors[source].shape.rank; i++)
		if (lowering->views[source].axis[i] == wanted)
			return i;
	return -1;
}

int lower_channel_axes(struct lowering *lowering, int node, int source,
		       int which, uint8_t axis[GRAPH_MAX_RANK])
{
	int channel = lower_find_axis(lowering, source, LOWER_CHANNEL);

	memcpy(axis, lowering->views[source].axis, GRAPH_MAX_RANK);
	if (channel == which)
		return 0;
	if (axis[which] == LOWER_BATCH || axis[which] == LOWER_STEPS)
		return lower_error(lowering, node,
				   "it works along the batch axis");
	if (channel >= 0)
		axis[channel] = axis[which];
	axis[which] = LOWER_CHANNEL;
	return 0;
}

/*
 * Find the source of each logical axis of the result. Axes that the graph's
 * tensor does not have are of length 1 and take what is left.
 */
static bool find_permutation(const uint8_t *from, const uint8_t *to, int rank,
			     uint8_t axis[3])
{
	bool used[4] = { false };
	int at = 0;

	memset(axis, UINT8_MAX, 3);
	for (int i = 0; i < rank; i++) {
		bool fixed = from[i] == LOWER_BATCH || from[i] == LOWER_STEPS;

		if (to[i] == from[i] && fixed)
			continue;
		if (fixed || to[i] == LOWER_BATCH || to[i] == LOWER_STEPS)
			return false;
		axis[to[i] - LOWER_CHANNEL] = from[i] - LOWER_CHANNEL;
		used[from[i] - LOWER_CHANNEL] = true;
	}
	for (int i = 0; i < 3; i++) {
		if (axis[i] != UINT8_MAX)
			continue;
		while (used[at])
			at++;
		axis[i] = (uint8_t)at++;
	}
	return true;
}

static int add_permutation(struct lowering *lowering, int node, int source,
			   const uint8_t axis[GRAPH_MAX_RANK])
{
	struct lower_view *view = &lowering->views[source];
	struct lower_layer *layer;
	uint8_t permutation[3];
	int number;

	if (!find_permutation(view->axis, axis,
			      lowering->graph->tensors[source].shape.rank,
			      permutation))
		return lower_error(lowering, node,
				   "it moves the batch axis of %s",
				   lowering->graph->tensors[source].name);
	number = lower_tensor_add(lowering, source, axis);
	layer = lower_layer_add(lowering, node, MODEL_PERMUTE);
	if (number < 0 || !layer)
		return number < 0 ? number : -ENOMEM;
	memcpy(layer->model.permute.axis, permutation, 3);
	layer->model.inputs[0] = view->tensor;
	layer->model.outputs[0] = number;
	layer->model.input_count = 1;
	layer->model.output_count = 1;
	lower_unite(lowering, view->tensor, number);
	return number;
}

int lower_operand(struct lowering *lowering, int node, int source,
		  const uint8_t axis[GRAPH_MAX_RANK])
{
	int rank = lowering->graph->tensors[source].shape.rank;
	struct lower_view *view = &lowering->views[source];

	if (view->tensor == LOWER_NONE)
		return lower_error(
			lowering, node,
			"%s is a constant or state where a tensor is needed",
			lowering->graph->tensors[source].name);
	if (lowering->tensors[view->tensor].model.type != MODEL_INT8)
		return lower_error(
			lowering, node,
			"it reads %s, which is a state and stays in binary32",
			lowering->graph->tensors[source].name);
	if (!memcmp(view->axis, axis, (size_t)rank))
		return view->tensor;
	return add_permutation(lowering, node, source, axis);
}

static int find_group(struct lowering *lowering, int number)
{
	while (lowering->tensors[number].group != number)
		number = lowering->tensors[number].group;
	return number;
}

void lower_unite(struct lowering *lowering, int a, int b)
{
	a = find_group(lowering, a);
	b = find_group(lowering, b);
	lowering->tensors[a > b ? a : b].group = a > b ? b : a;
}
