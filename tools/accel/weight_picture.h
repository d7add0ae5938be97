/* SPDX-License-Identifier: MIT */
/* The weights of a compressed layer, to be looked at beside the dense ones. */
#ifndef TOOL_WEIGHT_PICTURE_H
#define TOOL_WEIGHT_PICTURE_H

#include <compress/graph.h>
#include <model/model.h>

#include <stddef.h>
#include <stdint.h>

#define WEIGHT_BINS 41
#define WEIGHT_CELLS 32

/**
 * struct weight_picture - of one layer
 * @limit: histograms go from -limit to limit
 * @dense: weights of the dense network in each bin
 * @kept: weights that stay, as they are multiplied
 * @energy: sum of squares of those that stay, by that of the dense ones
 * @filled: kept part of each cell of the matrix, rows downwards, 0 … 1
 * @rows: of cells, at most as many as the matrix has
 * @columns: of cells
 */
struct weight_picture {
	double limit;
	uint64_t dense[WEIGHT_BINS];
	uint64_t kept[WEIGHT_BINS];
	double energy;
	double filled[WEIGHT_CELLS][WEIGHT_CELLS];
	uint32_t rows;
	uint32_t columns;
};

/*
 * dense: the network as it was imported; layers go by their nodes' names. False for a
 * layer without weights, or of another network.
 */
bool weight_picture_take(struct weight_picture *picture,
			 const struct graph *dense,
			 const struct model_layer *layer);

#endif
