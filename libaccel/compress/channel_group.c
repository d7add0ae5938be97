/* SPDX-License-Identifier: MIT */
#include <compress/channel_group.h>

#include <compress/hidden_units.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { X, WEIGHT, BIAS };
enum { RECURRENCE = 2, STATE = 4 };
enum { CHANNELS = 1 };
/* Of y [T,N,D·H] as of the states [D,N,H]. */
enum { UNITS = 2 };

/* While they are being found, groups are numbers of a forest; this one is the fixed. */
#define ROOT_FIXED 0

/**
 * struct search - one call
 * @groups: result; its numbers are nodes of the forest until the end
 * @graph: that is searched
 * @shapes: of each tensor
 * @parents: the forest: of each node one that is no greater
 * @used: nodes of it
 * @capacity: of @parents
 * @failed: no memory
 */
struct search {
	struct channel_groups *groups;
	const struct graph *graph;
	struct graph_shape *shapes;
	int *parents;
	int used;
	int capacity;
	bool failed;
};

/* ---- the forest ---- */

static int find_root(struct search *search, int group)
{
	while (search->parents[group] != group) {
		search->parents[group] =
			search->parents[search->parents[group]];
		group = search->parents[group];
	}
	return group;
}

/* The lower number stays, so that what meets a fixed one is fixed. */
static void join(struct search *search, int a, int b)
{
	a = find_root(search, a);
	b = find_root(search, b);
	if (a < b)
		search->parents[b] = a;
	else
		search->parents[a] = b;
}

static int new_group(struct search *search)
{
	if (search->used == search->capacity) {
		int capacity = search->capacity ? 2 * search->capacity : 1024;
		int *parents = reallocarray(search->parents, (size_t)capacity,
					    sizeof(*parents));

		if (!parents) {
			search->failed = true;
			return ROOT_FIXED;
		}
		search->parents = parents;
		search->capacity = capacity;
	}
	search->parents[search->used] = search->used;
	return search->used++;
}

/* ---- tensors ---- */

static int *channels_of(const struct search *search, int tensor)
{
	return search->groups->of[tensor];
}

/* Channels without groups yet, along an axis; NULL without memory. */
static int *open_channels(struct search *search, int tensor, int axis)
{
	int64_t width = search->shapes[tensor].dims[axis];
	int *of = calloc((size_t)width + 1, sizeof(*of));

	search->groups->of[tensor] = of;
	search->groups->axes[tensor] = axis;
	search->groups->widths[tensor] = width;
	search->failed |= !of;
	return of;
}

static void open_new(struct search *search, int tensor, int axis)
{
	int *of = open_channels(search, tensor, axis);

	for (int64_t i = 0; of && i < search->groups->widths[tensor]; i++)
		of[i] = new_group(search);
}

static void fix(struct search *search, int tensor)
{
	const int *of = tensor == GRAPH_NO_TENSOR ? NULL :
						    channels_of(search, tensor);

	for (int64_t i = 0; of && i < search->groups->widths[tensor]; i++)
		join(search, of[i], ROOT_FIXED);
}

static void fix_inputs(struct search *search, const struct graph_node *node)
{
	for (int i = 0; i < node->input_count; i++)
		fix(search, node->inputs[i]);
}

/* The same channels, perhaps along another axis. */
static void pass(struct search *search, int from, int to, int axis)
{
	const int *source = channels_of(search, from);
	int *of;

	if (!source)
		return;
	if (search->shapes[to].dims[axis] != search->groups->widths[from]) {
		fix(search, from);
		return;
	}
	of = open_channels(search, to, axis);
	if (of)
		memcpy(of, source,
		       (size_t)search->groups->widths[from] * sizeof(*of));
}

/* Do the channels of a tensor lie along this axis, if it has any that may go? */
static bool lies_along(const struct search *search, int tensor, int axis)
{
	return !channels_of(search, tensor) ||
	       search->groups->axes[tensor] == axis;
}

/* ---- layers ---- */

bool channel_is_depthwise(const struct graph *graph,
			  const struct graph_node *node)
{
	const struct graph_shape *weight =
		&graph->tensors[node->inputs[WEIGHT]].shape;

	return (node->op == GRAPH_CONV || node->op == GRAPH_CONV_TRANSPOSE) &&
	       node->conv.group > 1 && weight->dims[0] == node->conv.group &&
	       weight->dims[1] == 1;
}

bool channel_owns(const struct graph *graph, const struct graph_node *node,
		  int slot)
{
	return slot >= node->input_count ||
	       node->inputs[slot] == GRAPH_NO_TENSOR ||
	       (graph_tensor_use_count(graph, node->inputs[slot]) == 1 &&
		!graph->tensors[node->inputs[slot]].quantization);
}

static void visit_linear(struct search *search, const struct graph_node *node)
{
	const struct graph *graph = search->graph;
	int out = node->outputs[0], x = node->inputs[X];
	bool gemm = node->op == GRAPH_GEMM;
	int axis = gemm ? search->shapes[x].rank - 1 : CHANNELS;
	bool depthwise = channel_is_depthwise(graph, node);

	if (node->structural || !channel_owns(graph, node, WEIGHT) ||
	    !channel_owns(graph, node, BIAS) || !lies_along(search, x, axis) ||
	    (!gemm && node->conv.group > 1 && !depthwise)) {
		fix(search, x);
		return;
	}
	if (depthwise)
		pass(search, x, out, axis);
	else
		open_new(search, out,
			 gemm ? search->shapes[out].rank - 1 : axis);
}

static int64_t directions_of(const struct graph_node *node)
{
	return node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
}

/* Both directions have one width: unit i of one and unit i of the other go together. */
static int *open_units(struct search *search, const struct graph_node *node)
{
	int64_t hidden = node->recurrent.hidden;
	int64_t count = directions_of(node) * hidden;
	int *units = calloc((size_t)count + 1, sizeof(*units));

	search->groups->units[node - search->graph->nodes] = units;
	search->failed |= !units;
	for (int64_t i = 0; units && i < count; i++)
		units[i] = i < hidden ? new_group(search) : units[i - hidden];
	return units;
}

/* In all steps, and in the last states, which have the directions apart. */
static void visit_units(struct search *search, const struct graph_node *node)
{
	const int *units = open_units(search, node);

	for (int i = 0; units && i < node->output_count; i++) {
		int *of =
			node->outputs[i] == GRAPH_NO_TENSOR ?
				NULL :
				open_channels(search, node->outputs[i], UNITS);

		if (of)
			memcpy(of, units,
			       (size_t)search->groups->widths[node->outputs[i]] *
				       sizeof(*of));
	}
}

static void visit_recurrent(struct search *search,
			    const struct graph_node *node)
{
	if (!channel_owns(search->graph, node, WEIGHT) ||
	    !lies_along(search, node->inputs[X],
			search->shapes[node->inputs[X]].rank - 1))
		fix(search, node->inputs[X]);
	for (int i = STATE; i < node->input_count; i++)
		fix(search, node->inputs[i]);
	if (!hidden_units_obstacle(search->graph, node))
		visit_units(search, node);
}

/* ---- element by element ---- */

/* Functions of one element, and what works on each channel alone. */
static void visit_channelwise(struct search *search,
			      const struct graph_node *node)
{
	int x = node->inputs[X];
	bool spatial = node->op == GRAPH_RESIZE_NEAREST ||
		       node->op == GRAPH_MAX_POOL ||
		       node->op == GRAPH_AVERAGE_POOL ||
		       node->op == GRAPH_GLOBAL_AVERAGE_POOL;

	if (spatial && !lies_along(search, x, CHANNELS))
		fix(search, x);
	else
		pass(search, x, node->outputs[0], search->groups->axes[x]);
}

/* PRelu and Affine have a constant for each channel, or one for all. */
static void visit_channel_constants(struct search *search,
				    const struct graph_node *node)
{
	int x = node->inputs[X];

	for (int i = 1; i < node->input_count; i++)
		if (!channel_owns(search->graph, node, i))
			fix(search, x);
	pass(search, x, node->outputs[0], search->groups->axes[x]);
}

/* The axis of an operand that meets @axis of the result; negative: it has none. */
static int operand_axis(const struct search *search, int operand, int out,
			int axis)
{
	return axis - search->shapes[out].rank + search->shapes[operand].rank;
}

/* Does an operand repeat itself along an axis of the result? */
static bool repeats(const struct search *search, int operand, int out, int axis)
{
	int own = operand_axis(search, operand, out, axis);

	return own < 0 || search->shapes[operand].dims[own] !=
				  search->shapes[out].dims[axis];
}

static void visit_with_constant(struct search *search,
				const struct graph_node *node, int x,
				int constant, int slot)
{
	int out = node->outputs[0];
	int axis = search->groups->axes[x];

	if (!channels_of(search, x))
		return;
	if (search->shapes[x].rank != search->shapes[out].rank ||
	    (!repeats(search, constant, out, axis) &&
	     !channel_owns(search->graph, node, slot)))
		fix(search, x);
	pass(search, x, out, axis);
}

static void visit_pair(struct search *search, const struct graph_node *node)
{
	int a = node->inputs[0], b = node->inputs[1], out = node->outputs[0];
	int rank = search->shapes[out].rank;
	const int *first = channels_of(search, a);
	const int *second = channels_of(search, b);

	if (!first || !second ||
	    search->groups->axes[a] != search->groups->axes[b] ||
	    search->shapes[a].rank != rank || search->shapes[b].rank != rank ||
	    search->groups->widths[a] != search->groups->widths[b]) {
		fix_inputs(search, node);
		return;
	}
	for (int64_t i = 0; i < search->groups->widths[a]; i++)
		join(search, first[i], second[i]);
	pass(search, a, out, search->groups->axes[a]);
}

static void visit_arithmetic(struct search *search,
			     const struct graph_node *node)
{
	int a = node->inputs[0], b = node->inputs[1];

	if (graph_tensor_is_constant(search->graph, b))
		visit_with_constant(search, node, a, b, 1);
	else if (graph_tensor_is_constant(search->graph, a))
		visit_with_constant(search, node, b, a, 0);
	else
		visit_pair(search, node);
}

/* ---- layout ---- */

static void append_channels(struct search *search,
			    const struct graph_node *node, int axis)
{
	int *of = open_channels(search, node->outputs[0], axis);

	for (int i = 0; of && i < node->input_count; i++) {
		const int *source = channels_of(search, node->inputs[i]);
		int64_t width = search->shapes[node->inputs[i]].dims[axis];

		for (int64_t c = 0; c < width; c++)
			*of++ = source ? source[c] : ROOT_FIXED;
	}
}

static void visit_concat(struct search *search, const struct graph_node *node)
{
	bool along = true, open = false;

	for (int i = 0; i < node->input_count; i++) {
		along &= lies_along(search, node->inputs[i], node->axis);
		open |= channels_of(search, node->inputs[i]) != NULL;
	}
	if (!along)
		fix_inputs(search, node);
	else if (open)
		append_channels(search, node, node->axis);
}

static void visit_slice(struct search *search, const struct graph_node *node)
{
	int x = node->inputs[X];

	if (lies_along(search, x, node->slice.axis))
		fix(search, x);
	else
		pass(search, x, node->outputs[0], search->groups->axes[x]);
}

static void visit_pad(struct search *search, const struct graph_node *node)
{
	int x = node->inputs[X];
	int axis = search->groups->axes[x];

	if (node->pad.before[axis] || node->pad.after[axis])
		fix(search, x);
	else
		pass(search, x, node->outputs[0], axis);
}

static void visit_transpose(struct search *search,
			    const struct graph_node *node)
{
	int x = node->inputs[X];

	for (int i = 0; i < search->shapes[x].rank; i++)
		if (node->transpose.perm[i] == search->groups->axes[x])
			pass(search, x, node->outputs[0], i);
}

static void visit_depth_to_space(struct search *search,
				 const struct graph_node *node)
{
	int x = node->inputs[X], out = node->outputs[0];
	int64_t square =
		node->depth_to_space.block * node->depth_to_space.block;
	const int *source = channels_of(search, x);
	int64_t count;
	int *of;

	if (!source || !lies_along(search, x, CHANNELS)) {
		fix(search, x);
		return;
	}
	open_new(search, out, CHANNELS);
	of = channels_of(search, out);
	count = search->groups->widths[out];
	for (int64_t c = 0; of && c < count; c++)
		for (int64_t k = 0; k < square; k++)
			join(search, of[c],
			     source[node->depth_to_space.crd ? c * square + k :
							       k * count + c]);
}

/* Product of the dimensions from one axis to before another. */
static int64_t extent(const struct graph_shape *shape, int from, int to)
{
	int64_t product = 1;

	for (int i = from; i < to; i++)
		product *= shape->dims[i];
	return product;
}

/*
 * Flattening, or its opposite: the batch stays the first axis, and no other dimension of
 * the result is reckoned from the channels.
 */
static bool keeps_channels(const struct search *search,
			   const struct graph_node *node)
{
	const struct graph_shape *from = &search->shapes[node->inputs[X]];
	const struct graph_shape *to = &search->shapes[node->outputs[0]];
	const struct graph_reshape_dim *dims = node->reshape.dims;

	if (!lies_along(search, node->inputs[X], CHANNELS) || from->rank < 2 ||
	    to->rank < 2 || from->dims[0] != to->dims[0] ||
	    dims[CHANNELS].axis == 0 || dims[CHANNELS].axis > CHANNELS)
		return false;
	for (int i = 0; i < to->rank; i++)
		if (i != CHANNELS && dims[i].axis == CHANNELS)
			return false;
	return true;
}

/*
 * Steps and batch become one axis, or a state loses that of its directions: channels are
 * still the last axis, which is as long as it was and nothing else is reckoned from.
 */
static bool keeps_last(const struct search *search,
		       const struct graph_node *node)
{
	const struct graph_shape *from = &search->shapes[node->inputs[X]];
	const struct graph_shape *to = &search->shapes[node->outputs[0]];
	const struct graph_reshape_dim *dims = node->reshape.dims;
	int last = from->rank - 1, end = to->rank - 1;

	if (from->rank < 2 || to->rank < 2 ||
	    !lies_along(search, node->inputs[X], last) ||
	    from->dims[last] != to->dims[end])
		return false;
	for (int i = 0; i < end; i++)
		if (dims[i].axis == last)
			return false;
	return dims[end].axis < 0 || dims[end].axis == last;
}

static void visit_reshape(struct search *search, const struct graph_node *node)
{
	int x = node->inputs[X], out = node->outputs[0];
	const struct graph_shape *from = &search->shapes[x];
	const struct graph_shape *to = &search->shapes[out];
	const int *source = channels_of(search, x);
	int64_t inner, outer_inner;
	int *of;

	if (source && keeps_last(search, node)) {
		pass(search, x, out, to->rank - 1);
		return;
	}
	if (!source || !keeps_channels(search, node)) {
		fix(search, x);
		return;
	}
	inner = extent(from, CHANNELS + 1, from->rank);
	outer_inner = extent(to, CHANNELS + 1, to->rank);
	open_new(search, out, CHANNELS);
	of = channels_of(search, out);
	for (int64_t i = 0; of && i < inner * from->dims[CHANNELS]; i++)
		join(search, source[i / inner], of[i / outer_inner]);
}

/* ---- all of it ---- */

static void visit_layout(struct search *search, const struct graph_node *node)
{
	switch (node->op) {
	case GRAPH_CONCAT:
		visit_concat(search, node);
		break;
	case GRAPH_SLICE:
		visit_slice(search, node);
		break;
	case GRAPH_PAD:
		visit_pad(search, node);
		break;
	case GRAPH_RESHAPE:
		visit_reshape(search, node);
		break;
	case GRAPH_TRANSPOSE:
		visit_transpose(search, node);
		break;
	case GRAPH_DEPTH_TO_SPACE:
		visit_depth_to_space(search, node);
		break;
	default:
		visit_channelwise(search, node);
	}
}

static void visit(struct search *search, const struct graph_node *node)
{
	if (graph_op_is_linear(node->op))
		visit_linear(search, node);
	else if (graph_op_is_recurrent(node->op))
		visit_recurrent(search, node);
	else if (node->op == GRAPH_ADD || node->op == GRAPH_MULTIPLY)
		visit_arithmetic(search, node);
	else if (node->op == GRAPH_PRELU || node->op == GRAPH_AFFINE)
		visit_channel_constants(search, node);
	else
		visit_layout(search, node);
}

static void number(struct search *search, const int *numbers, int *of,
		   int64_t width)
{
	for (int64_t i = 0; of && i < width; i++)
		of[i] = numbers[find_root(search, of[i])];
}

/* From nodes of the forest to numbers without gaps. */
static int number_groups(struct search *search)
{
	struct channel_groups *groups = search->groups;
	int *numbers = calloc((size_t)search->used, sizeof(*numbers));

	if (!numbers)
		return -ENOMEM;
	for (int i = 0; i < search->used; i++)
		numbers[i] = i == ROOT_FIXED	     ? CHANNEL_FIXED :
			     search->parents[i] == i ? groups->count++ :
						       CHANNEL_FIXED;
	for (int t = 0; t < groups->tensor_count; t++)
		number(search, numbers, groups->of[t], groups->widths[t]);
	for (int n = 0; n < groups->node_count; n++)
		if (groups->units[n])
			number(search, numbers, groups->units[n],
			       directions_of(&search->graph->nodes[n]) *
				       search->graph->nodes[n].recurrent.hidden);
	free(numbers);
	return 0;
}

static int search_graph(struct search *search, const struct graph_shape *inputs)
{
	const struct graph *graph = search->graph;
	int ret = graph_infer_shapes(graph, inputs, search->shapes);

	if (ret)
		return ret;
	new_group(search);
	for (int n = 0; n < graph->node_count && !search->failed; n++)
		if (graph->nodes[n].output_count)
			visit(search, &graph->nodes[n]);
	if (search->failed)
		return -ENOMEM;
	for (int i = 0; i < graph->output_count; i++)
		fix(search, graph->outputs[i]);
	return number_groups(search);
}

int channel_groups_find(struct channel_groups *groups,
			const struct graph *graph,
			const struct graph_shape *inputs)
{
	size_t count = (size_t)graph->tensor_count + 1;
	struct search search = {
		.groups = groups,
		.graph = graph,
		.shapes = calloc(count, sizeof(*search.shapes)),
	};
	int ret = -ENOMEM;

	*groups = (struct channel_groups){
		.of = calloc(count, sizeof(*groups->of)),
		.axes = calloc(count, sizeof(*groups->axes)),
		.widths = calloc(count, sizeof(*groups->widths)),
		.units = calloc((size_t)graph->node_count + 1,
				sizeof(*groups->units)),
		.tensor_count = graph->tensor_count,
		.node_count = graph->node_count,
	};
	if (search.shapes && groups->of && groups->axes && groups->widths &&
	    groups->units)
		ret = search_graph(&search, inputs);
	if (ret == -ENOMEM)
		accel_error(ret, "no memory to look for channels");
	if (ret)
		channel_groups_release(groups);
	free(search.shapes);
	free(search.parents);
	return ret;
}

void channel_groups_release(struct channel_groups *groups)
{
	for (int t = 0; groups->of && t < groups->tensor_count; t++)
		free(groups->of[t]);
	for (int n = 0; groups->units && n < groups->node_count; n++)
		free(groups->units[n]);
	free(groups->units);
	free(groups->of);
	free(groups->axes);
	free(groups->widths);
	*groups = (struct channel_groups){ .of = NULL };
}

static struct channel_sides recurrent_sides(const struct channel_groups *groups,
					    const struct graph_node *node,
					    int index, int slot)
{
	struct channel_sides sides = {
		.rows = groups->units[index],
		.row_count = directions_of(node) * node->recurrent.hidden,
		.gates = node->op == GRAPH_LSTM ? 4 : 3,
	};

	if (slot == RECURRENCE) {
		sides.columns = groups->units[index];
		sides.column_count = node->recurrent.hidden;
	} else {
		sides.columns = groups->of[node->inputs[X]];
		sides.column_count = groups->widths[node->inputs[X]];
	}
	return sides;
}

struct channel_sides channel_groups_sides(const struct channel_groups *groups,
					  const struct graph *graph, int node,
					  int slot)
{
	const struct graph_node *own = &graph->nodes[node];

	if (graph_op_is_recurrent(own->op))
		return recurrent_sides(groups, own, node, slot);
	return (struct channel_sides){
		.rows = groups->of[own->outputs[0]],
		.columns = channel_is_depthwise(graph, own) ?
				   NULL :
				   groups->of[own->inputs[X]],
		.row_count = groups->widths[own->outputs[0]],
		.column_count = groups->widths[own->inputs[X]],
		.gates = 1,
	};
}
