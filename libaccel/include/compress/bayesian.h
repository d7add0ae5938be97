/* SPDX-License-Identifier: MIT */
/*
 * Bayesian search: a Gaussian process is fitted to what has been seen, and the point with
 * the largest expected improvement is looked at next (Mockus 1978; Jones, Schonlau and
 * Welch 1998). The first points lie on a grid of low discrepancy.
 */
#ifndef COMPRESS_BAYESIAN_H
#define COMPRESS_BAYESIAN_H

#include <compress/point_search.h>

extern const struct point_search_kind bayesian_search;

/*
 * What the process expects at a point, and its standard deviation. 0 or −ENOMEM.
 * @search: of this kind
 */
int bayesian_predict(struct point_search *search, const double *point,
		     double *mean, double *deviation);

#endif
