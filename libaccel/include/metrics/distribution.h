/* SPDX-License-Identifier: MIT */
/* How a generator's pictures lie among another's: all that features tell. */
#ifndef METRICS_DISTRIBUTION_H
#define METRICS_DISTRIBUTION_H

#include <metrics/kernel_distance.h>
#include <metrics/neighbourhood.h>

/**
 * struct distribution_figures - of two sets of pictures
 * @frechet: FID, in the features of the classifier at hand
 * @kernel: KID, likewise
 * @neighbourhood: precision, recall, density, coverage
 */
struct distribution_figures {
	double frechet;
	struct kernel_distance kernel;
	struct neighbourhood_scores neighbourhood;
};

#endif
