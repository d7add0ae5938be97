/* SPDX-License-Identifier: MIT */
/* What weights are before training. */
#include <train/network_layer.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 96

static const char *const rectifiers[] = {
	"relu", "leaky_relu", "prelu",	  "elu",      "silu",
	"gelu", "hard_swish", "softplus", "max_pool", NULL,
};

static bool is_rectifier(const char *layer)
{
	for (const char *const *r = rectifiers; *r; r++)
		if (!strcmp(layer, *r))
			return true;
	return false;
}

static double deviation(const struct network_layer *layer,
			struct network_fan fan)
{
	const json_t *given = json_object_get(layer->json, "init");

	if (json_is_number(given))
		return json_number_value(given);
	if (is_rectifier(layer->next))
		return sqrt(2.0 / (double)fan.in);
	return sqrt(2.0 / (double)(fan.in + fan.out));
}

static int add_zeros(const struct network_layer *layer, const char *suffix,
		     const struct graph_shape *shape)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.%s", layer->name, suffix);
	return graph_add_constant(layer->network->graph, name, shape, NULL);
}

int network_add_weight(const struct network_layer *layer, const char *suffix,
		       const struct graph_shape *shape, struct network_fan fan)
{
	int tensor = add_zeros(layer, suffix, shape);
	int64_t count = graph_shape_count(shape);
	double scale = deviation(layer, fan);
	float *values;

	if (tensor < 0)
		return tensor;
	values = layer->network->graph->tensors[tensor].data;
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)(scale *
				    sample_normal(&layer->network->generator));
	return tensor;
}

int network_add_uniform(const struct network_layer *layer, const char *suffix,
			const struct graph_shape *shape, float limit)
{
	int tensor = add_zeros(layer, suffix, shape);
	int64_t count = graph_shape_count(shape);
	float *values;

	if (tensor < 0)
		return tensor;
	values = layer->network->graph->tensors[tensor].data;
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)(limit *
				    (2 * sample_uniform(
						 &layer->network->generator) -
				     1));
	return tensor;
}

int network_add_vector(const struct network_layer *layer, const char *suffix,
		       int64_t count, float value)
{
	const struct graph_shape shape = { .rank = 1, .dims = { count } };
	int tensor = add_zeros(layer, suffix, &shape);

	for (int64_t i = 0; i < count && tensor >= 0; i++)
		layer->network->graph->tensors[tensor].data[i] = value;
	return tensor;
}
