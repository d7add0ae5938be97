/* SPDX-License-Identifier: MIT */
/*
 * Channels of like size before quantization. All channels of a tensor share one scale,
 * and the largest of them decides how finely the others are rounded. A layer's row
 * times s and the columns that read it divided by s are the same network, also through
 * whatever is linear in between (Nagel et al., 2019, section 4.1); so channels grow or
 * shrink by the square root of what they are apart: the rest is left to the weights,
 * where it would be lost again.
 */
#ifndef COMPRESS_EQUALIZE_H
#define COMPRESS_EQUALIZE_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

struct compress_progress;

/**
 * graph_equalize() - scale channels between layers
 * @graph: its weights and biases change, its results only in their last bits
 * @data: that shows how large channels are
 * @progress: told of samples, or NULL
 *
 * Inputs, outputs, recorded quantizations, weights that several nodes share, and what
 * is next to an operator that is not homogeneous stay as they are.
 *
 * Return: 0; −EINVAL for data that do not fit; −ENOMEM, −EOVERFLOW.
 */
int graph_equalize(struct graph *graph, const struct calibration_data *data,
		   const struct compress_progress *progress);

#endif
