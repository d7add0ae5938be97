/* SPDX-License-Identifier: MIT */
#include <metrics/feature_set.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>

static int check_values(const struct feature_set *set)
{
	for (size_t i = 0; i < set->count * set->size; i++)
		if (!isfinite(set->values[i]))
			return accel_error(
				-EINVAL,
				"feature %zu of picture %zu is not a finite number",
				i % set->size, i / set->size);
	return 0;
}

int feature_set_check(const struct feature_set *a, const struct feature_set *b,
		      size_t least)
{
	size_t fewer = a->count < b->count ? a->count : b->count;
	int ret;

	if (!a->size || a->size != b->size)
		return accel_error(
			-EINVAL,
			"%zu features of one set and %zu of the other: they are not of the same classifier",
			a->size, b->size);
	if (fewer < least)
		return accel_error(
			-EINVAL,
			"%zu pictures are too few to compare: at least %zu are needed",
			fewer, least);
	ret = check_values(a);
	return ret ? ret : check_values(b);
}
