// SPDX-License-Identifier: MIT
#include <compress/graph_walk.h>
#include <compress/layer_activity.h>
#include <compress/prune.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { X, WEIGHT, RECURRENCE };
enum { CONV_CHANNELS = 1 };

/**
 * struct watch - one call
 * @activity: result
 * @graph: that runs
 * @data: on this
 * @walk: node by node
 * @layer_of: of each tensor: the node whose neurons it shows, or −1
 */
struct watch {
	struct layer_activity *activity;
	const struct graph *graph;
	const struct calibration_data *data;
	struct graph_walk *walk;
	int *layer_of;
};

static bool is_layer(const struct graph_node *node)
{
	return graph_op_is_linear(node->op) || graph_op_is_recurrent(node->op);
}

/* ---- means ---- */

static int channel_axis(const struct graph_node *node, int rank)
{
	return node->op == GRAPH_CONV || node->op == GRAPH_CONV_TRANSPOSE ?
		       CONV_CHANNELS :
		       rank - 1;
}

/* @outer · @channels · @inner values of a sample */
struct plane {
	const float *values;
	int64_t outer, channels, inner;
};

static struct plane plane_of(const struct operator_value *value, int axis)
{
	const struct graph_shape *shape = value->shape;
	struct plane plane = { value->values, 1, shape->dims[axis], 1 };

	for (int i = 0; i < shape->rank; i++) {
		plane.outer *= i < axis ? shape->dims[i] : 1;
		plane.inner *= i > axis ? shape->dims[i] : 1;
	}
	return plane;
}

static void add_plane(const struct plane *plane, bool square, double *sums)
{
	const float *values = plane->values;

	for (int64_t o = 0; o < plane->outer; o++)
		for (int64_t c = 0; c < plane->channels; c++)
			for (int64_t i = 0; i < plane->inner; i++) {
				double value = (double)*values++;

				sums[c] += square ? value * value : fabs(value);
			}
}

/* The sequence of hidden states if @tensor is negative. */
static struct plane sample_plane(const struct watch *watch, int node,
				 int tensor, int sample)
{
	const struct graph_node *own = &watch->graph->nodes[node];
	struct operator_value value;
	int64_t width;

	if (tensor >= 0) {
		value = graph_walk_value(watch->walk, sample, tensor);
		return plane_of(&value, channel_axis(own, value.shape->rank));
	}
	value = graph_walk_value(watch->walk, sample, own->inputs[X]);
	width = own->recurrent.hidden *
		(own->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1);
	return (struct plane){ graph_walk_sequence(watch->walk, sample, node),
			       value.shape->dims[0] * value.shape->dims[1],
			       width, 1 };
}

/* @means: result, of each channel, for free() */
static int measure(const struct watch *watch, int node, int tensor, bool square,
		   double **means)
{
	double count = 0, sum = 0;
	int64_t channels = sample_plane(watch, node, tensor, 0).channels;

	free(*means);
	*means = calloc((size_t)channels + 1, sizeof(**means));
	if (!*means)
		return accel_error(-ENOMEM, "no memory to watch layers");
	for (int s = 0; s < watch->data->sample_count; s++) {
		struct plane plane = sample_plane(watch, node, tensor, s);

		add_plane(&plane, square, *means);
		count += (double)plane.outer * (double)plane.inner;
	}
	for (int64_t c = 0; c < channels; c++) {
		(*means)[c] /= count > 0 ? count : 1;
		sum += (*means)[c];
	}
	if (!isfinite(sum))
		return accel_error(
			-EINVAL,
			"%s: its values are not finite on the calibration data",
			watch->graph->nodes[node].name);
	return 0;
}

/* ---- layers ---- */

/* Several nodes may share a weight: the first one stands for them. */
static bool owns(const struct watch *watch, int node, int slot)
{
	const struct graph_node *own = &watch->graph->nodes[node];
	int found;

	return own->input_count > slot && own->inputs[slot] >= 0 &&
	       prune_weight_reader(watch->graph, own->inputs[slot], &found) ==
		       own &&
	       found == slot;
}

static int watch_inputs(const struct watch *watch, int node)
{
	const struct graph_node *own = &watch->graph->nodes[node];
	int ret = 0;

	if (owns(watch, node, WEIGHT))
		ret = measure(watch, node, own->inputs[X], true,
			      &watch->activity->inputs[own->inputs[WEIGHT]]);
	if (!ret && graph_op_is_recurrent(own->op) &&
	    owns(watch, node, RECURRENCE))
		ret = measure(
			watch, node, GRAPH_NO_TENSOR, true,
			&watch->activity->inputs[own->inputs[RECURRENCE]]);
	return ret;
}

/* @tensor: what shows the neurons of @node; negative: its hidden states */
static int watch_outputs(const struct watch *watch, int node, int tensor)
{
	const struct graph_node *own = &watch->graph->nodes[node];
	bool recurrent = graph_op_is_recurrent(own->op);
	int ret = 0;

	for (int slot = WEIGHT; slot <= (recurrent ? RECURRENCE : WEIGHT);
	     slot++)
		if (!ret && owns(watch, node, slot))
			ret = measure(
				watch, node, tensor, false,
				&watch->activity->outputs[own->inputs[slot]]);
	return ret;
}

static int watch_node(const struct watch *watch, int node)
{
	const struct graph_node *own = &watch->graph->nodes[node];
	int ret = graph_walk_run(watch->walk, node);

	if (!ret && is_layer(own))
		ret = watch_inputs(watch, node);
	if (!ret && graph_op_is_recurrent(own->op))
		ret = watch_outputs(watch, node, GRAPH_NO_TENSOR);
	for (int i = 0; i < own->output_count && !ret; i++)
		if (own->outputs[i] >= 0 &&
		    watch->layer_of[own->outputs[i]] >= 0)
			ret = watch_outputs(watch,
					    watch->layer_of[own->outputs[i]],
					    own->outputs[i]);
	graph_walk_leave(watch->walk, node);
	return ret;
}

static bool is_activation(enum graph_op op)
{
	return op >= GRAPH_RELU && op <= GRAPH_GELU;
}

/* Where a layer's neurons show: behind the activation, if nothing else reads them. */
static void find_outputs(struct watch *watch)
{
	const struct graph *graph = watch->graph;

	for (int t = 0; t < graph->tensor_count; t++) {
		int producer = graph->tensors[t].producer;

		watch->layer_of[t] =
			producer >= 0 && graph_op_is_linear(
						 graph->nodes[producer].op) ?
				producer :
				-1;
	}
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		int from = node->inputs[X];

		if (!is_activation(node->op) || watch->layer_of[from] < 0 ||
		    graph_tensor_use_count(graph, from) != 1)
			continue;
		watch->layer_of[node->outputs[0]] = watch->layer_of[from];
		watch->layer_of[from] = -1;
	}
}

int layer_activity_measure(struct layer_activity *activity,
			   const struct graph *graph,
			   const struct calibration_data *data, int workers)
{
	size_t count = (size_t)graph->tensor_count + 1;
	struct watch watch = {
		.activity = activity,
		.graph = graph,
		.data = data,
		.layer_of = calloc(count, sizeof(*watch.layer_of)),
	};
	int ret = 0;

	*activity = (struct layer_activity){
		.inputs = calloc(count, sizeof(*activity->inputs)),
		.outputs = calloc(count, sizeof(*activity->outputs)),
		.tensor_count = graph->tensor_count,
	};
	if (!watch.layer_of || !activity->inputs || !activity->outputs)
		ret = accel_error(-ENOMEM, "no memory to watch layers");
	if (!ret)
		ret = graph_walk_create(&watch.walk, graph, data, workers);
	if (!ret)
		find_outputs(&watch);
	for (int n = 0; n < graph->node_count && !ret; n++)
		ret = watch_node(&watch, n);
	graph_walk_destroy(watch.walk);
	free(watch.layer_of);
	if (ret)
		layer_activity_release(activity);
	return ret;
}

void layer_activity_release(struct layer_activity *activity)
{
	for (int t = 0; t < activity->tensor_count; t++) {
		if (activity->inputs)
			free(activity->inputs[t]);
		if (activity->outputs)
			free(activity->outputs[t]);
	}
	free(activity->inputs);
	free(activity->outputs);
	*activity = (struct layer_activity){ .inputs = NULL };
}
