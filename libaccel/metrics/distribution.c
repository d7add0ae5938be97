/* SPDX-License-Identifier: MIT */
#include <metrics/distribution.h>

#include <metrics/frechet_distance.h>

int distribution_compare(const struct feature_set *real,
			 const struct feature_set *made, uint64_t seed,
			 struct distribution_figures *figures)
{
	int ret = frechet_distance(real, made, &figures->frechet);

	if (!ret)
		ret = kernel_distance(real, made, seed, &figures->kernel);
	if (!ret)
		ret = neighbourhood_compare(real, made, NEIGHBOURHOOD_NEAREST,
					    &figures->neighbourhood);
	return ret;
}
