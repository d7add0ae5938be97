/* SPDX-License-Identifier: MIT */
/* What a weight costs on a device: for struct prune_budget. */
#ifndef COMPRESS_PRUNE_CYCLES_H
#define COMPRESS_PRUNE_CYCLES_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

/**
 * prune_cost_cycles() - cycles that each tensor's weights take
 * @graph: dense
 * @data: its first sample's sizes are run
 * @device: URI of a simulator; NULL: "sim:"
 * @sparsity: about what the network will have
 * @costs: result, for each tensor: cycles that a run is longer for one more of its
 *	weights; 1 for what no layer multiplies. A layer that waits for something
 *	else has weights for (nearly) nothing
 *
 * The network is run twice, with magnitudes pruned to @sparsity and then half way to
 * nothing: what a layer takes less the second time, it takes for its weights.
 *
 * Return: 0; −EINVAL for data that do not fit or a device that counts no cycles;
 * −ENOTSUP for a network that cannot be lowered; −ENOMEM; or what the device fails with.
 */
int prune_cost_cycles(const struct graph *graph,
		      const struct calibration_data *data, const char *device,
		      double sparsity, double *costs);

#endif
