/* SPDX-License-Identifier: MIT */
#ifndef METRICS_NEIGHBOURHOOD_H
#define METRICS_NEIGHBOURHOOD_H

#include <metrics/feature_set.h>

/**
 * struct neighbourhood_scores - how two sets lie in one another; all are 1 at best
 * @precision: part of the made pictures that lie among the real ones
 * @recall: part of the real ones that lie among those made: lost modes show here
 * @density: real neighbourhoods that a made picture lies in, by how many it could;
 *	may be above 1
 * @coverage: part of the real ones that have a made one in their neighbourhood
 */
struct neighbourhood_scores {
	double precision;
	double recall;
	double density;
	double coverage;
};

#define NEIGHBOURHOOD_NEAREST 5

/*
 * Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al.,
 * 2020): a picture's neighbourhood is the ball that reaches its @nearest-th neighbour in
 * its own set. 0; −EINVAL for sets that cannot be compared, or of no more than @nearest
 * pictures; −ENOMEM, −EOVERFLOW.
 */
int neighbourhood_compare(const struct feature_set *real,
			  const struct feature_set *made, size_t nearest,
			  struct neighbourhood_scores *scores);

#endif
