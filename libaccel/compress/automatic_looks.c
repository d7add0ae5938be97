// SPDX-License-Identifier: MIT
/* Allocations, and the search for what a sum of losses does not know. */
#include <compress/automatic_search.h>
#include <compress/point_search.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define LOOKS_DEFAULT 12

/*
 * One look: an allocation with other weights of the layers' losses. At a given cost, it
 * is as good as its quality; where quality is given, the budget stays as it is.
 */
static int look(struct automatic_search *search, struct automatic_plan *plan,
		struct point_search *points, double *quality)
{
	struct automatic_measurement measured;
	int ret = automatic_bounds_quality(search) ?
			  automatic_try(search, plan, &measured) :
			  automatic_fit_cost(search, plan, &measured);

	*quality = ret ? -INFINITY : measured.quality;
	if (ret == -ERANGE)
		return 0;
	return ret ? ret : point_search_observe(points, plan->tilt, *quality);
}

/* Tilts around what no tilt gives; the best one is kept in @plan. */
static int search_tilts(struct automatic_search *search,
			struct automatic_plan *plan)
{
	int looks = search->options->looks ? search->options->looks :
					     LOOKS_DEFAULT;
	const struct point_search_kind *kind = search->options->search;
	struct point_search *points = point_search_create(
		kind, AUTOMATIC_TILTS, search->options->compress.seed);
	struct automatic_plan next = *plan;
	double most = -INFINITY, quality;
	int ret = points ? look(search, &next, points, &most) :
			   accel_error(-ENOMEM, "no memory for a search");

	for (int i = 0; i < looks && !ret && !automatic_is_stopped(search);
	     i++) {
		automatic_tell(search, "searching", i, looks);
		next = *plan;
		next.search = kind->name;
		ret = point_search_propose(points, next.tilt);
		if (!ret)
			ret = look(search, &next, points, &quality);
		if (ret || quality <= most)
			continue;
		most = quality;
		memcpy(plan->tilt, next.tilt, sizeof(plan->tilt));
		plan->search = next.search;
	}
	point_search_destroy(points);
	return ret;
}

/*
 * How many weights of a layer go was measured with methods that score; which ones, a method that
 * solves may know better.
 */
static int try_solvers(struct automatic_search *search,
		       const struct automatic_plan *allocation)
{
	int ret = 0;

	for (int m = 0; m < search->method_count && !ret; m++) {
		struct automatic_plan plan = *allocation;

		if (!search->methods[m].method->solve ||
		    automatic_is_stopped(search))
			continue;
		plan.solver = search->methods[m].method;
		ret = automatic_try_strategy(search, &plan);
	}
	return ret;
}

/* @plan: the best of them, that gets no worse by what a search proposes */
static int try_sums(struct automatic_search *search,
		    struct automatic_plan *plan)
{
	bool quality = automatic_bounds_quality(search);
	double kept;
	int ret;

	automatic_tell(search, "allocating", 0, 1);
	ret = quality ? automatic_fit_quality(search, plan,
					      fmin(search->result->best.kept,
						   0.9)) :
			automatic_try_strategy(search, plan);
	if (ret || automatic_is_stopped(search) || search->options->looks < 0 ||
	    plan->kept >= 1)
		return ret;
	/* beyond the budget that is met already: there it shows which is better */
	kept = plan->kept;
	plan->kept = quality ? kept * 0.95 : kept;
	ret = search_tilts(search, plan);
	if (ret || !quality || automatic_is_stopped(search))
		return ret;
	plan->kept = kept;
	return automatic_fit_quality(search, plan, kept * 0.95);
}

int automatic_try_allocations(struct automatic_search *search)
{
	struct automatic_plan plan = { .method = AUTOMATIC_ALLOCATED,
				       .kept = 1 };
	int ret = try_sums(search, &plan);

	return ret || plan.kept >= 1 ? ret : try_solvers(search, &plan);
}
