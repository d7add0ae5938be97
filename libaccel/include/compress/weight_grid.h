/* SPDX-License-Identifier: MIT */
/*
 * Weights that are whole multiples of a step before the layer is lowered: the step of
 * each row is recorded with the tensor, as that of a file which comes quantized, and
 * lowering heeds it.
 */
#ifndef COMPRESS_WEIGHT_GRID_H
#define COMPRESS_WEIGHT_GRID_H

#include <compress/graph.h>
#include <compress/layer_problem.h>
#include <compress/prune.h>
#include <compress/weight_format.h>

/**
 * weight_grid_open() - records for all layers that may have one
 * @graph: its tensors get records, whose steps are yet to be found
 * @mask: of @graph
 * @formats: for each tensor of @graph
 * @opened: for each tensor of @graph: is it wanted? Result: has it got one?
 *
 * Without one are recurrent layers of two directions, grouped transposed convolutions, weights
 * that several nodes share or that come as integers, and formats other than integers with a
 * step for each row or tensor; with a step for the tensor, all recurrent layers and grouped
 * convolutions, whose rows are several problems. A recurrent layer has both its grids or
 * none.
 *
 * Return: 0 or −ENOMEM.
 */
int weight_grid_open(struct graph *graph, const struct prune_mask *mask,
		     const struct weight_format *formats, bool *opened);

/**
 * weight_grid_fit() - the steps of a problem's rows
 * @graph: with records for the problem's tensors
 * @formats: for each tensor of @graph
 * @problem: the grids are for those of its values that it keeps
 * @grids: one for each of its parts; the steps lie in the records
 *
 * Return: 0 or −ENOMEM.
 */
int weight_grid_fit(const struct graph *graph,
		    const struct weight_format *formats,
		    const struct layer_problem *problem,
		    struct column_grid grids[COLUMN_GRIDS_MAX]);

/**
 * weight_grid_round() - each weight to the nearest code
 * @graph: whose weights change; their records get steps
 * @formats: for each tensor of @graph
 * @opened: from weight_grid_open()
 *
 * Return: 0 or −ENOMEM.
 */
int weight_grid_round(struct graph *graph, const struct weight_format *formats,
		      const bool *opened);

#endif
