/* SPDX-License-Identifier: MIT */
/*
 * What goes into each layer and what comes out of it, on average: for scores that look
 * at a layer alone.
 */
#ifndef COMPRESS_LAYER_ACTIVITY_H
#define COMPRESS_LAYER_ACTIVITY_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

/**
 * struct layer_activity - of each tensor of a graph; NULL for no prunable weight
 * @inputs: mean square of each channel that weight_layout_channel() names
 * @outputs: mean magnitude of each neuron that weight_layout_neuron() names, behind the
 *	activation where one follows at once
 * @tensor_count: of the graph
 */
struct layer_activity {
	double **inputs;
	double **outputs;
	int tensor_count;
};

/* Added up in the data's order. 0, −ENOMEM, −EINVAL for what is not finite. */
int layer_activity_measure(struct layer_activity *activity,
			   const struct graph *graph,
			   const struct calibration_data *data, int workers);

void layer_activity_release(struct layer_activity *activity);

#endif
