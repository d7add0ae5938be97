/* SPDX-License-Identifier: MIT */
#include <compress/channel_removal.h>

#include <compress/weight_layout.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { X, WEIGHT, BIAS };
/* Of recurrent layers. */
enum { RECURRENCE = 2, BIASES, HIDDEN, CELL };

/** struct removal - one call */
struct removal {
	const struct channel_groups *groups;
	const bool *dead;
	struct graph *graph;
	struct prune_mask *mask;
};

/* ---- who is dead ---- */

static void keep_readers(const struct channel_groups *groups,
			 const struct graph *graph, int node, int slot,
			 bool *dead)
{
	const struct graph_node *own = &graph->nodes[node];
	struct channel_sides sides =
		channel_groups_sides(groups, graph, node, slot);
	const int *read = sides.columns;
	const struct graph_tensor *weight = &graph->tensors[own->inputs[slot]];
	struct weight_layout layout;
	int64_t count;

	if (!read || own->structural)
		return;
	layout = weight_layout_find(graph, own->inputs[slot]);
	count = graph_shape_count(&weight->shape);
	for (int64_t i = 0; i < count; i++) {
		int group = read[weight_layout_channel(&layout, i)];

		if (group >= 0 && weight->data[i] != 0)
			dead[group] = false;
	}
}

/* Of a tensor whose channels would all go, the first one stays. */
static void keep_one(const struct channel_groups *groups, int tensor,
		     bool *dead)
{
	const int *of = groups->of[tensor];

	for (int64_t i = 0; of && i < groups->widths[tensor]; i++)
		if (of[i] < 0 || !dead[of[i]])
			return;
	if (of && groups->widths[tensor])
		dead[of[0]] = false;
}

void channels_find_dead(const struct channel_groups *groups,
			const struct graph *graph, bool *dead)
{
	for (int g = 0; g < groups->count; g++)
		dead[g] = true;
	for (int n = 0; n < graph->node_count; n++) {
		bool recurrent = graph_op_is_recurrent(graph->nodes[n].op);

		if (recurrent || graph_op_is_linear(graph->nodes[n].op))
			keep_readers(groups, graph, n, WEIGHT, dead);
		if (recurrent)
			keep_readers(groups, graph, n, RECURRENCE, dead);
	}
	for (int t = 0; t < groups->tensor_count; t++)
		keep_one(groups, t, dead);
}

/* ---- constants ---- */

static bool stays(const struct removal *removal, int group)
{
	return group < 0 || !removal->dead[group];
}

/**
 * struct cut - what goes along an axis of a constant
 * @axis: of it
 * @of: the group of each index, or NULL where none goes
 * @period: indices after which @of begins again; it divides the axis
 */
struct cut {
	int axis;
	const int *of;
	int64_t period;
};

static int64_t count_left(const struct removal *removal, const int *of,
			  int64_t width)
{
	int64_t left = 0;

	for (int64_t i = 0; i < width; i++)
		left += stays(removal, of[i]);
	return left;
}

/* What stays along an axis moves together; [outer][width][inner] elements of a size */
static void close_up(const struct removal *removal, const struct cut *cut,
		     int64_t width, int64_t outer, size_t inner, void *elements)
{
	char *to = elements;
	const char *from = elements;

	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < width; i++, from += inner) {
			if (!stays(removal, cut->of[i % cut->period]))
				continue;
			memmove(to, from, inner);
			to += inner;
		}
}

static void cut_periods(const struct removal *removal, int tensor,
			const struct cut *cut)
{
	struct graph_tensor *constant;
	int64_t outer = 1, inner = 1, width;

	if (!cut->of || tensor == GRAPH_NO_TENSOR)
		return;
	constant = &removal->graph->tensors[tensor];
	width = constant->shape.dims[cut->axis];
	for (int i = 0; i < constant->shape.rank; i++) {
		outer *= i < cut->axis ? constant->shape.dims[i] : 1;
		inner *= i > cut->axis ? constant->shape.dims[i] : 1;
	}
	close_up(removal, cut, width, outer, (size_t)inner * sizeof(float),
		 constant->data);
	if (removal->mask && removal->mask->keep[tensor])
		close_up(removal, cut, width, outer, (size_t)inner,
			 removal->mask->keep[tensor]);
	constant->shape.dims[cut->axis] =
		width / cut->period * count_left(removal, cut->of, cut->period);
}

/* of: the group of each index of the axis, or NULL where none goes */
static void cut_constant(const struct removal *removal, int tensor, int axis,
			 const int *of)
{
	struct cut cut = { .axis = axis, .of = of };

	if (tensor == GRAPH_NO_TENSOR)
		return;
	cut.period = removal->graph->tensors[tensor].shape.dims[axis];
	cut_periods(removal, tensor, &cut);
}

/* ---- nodes ---- */

static void cut_linear(const struct removal *removal, int node)
{
	struct graph_node *own = &removal->graph->nodes[node];
	struct channel_sides sides = channel_groups_sides(
		removal->groups, removal->graph, node, WEIGHT);
	bool transposed = own->op == GRAPH_CONV_TRANSPOSE;
	bool depthwise = channel_is_depthwise(removal->graph, own);
	int rows = transposed && !depthwise ? 1 : 0;
	int weight = own->inputs[WEIGHT];

	if (own->structural)
		return;
	cut_constant(removal, weight, rows, sides.rows);
	cut_constant(removal, weight, 1 - rows, sides.columns);
	if (own->input_count > BIAS)
		cut_constant(removal, own->inputs[BIAS], 0, sides.rows);
	if (depthwise)
		own->conv.group = removal->graph->tensors[weight].shape.dims[0];
}

/* A row in each gate, of the biases for both weights; both directions lose the same. */
static void cut_units(const struct removal *removal, struct graph_node *node,
		      const int *units)
{
	int64_t hidden = node->recurrent.hidden;
	const struct cut gates = { 1, units, hidden };
	const struct cut states = { 2, units, hidden };

	if (!units)
		return;
	cut_periods(removal, node->inputs[WEIGHT], &gates);
	cut_periods(removal, node->inputs[RECURRENCE], &gates);
	cut_periods(removal, node->inputs[RECURRENCE], &states);
	for (int i = BIASES; i < node->input_count; i++)
		cut_periods(removal, node->inputs[i],
			    i == BIASES ? &gates : &states);
	node->recurrent.hidden = count_left(removal, units, hidden);
}

static void cut_recurrent(const struct removal *removal, int index)
{
	struct graph_node *node = &removal->graph->nodes[index];

	cut_constant(removal, node->inputs[WEIGHT], 2,
		     removal->groups->of[node->inputs[X]]);
	cut_units(removal, node, removal->groups->units[index]);
}

/* PRelu, Affine: one for all channels, or for those of another axis, stays. */
static void cut_channel_constants(const struct removal *removal,
				  const struct graph_node *node)
{
	const struct channel_groups *groups = removal->groups;
	int x = node->inputs[X];

	for (int i = 1; i < node->input_count; i++)
		if (groups->of[x] && node->axis == groups->axes[x] &&
		    removal->graph->tensors[node->inputs[i]].shape.dims[0] > 1)
			cut_constant(removal, node->inputs[i], 0,
				     groups->of[x]);
}

static void cut_operand(const struct removal *removal, int operand, int out)
{
	const struct channel_groups *groups = removal->groups;
	const struct graph *graph = removal->graph;
	int axis;

	if (!graph_tensor_is_constant(graph, operand) || !groups->of[out])
		return;
	axis = groups->axes[out] - graph->tensors[out].shape.rank +
	       graph->tensors[operand].shape.rank;
	if (axis >= 0 && graph->tensors[operand].shape.dims[axis] > 1)
		cut_constant(removal, operand, axis, groups->of[out]);
}

/* A number in the result's shape is the channels', however many there are. */
static void cut_reshape(const struct removal *removal, struct graph_node *node)
{
	int out = node->outputs[0];
	const int *of = removal->groups->of[out];

	int axis = removal->groups->axes[out];

	if (of && node->reshape.dims[axis].axis == GRAPH_RESHAPE_NUMBER)
		node->reshape.dims[axis].numerator =
			count_left(removal, of, removal->groups->widths[out]);
}

static void cut_node(const struct removal *removal, int index)
{
	struct graph_node *node = &removal->graph->nodes[index];

	if (graph_op_is_linear(node->op)) {
		cut_linear(removal, index);
	} else if (graph_op_is_recurrent(node->op)) {
		cut_recurrent(removal, index);
	} else if (node->op == GRAPH_PRELU || node->op == GRAPH_AFFINE) {
		cut_channel_constants(removal, node);
	} else if (node->op == GRAPH_RESHAPE) {
		cut_reshape(removal, node);
	} else if (node->op == GRAPH_ADD || node->op == GRAPH_MULTIPLY) {
		cut_operand(removal, node->inputs[0], node->outputs[0]);
		cut_operand(removal, node->inputs[1], node->outputs[0]);
	}
}

/* What the graph itself says of the shapes of its tensors. */
static void cut_shape(const struct removal *removal, int tensor)
{
	const struct channel_groups *groups = removal->groups;
	struct graph_shape *shape = &removal->graph->tensors[tensor].shape;

	if (groups->of[tensor] && shape->dims[groups->axes[tensor]] >= 0)
		shape->dims[groups->axes[tensor]] = count_left(
			removal, groups->of[tensor], groups->widths[tensor]);
}

void channels_remove(const struct channel_groups *groups, const bool *dead,
		     struct graph *graph, struct prune_mask *mask)
{
	const struct removal removal = { groups, dead, graph, mask };

	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].output_count)
			cut_node(&removal, n);
	for (int t = 0; t < graph->tensor_count; t++)
		cut_shape(&removal, t);
}
