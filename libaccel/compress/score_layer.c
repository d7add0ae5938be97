// SPDX-License-Identifier: MIT
#include <compress/layer_activity.h>
#include <compress/score_layer.h>
#include <compress/weight_layout.h>

#include <float.h>
#include <math.h>

/* Scores, times @scale; @scores may be NULL. The largest, without the scale. */
static double obd_tensor(const struct graph *graph, int tensor,
			 const double *inputs, double scale, float *scores)
{
	struct weight_layout layout = weight_layout_find(graph, tensor);
	int64_t count = graph_shape_count(&graph->tensors[tensor].shape);
	double most = 0;

	for (int64_t i = 0; i < count; i++) {
		double weight = (double)graph->tensors[tensor].data[i];
		double score = weight * weight *
			       inputs[weight_layout_channel(&layout, i)];

		most = fmax(most, score);
		if (scores)
			scores[i] = (float)(score * scale);
	}
	return most;
}

int score_obd(const struct prune_method_context *context, float **scores)
{
	const struct graph *graph = context->graph;
	struct layer_activity activity;
	int ret = layer_activity_measure(&activity, graph, context->data,
					 context->workers);
	double most = 0, scale;

	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (scores[t])
			most = fmax(most,
				    obd_tensor(graph, t, activity.inputs[t], 1,
					       NULL));
	/* squares of large values are no floats any more, and all would be equal */
	scale = most > (double)FLT_MAX ? (double)FLT_MAX / most : 1;
	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (scores[t])
			obd_tensor(graph, t, activity.inputs[t], scale,
				   scores[t]);
	layer_activity_release(&activity);
	return ret;
}

static void activation_tensor(const struct graph *graph, int tensor,
			      const double *outputs, float *scores)
{
	struct weight_layout layout = weight_layout_find(graph, tensor);
	int64_t count = graph_shape_count(&graph->tensors[tensor].shape);
	double sum = 0;

	for (int64_t i = 0; i < count; i++)
		sum += outputs[weight_layout_neuron(&layout, i)];
	for (int64_t i = 0; i < count; i++)
		scores[i] = sum > 0 ? (float)(outputs[weight_layout_neuron(
						      &layout, i)] /
					      sum * (double)count) :
				      0;
}

int score_activation(const struct prune_method_context *context, float **scores)
{
	const struct graph *graph = context->graph;
	struct layer_activity activity;
	int ret = layer_activity_measure(&activity, graph, context->data,
					 context->workers);

	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (scores[t])
			activation_tensor(graph, t, activity.outputs[t],
					  scores[t]);
	layer_activity_release(&activity);
	return ret;
}
