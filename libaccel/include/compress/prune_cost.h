/* SPDX-License-Identifier: MIT */
/* What a weight costs: for struct prune_budget. */
#ifndef COMPRESS_PRUNE_COST_H
#define COMPRESS_PRUNE_COST_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

/*
 * costs: for each tensor, how often a run over the first sample multiplies one of its
 * weights; 1 for what no layer multiplies. 0, −EINVAL if the sample does not fit,
 * −ENOMEM.
 */
int prune_cost_macs(const struct graph *graph,
		    const struct calibration_data *data, double *costs);

#endif
