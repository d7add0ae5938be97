/* SPDX-License-Identifier: MIT */
#ifndef METRICS_FRECHET_DISTANCE_H
#define METRICS_FRECHET_DISTANCE_H

#include <metrics/feature_set.h>

/*
 * The Fréchet distance of the normal distributions that have the sets' means and
 * covariances (Heusel et al., 2017: FID, there with another network's features):
 * |μa − μb|² + tr(Ca + Cb − 2·(Ca·Cb)^½). Covariances may be singular. It grows as the
 * sets shrink: hold it against that of two sets of the same size and source.
 *
 * 0; −EINVAL for sets that cannot be compared, or of one picture; −ENOMEM, −EOVERFLOW.
 */
int frechet_distance(const struct feature_set *a, const struct feature_set *b,
		     double *distance);

#endif
