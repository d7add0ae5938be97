/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_SLICED_DISTANCE_H
#define TRAIN_SLICED_DISTANCE_H

#include <stddef.h>

/*
 * The sliced Wasserstein distance (Rabin et al., 2011) of two sets of as many vectors: the
 * mean distance of their sorted projections on random directions, which are the same
 * each time. 0 or −ENOMEM.
 */
int sliced_distance(const float *a, const float *b, size_t count, size_t size,
		    double *distance);

#endif
