/* SPDX-License-Identifier: MIT */
#ifndef METRICS_KERNEL_DISTANCE_H
#define METRICS_KERNEL_DISTANCE_H

#include <stdint.h>

#include <metrics/feature_set.h>

/** struct kernel_distance - over the parts; around 0 for sets of the same source */
struct kernel_distance {
	double mean;
	double deviation;
};

/* Pictures in a part, at most, and how many parts are drawn. */
#define KERNEL_DISTANCE_PART 1000
#define KERNEL_DISTANCE_PARTS 20

/*
 * The unbiased squared maximum mean discrepancy with the kernel (x·y / size + 1)³, over
 * random parts of both sets (Bińkowski et al., 2018: KID). Unlike the Fréchet distance
 * it does not depend on how many pictures there are.
 *
 * 0; −EINVAL for sets that cannot be compared, or of one picture; −ENOMEM, −EOVERFLOW.
 */
int kernel_distance(const struct feature_set *a, const struct feature_set *b,
		    uint64_t seed, struct kernel_distance *distance);

#endif
