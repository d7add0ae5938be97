/* SPDX-License-Identifier: MIT */
#ifndef METRICS_FEATURE_SET_H
#define METRICS_FEATURE_SET_H

#include <stddef.h>

/**
 * struct feature_set - what a classifier sees in pictures
 * @values: [count][size]
 * @count: pictures
 * @size: features of each
 */
struct feature_set {
	const float *values;
	size_t count;
	size_t size;
};

/*
 * May these two be compared? −EINVAL, with a text, for sets of other features, of less
 * than @least pictures, or with values that are not finite.
 */
int feature_set_check(const struct feature_set *a, const struct feature_set *b,
		      size_t least);

#endif
