/* SPDX-License-Identifier: MIT */
/*
 * A reshape is free where it leaves the batch alone: [C][H][W][B] keeps the order
 * of the elements of one batch entry. What it must not do is mix the batch with
 * other axes, except for the steps of a sequence: [T, N, F] as [T·N, F].
 */
#include <errno.h>
#include <string.h>

#include "compress/lowering.h"

/* The axes of a shape that are longer than 1, and the batch. */
struct axis_list {
	int count;
	int axis[GRAPH_MAX_RANK];
	int64_t dim[GRAPH_MAX_RANK];
};

static bool keeps_axis(const struct graph_reshape_dim *dim, int axis)
{
	return dim->axis == axis && dim->numerator == dim->denominator;
}

/* The axis of the result that is the batch of the input, or −1. */
static int find_batch(const struct lowering *lowering,
		      const struct graph_node *node, int batch)
{
	const struct graph_shape *in =
		&lowering->graph->tensors[node->inputs[0]].shape;
	const struct graph_shape *out =
		&lowering->graph->tensors[node->outputs[0]].shape;

	for (int i = 0; i < out->rank; i++)
		if (keeps_axis(&node->reshape.dims[i], batch))
			return i;
	/* [-1, F] and numbers: it can only be where it was. */
	for (int i = 0; i < out->rank; i++)
		if (out->dims[i] == in->dims[batch] && i == batch)
			return i;
	return -1;
}

static void list_axes(const struct graph_shape *shape, int batch,
		      struct axis_list *list)
{
	list->count = 0;
	for (int i = 0; i < shape->rank; i++) {
		if (shape->dims[i] == 1 && i != batch)
			continue;
		list->axis[list->count] = i;
		list->dim[list->count++] = shape->dims[i];
	}
}

static bool same_dim(const struct graph_node *node, const struct axis_list *in,
		     const struct axis_list *out, int i)
{
	if (in->dim[i] != GRAPH_DIM_DYNAMIC || out->dim[i] != GRAPH_DIM_DYNAMIC)
		return in->dim[i] == out->dim[i];
	return keeps_axis(&node->reshape.dims[out->axis[i]], in->axis[i]) ||
	       node->reshape.dims[out->axis[i]].axis == GRAPH_RESHAPE_REST;
}

/* Axes of length 1 take the logical ones that are left. */
static void fill_axes(int rank, bool *assigned, uint8_t *axis)
{
	bool used[LOWER_STEPS + 1] = { false };
	uint8_t next = LOWER_CHANNEL;

	for (int i = 0; i < rank; i++)
		if (assigned[i])
			used[axis[i]] = true;
	used[LOWER_HEIGHT] |= used[LOWER_STEPS];
	for (int i = 0; i < rank; i++) {
		if (assigned[i])
			continue;
		while (next < LOWER_STEPS && used[next])
			next++;
		axis[i] = next++;
	}
}

/* Only axes of length 1 come and go: the same memory under other names. */
static bool rename_axes(struct lowering *lowering,
			const struct graph_node *node, int batch_in,
			int batch_out)
{
	const struct lower_view *from = &lowering->views[node->inputs[0]];
	struct lower_view *to = &lowering->views[node->outputs[0]];
	const struct graph_shape *shape =
		&lowering->graph->tensors[node->outputs[0]].shape;
	bool assigned[GRAPH_MAX_RANK] = { false };
	struct axis_list in = { 0 }, out = { 0 };

	list_axes(&lowering->graph->tensors[node->inputs[0]].shape, batch_in,
		  &in);
	list_axes(shape, batch_out, &out);
	if (in.count != out.count || shape->rank > 4)
		return false;
	for (int i = 0; i < in.count; i++) {
		if (!same_dim(node, &in, &out, i))
			return false;
		to->axis[out.axis[i]] = from->axis[in.axis[i]];
		assigned[out.axis[i]] = true;
	}
	fill_axes(shape->rank, assigned, to->axis);
	to->tensor = from->tensor;
	return true;
}

/* [T, N, F] to [T·N, F] and back; the channels stay last. */
static bool merge_steps(struct lowering *lowering,
			const struct graph_node *node)
{
	const struct lower_view *from = &lowering->views[node->inputs[0]];
	struct lower_view *to = &lowering->views[node->outputs[0]];
	static const uint8_t apart[3] = { LOWER_HEIGHT, LOWER_BATCH,
					  LOWER_CHANNEL };
	static const uint8_t merged[2] = { LOWER_STEPS, LOWER_CHANNEL };
	const struct graph_shape *in =
		&lowering->graph->tensors[node->inputs[0]].shape;
	const struct graph_shape *out =
		&lowering->graph->tensors[node->outputs[0]].shape;

	if (out->dims[out->rank - 1] != in->dims[in->rank - 1])
		return false;
	if (in->rank == 3 && out->rank == 2 && !memcmp(from->axis, apart, 3))
		memcpy(to->axis, merged, 2);
	else if (in->rank == 2 && out->rank == 3 &&
		 !memcmp(from->axis, merged, 2))
		memcpy(to->axis, apart, 3);
	else
		return false;
	to->tensor = from->tensor;
	return true;
}

static uint32_t known(int64_t dim)
{
	return dim == GRAPH_DIM_DYNAMIC ? 0 : (uint32_t)dim;
}

static int add_reshape(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct graph_shape *out =
		&lowering->graph->tensors[node->outputs[0]].shape;
	uint8_t axis[GRAPH_MAX_RANK] = { LOWER_BATCH, LOWER_CHANNEL,
					 LOWER_HEIGHT, LOWER_WIDTH };
	struct lower_layer *layer;
	int input, output;

	if (out->rank > 4)
		return lower_error(
			lowering, index,
			"a result of rank %d: the device's have 1 to 4 axes",
			out->rank);
	input = lower_operand(lowering, index, node->inputs[0], axis);
	if (input < 0)
		return input;
	output = lower_bind(lowering, node->outputs[0], axis);
	layer = lower_layer_add(lowering, index, MODEL_RESHAPE);
	if (output < 0 || !layer)
		return output < 0 ? output : -ENOMEM;
	layer->model.reshape.channels = known(out->dims[1]);
	layer->model.reshape.height = out->rank > 2 ? known(out->dims[2]) : 1;
	layer->model.reshape.width = out->rank > 3 ? known(out->dims[3]) : 1;
	layer->model.inputs[0] = input;
	layer->model.input_count = 1;
	layer->model.outputs[0] = output;
	layer->model.output_count = 1;
	lower_unite(lowering, input, output);
	return 0;
}

int lower_reshape(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	int rank = lowering->graph->tensors[node->outputs[0]].shape.rank;
	int batch = lower_find_axis(lowering, node->inputs[0], LOWER_BATCH);
	int batch_out = -1;

	if (lowering->views[node->inputs[0]].tensor == LOWER_NONE)
		return lower_error(lowering, index, "it reshapes a state");
	if (merge_steps(lowering, node))
		return 0;
	if (batch >= 0)
		batch_out = find_batch(lowering, node, batch);
	if (batch_out >= 0 && rename_axes(lowering, node, batch, batch_out))
		return 0;
	if (batch != 0 || batch_out != 0 || rank < 2)
		return lower_error(lowering, index,
				   "it mixes the batch with other axes");
	return add_reshape(lowering, index);
}
