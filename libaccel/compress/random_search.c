// SPDX-License-Identifier: MIT
#include <compress/random_search.h>

#include <compress/sample.h>

#include <stdlib.h>

/** struct uniform - the search */
struct uniform {
	struct point_search search;
	struct sample_generator generator;
};

static struct point_search *create(int dimensions, uint64_t seed)
{
	struct uniform *uniform = calloc(1, sizeof(*uniform));

	(void)dimensions;
	if (!uniform)
		return NULL;
	sample_seed(&uniform->generator, seed);
	return &uniform->search;
}

static int propose(struct point_search *search, double *point)
{
	struct uniform *uniform = (struct uniform *)search;

	for (int d = 0; d < search->dimensions; d++)
		point[d] = 2 * sample_uniform(&uniform->generator) - 1;
	return 0;
}

static int observe(struct point_search *search, const double *point,
		   double value)
{
	(void)search;
	(void)point;
	(void)value;
	return 0;
}

static void destroy(struct point_search *search)
{
	free(search);
}

const struct point_search_kind random_search = {
	.name = "random",
	.create = create,
	.propose = propose,
	.observe = observe,
	.destroy = destroy,
};
