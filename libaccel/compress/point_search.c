// SPDX-License-Identifier: MIT
#include <compress/point_search.h>

#include <compress/bayesian.h>
#include <compress/grid_search.h>
#include <compress/random_search.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct point_search_kind *const kinds[] = {
	&bayesian_search,
	&grid_search,
	&random_search,
};

const struct point_search_kind *point_search_get(size_t index)
{
	return index < sizeof(kinds) / sizeof(kinds[0]) ? kinds[index] : NULL;
}

const struct point_search_kind *point_search_find(const char *name)
{
	const struct point_search_kind *kind;

	for (size_t i = 0; (kind = point_search_get(i)); i++)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

const char *point_search_names(void)
{
	return "bayesian, grid or random";
}

struct point_search *point_search_create(const struct point_search_kind *kind,
					 int dimensions, uint64_t seed)
{
	struct point_search *search;

	if (dimensions < 1 || dimensions > POINT_SEARCH_DIMENSIONS_MAX)
		return NULL;
	search = kind->create(dimensions, seed);
	if (!search)
		return NULL;
	search->kind = kind;
	search->dimensions = dimensions;
	return search;
}

int point_search_propose(struct point_search *search, double *point)
{
	return search->kind->propose(search, point);
}

int point_search_observe(struct point_search *search, const double *point,
			 double value)
{
	if (!isfinite(value))
		return accel_error(-EINVAL, "a search cannot learn from %g",
				   value);
	return search->kind->observe(search, point, value);
}

void point_search_destroy(struct point_search *search)
{
	if (search)
		search->kind->destroy(search);
}
