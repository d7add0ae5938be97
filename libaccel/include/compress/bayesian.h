/* SPDX-License-Identifier: MIT */
/*
 * Search for the maximum of a function that is dear to evaluate: a Gaussian process is
 * fitted to what has been seen, and the point with the largest expected improvement is
 * looked at next (Mockus 1978; Jones, Schonlau and Welch 1998). The first points lie on a
 * grid of low discrepancy. The same seed and the same values give the same points.
 */
#ifndef COMPRESS_BAYESIAN_H
#define COMPRESS_BAYESIAN_H

#include <stdint.h>

#define BAYESIAN_DIMENSIONS_MAX 4

struct bayesian;

/* In the cube [−1, 1]^dimensions; NULL without memory. */
struct bayesian *bayesian_create(int dimensions, uint64_t seed);

/* Where to look next. 0 or −ENOMEM. */
int bayesian_propose(struct bayesian *search, double *point);

/* What was seen there, finite; any point may be told. 0, −EINVAL or −ENOMEM. */
int bayesian_observe(struct bayesian *search, const double *point,
		     double value);

/* What the process expects at a point, and its standard deviation. 0 or −ENOMEM. */
int bayesian_predict(struct bayesian *search, const double *point, double *mean,
		     double *deviation);

/* NULL is allowed. */
void bayesian_destroy(struct bayesian *search);

#endif
