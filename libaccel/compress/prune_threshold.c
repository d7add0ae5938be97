/* SPDX-License-Identifier: MIT */
#include <compress/prune_threshold.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int prune_threshold_parse(const char *text, struct prune_threshold *threshold)
{
	char *end;

	threshold->value = strtod(text, &end);
	threshold->deviations = !strcmp(end, ":std");
	if (end != text && (!*end || threshold->deviations) &&
	    isfinite(threshold->value) && threshold->value > 0)
		return 0;
	return accel_error(
		-EINVAL,
		"%s: it takes a magnitude above 0, such as 0.02, or 0.8:std in standard deviations of each layer",
		text);
}

/* Around the mean, of all weights of the layer, in double. */
static double standard_deviation(const float *weights, int64_t count)
{
	double sum = 0, squares = 0;

	for (int64_t i = 0; i < count; i++)
		sum += weights[i];
	for (int64_t i = 0; i < count; i++) {
		double distance = weights[i] - sum / (double)count;

		squares += distance * distance;
	}
	return sqrt(squares / (double)count);
}

static int layer_is_empty(const struct graph *graph, int tensor, double limit,
			  double largest)
{
	int slot;

	return accel_error(
		-EINVAL,
		"%s: all weights of %s are pruned by a threshold of %g; its largest is %g: ask for less",
		prune_weight_reader(graph, tensor, &slot)->name,
		graph->tensors[tensor].name, limit, largest);
}

static int select_layer(const struct graph *graph, int tensor,
			const struct prune_threshold *threshold, uint8_t *keep)
{
	const float *weights = graph->tensors[tensor].data;
	int64_t count = graph_shape_count(&graph->tensors[tensor].shape);
	double limit = threshold->value, largest = 0;
	bool any = false;

	if (threshold->deviations)
		limit *= standard_deviation(weights, count);
	for (int64_t i = 0; i < count; i++) {
		double magnitude = fabs((double)weights[i]);

		keep[i] = keep[i] && magnitude > limit;
		any |= keep[i];
		largest = fmax(largest, magnitude);
	}
	return any ? 0 : layer_is_empty(graph, tensor, limit, largest);
}

int prune_threshold_select(const struct graph *graph,
			   const struct prune_threshold *threshold,
			   struct prune_mask *mask)
{
	int ret = 0;

	for (int t = 0; t < mask->tensor_count && !ret; t++)
		if (mask->keep[t])
			ret = select_layer(graph, t, threshold, mask->keep[t]);
	return ret;
}
