/* SPDX-License-Identifier: MIT */
#include "whole_layers.h"

#include <compress/structured.h>

#include <stdio.h>

static void print(const char *layer, const char *reason)
{
	fprintf(stderr, "%s keeps all its hidden units: %s\n", layer, reason);
}

int whole_layers_print(const struct graph *graph,
		       const struct prune_method *method,
		       const struct calibration_data *data)
{
	if (!method || !method->shrinks || !data || !data->sample_count)
		return 0;
	return structured_whole(graph, data, print);
}
