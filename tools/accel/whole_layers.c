/* SPDX-License-Identifier: MIT */
#include "whole_layers.h"

#include <compress/structured.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>

static void tell(void *context, const char *layer, const char *reason)
{
	json_t *layers = context;

	fprintf(stderr, "%s keeps all its hidden units: %s\n", layer, reason);
	if (layers)
		json_array_append_new(layers,
				      json_pack("{s:s, s:s}", "node", layer,
						"reason", reason));
}

int whole_layers_tell(const struct graph *graph,
		      const struct prune_method *method,
		      const struct calibration_data *data, json_t **layers)
{
	json_t *all = layers ? json_array() : NULL;
	int ret = 0;

	if (layers && !all)
		return accel_error(-ENOMEM, "no memory for a record");
	if (method && method->shrinks && data && data->sample_count)
		ret = structured_whole(graph, data, tell, all);
	if (ret || !json_array_size(all)) {
		json_decref(all);
		all = NULL;
	}
	if (layers)
		*layers = all;
	return ret;
}
