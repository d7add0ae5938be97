/* SPDX-License-Identifier: MIT */
/* Nodes that only say where elements lie: most of them cost nothing. */
#include <errno.h>
#include <string.h>

#include "compress/lowering.h"

int lower_transpose(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct lower_view *from = &lowering->views[node->inputs[0]];
	struct lower_view *to = &lowering->views[node->outputs[0]];
	int rank = lowering->graph->tensors[node->inputs[0]].shape.rank;

	if (from->tensor == LOWER_NONE)
		return lower_error(lowering, index, "it transposes a state");
	to->tensor = from->tensor;
	for (int i = 0; i < rank; i++)
		to->axis[i] = from->axis[node->transpose.perm[i]];
	/* Files with the batch first say only of the result how it is rounded. */
	lower_inherit(lowering, to->tensor, node->outputs[0]);
	return 0;
}

int lower_concat(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	int32_t inputs[MODEL_INPUTS_MAX];
	uint8_t axis[GRAPH_MAX_RANK];
	struct lower_layer *layer;
	int output, ret;

	if (node->input_count > MODEL_INPUTS_MAX)
		return lower_error(lowering, index, "more than %d inputs",
				   MODEL_INPUTS_MAX);
	ret = lower_channel_axes(lowering, index, node->inputs[0], node->axis,
				 axis);
	for (int i = 0; !ret && i < node->input_count; i++) {
		inputs[i] =
			lower_operand(lowering, index, node->inputs[i], axis);
		ret = inputs[i] < 0 ? inputs[i] : 0;
	}
	if (ret)
		return ret;
	output = lower_bind(lowering, node->outputs[0], axis);
	layer = lower_layer_add(lowering, index, MODEL_CONCAT);
	if (output < 0 || !layer)
		return output < 0 ? output : -ENOMEM;
	memcpy(layer->model.inputs, inputs,
	       (size_t)node->input_count * sizeof(inputs[0]));
	layer->model.input_count = (uint32_t)node->input_count;
	layer->model.outputs[0] = output;
	layer->model.output_count = 1;
	for (int i = 0; i < node->input_count; i++)
		lower_unite(lowering, inputs[i], output);
	return 0;
}

bool lower_slice_is_view(const struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	uint8_t axis = lowering->views[node->inputs[0]].axis[node->slice.axis];

	return node->slice.step == 1 &&
	       (axis == LOWER_CHANNEL || axis == LOWER_BATCH ||
		axis == LOWER_STEPS);
}

int lower_slice(struct lowering *lowering, int index)
{
	const struct graph_node *node = &lowering->graph->nodes[index];
	const struct graph_slice *slice = &node->slice;
	uint8_t axis[GRAPH_MAX_RANK];
	struct lower_layer *layer;
	int64_t start = slice->start;
	int input, output;

	memcpy(axis, lowering->views[node->inputs[0]].axis, sizeof(axis));
	if (axis[slice->axis] != LOWER_CHANNEL)
		return lower_error(lowering, index, "it cuts the batch axis");
	input = lower_operand(lowering, index, node->inputs[0], axis);
	if (input < 0)
		return input;
	output = lower_bind(lowering, node->outputs[0], axis);
	layer = lower_layer_add(lowering, index, MODEL_SLICE);
	if (output < 0 || !layer)
		return output < 0 ? output : -ENOMEM;
	if (start < 0)
		start += lowering->tensors[input].model.channels;
	layer->model.slice.first_channel = (uint32_t)(start < 0 ? 0 : start);
	layer->model.inputs[0] = input;
	layer->model.input_count = 1;
	layer->model.outputs[0] = output;
	layer->model.output_count = 1;
	lower_unite(lowering, input, output);
	return 0;
}
