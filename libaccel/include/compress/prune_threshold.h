/* SPDX-License-Identifier: MIT */
/* A threshold that somebody names, in place of a part of the weights. */
#ifndef COMPRESS_PRUNE_THRESHOLD_H
#define COMPRESS_PRUNE_THRESHOLD_H

#include <compress/graph.h>
#include <compress/prune.h>

#include <stdbool.h>

/**
 * struct prune_threshold - magnitudes above it stay
 * @value: > 0; 0: there is none
 * @deviations: it is in standard deviations of each layer's own weights (Han et al. 2015,
 *	"Learning both weights and connections"), not one for all layers
 */
struct prune_threshold {
	double value;
	bool deviations;
};

/* "0.02" or "0.8:std". 0 or −EINVAL, with a text. */
int prune_threshold_parse(const char *text, struct prune_threshold *threshold);

/*
 * Of what @mask keeps, keep what is above. Return: 0, or −EINVAL where a layer would be
 * empty, with a text that names it and its largest weight.
 */
int prune_threshold_select(const struct graph *graph,
			   const struct prune_threshold *threshold,
			   struct prune_mask *mask);

#endif
