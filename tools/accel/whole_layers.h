/* SPDX-License-Identifier: MIT */
/* Layers that a narrower network keeps as they are, said to who waits for it. */
#ifndef WHOLE_LAYERS_H
#define WHOLE_LAYERS_H

#include <jansson.h>

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/prune_method.h>

/*
 * A line for each; none of methods that take nothing out. @layers: if not NULL, an array of
 * their nodes and reasons, for json_decref(), or NULL if there are none. 0, −EINVAL or
 * −ENOMEM.
 */
int whole_layers_tell(const struct graph *graph,
		      const struct prune_method *method,
		      const struct calibration_data *data, json_t **layers);

#endif
