/* SPDX-License-Identifier: MIT */
#include <compress/channel_means.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

enum { CONV_CHANNEL_AXIS = 1 };

/* Where the columns of a node's matrix find their channels. */
static int channel_axis(const struct graph_node *node, int rank)
{
	if (node->op == GRAPH_CONV || node->op == GRAPH_CONV_TRANSPOSE)
		return CONV_CHANNEL_AXIS;
	return rank - 1;
}

/* The first reader says which axis it is; others that want another get none. */
static void want(struct channel_means *means, const struct graph *graph,
		 const struct graph_node *node, int tensor)
{
	struct channel_mean *mean = &means->of[tensor];

	if (mean->axis < 0)
		mean->axis =
			channel_axis(node, graph->tensors[tensor].shape.rank);
}

int channel_means_create(struct channel_means *means, const struct graph *graph)
{
	*means = (struct channel_means){
		.tensor_count = graph->tensor_count,
		.of = calloc((size_t)graph->tensor_count + 1,
			     sizeof(*means->of)),
	};
	if (!means->of)
		return accel_error(-ENOMEM, "no memory for %d means",
				   graph->tensor_count);
	for (int t = 0; t < graph->tensor_count; t++)
		means->of[t].axis = -1;
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool recurrent = graph_op_is_recurrent(node->op);

		if (!node->output_count ||
		    !(recurrent || graph_op_is_linear(node->op)))
			continue;
		want(means, graph, node, node->inputs[0]);
		if (recurrent && node->outputs[0] >= 0)
			want(means, graph, node, node->outputs[0]);
	}
	return 0;
}

int channel_means_add(struct channel_means *means, int tensor,
		      const struct graph_shape *shape, const float *values)
{
	struct channel_mean *mean = &means->of[tensor];
	int64_t outer = 1, inner = 1;

	if (mean->axis < 0)
		return 0;
	for (int i = 0; i < shape->rank; i++) {
		outer *= i < mean->axis ? shape->dims[i] : 1;
		inner *= i > mean->axis ? shape->dims[i] : 1;
	}
	mean->channels = shape->dims[mean->axis];
	if (!mean->mean)
		mean->mean =
			calloc((size_t)mean->channels + 1, sizeof(*mean->mean));
	if (!mean->mean)
		return accel_error(-ENOMEM, "no memory for the means");
	for (int64_t o = 0; o < outer; o++)
		for (int64_t c = 0; c < mean->channels; c++)
			for (int64_t i = 0; i < inner; i++)
				mean->mean[c] += (double)*values++;
	mean->count += (double)outer * (double)inner;
	return 0;
}

void channel_means_finish(struct channel_means *means)
{
	for (int t = 0; t < means->tensor_count; t++) {
		struct channel_mean *mean = &means->of[t];

		for (int64_t c = 0; mean->mean && c < mean->channels; c++)
			mean->mean[c] /= mean->count;
	}
}

const struct channel_mean *channel_means_get(const struct channel_means *means,
					     const struct graph *graph,
					     const struct graph_node *node,
					     int tensor)
{
	const struct channel_mean *mean;

	if (!means || tensor < 0)
		return NULL;
	mean = &means->of[tensor];
	if (!mean->mean ||
	    mean->axis != channel_axis(node, graph->tensors[tensor].shape.rank))
		return NULL;
	return mean;
}

void channel_means_release(struct channel_means *means)
{
	for (int t = 0; means->of && t < means->tensor_count; t++)
		free(means->of[t].mean);
	free(means->of);
	*means = (struct channel_means){ .of = NULL };
}
