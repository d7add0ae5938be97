/* SPDX-License-Identifier: MIT */
/* Methods that choose and change each layer's weights by sparse regression. */
#ifndef COMPRESS_SOLVE_REGRESSION_H
#define COMPRESS_SOLVE_REGRESSION_H

#include <compress/prune_method.h>

/*
 * The budget is dealt out by the scores of obd, over layers if its scope is global; in
 * each problem of a layer as many weights stay as that leaves there.
 */
int solve_l0(const struct prune_method_context *context, struct graph *pruned,
	     struct prune_mask *mask);

int solve_l1(const struct prune_method_context *context, struct graph *pruned,
	     struct prune_mask *mask);

#endif
