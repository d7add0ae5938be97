/* SPDX-License-Identifier: MIT */
/* Inputs that a network was not calibrated on: near those that it was. */
#ifndef METRICS_PERTURBATION_H
#define METRICS_PERTURBATION_H

#include <stddef.h>
#include <stdint.h>

#include <metrics/planes.h>

/* Add normal noise; the same seed gives the same noise. */
void perturbation_add_noise(float *values, size_t count, double deviation,
			    uint64_t seed);

/* Add the same to every value. */
void perturbation_add(float *values, size_t count, double offset);

/*
 * Move pictures right and down by so many pixels, at most as many as they have; the
 * first column and row are repeated.
 */
void perturbation_move(float *values, const struct metrics_planes *planes,
		       size_t right, size_t down);

#endif
