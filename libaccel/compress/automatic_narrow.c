// SPDX-License-Identifier: MIT
/* Channels first, then single weights of those that are left. */
#include <compress/automatic_search.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tried in each narrower network: it takes no scores, and is seldom far from the best. */
#define SCOUT "sparsegpt"
/* How far towards the narrowest network that meets the target, in logarithms. */
static const double ways[AUTOMATIC_NARROWER] = { 0.125, 0.25, 0.5 };
/* What tells by how much it is to prune, which takes no data. */
#define PRICER "magnitude"
/* What allocations may bring: a part of the cost of what one method has found. */
#define PROMISING 0.05

/* ---- how narrow ---- */

static bool is_structured(const struct automatic_trial *trial)
{
	const struct prune_method *method = prune_method_find(trial->strategy);

	return method && method->shrinks && trial->width >= 1;
}

/*
 * Of the networks that channels alone have made to meet the target, the best; of those that
 * fail, where none meets it, the narrowest. NULL: channels cannot go.
 */
static const struct automatic_trial *
find_narrowest(const struct automatic_search *search)
{
	const struct automatic_result *result = search->result;
	const struct automatic_trial *best = NULL;

	for (int i = 0; i < result->trial_count; i++) {
		const struct automatic_trial *trial = &result->trials[i];
		bool better = best && trial->meets == best->meets;

		if (!is_structured(trial))
			continue;
		if (better && trial->meets && !automatic_bounds_quality(search))
			better = trial->measured.quality >
				 best->measured.quality;
		else if (better)
			better = trial->kept < best->kept;
		if (!best || better || trial->meets > best->meets)
			best = trial;
	}
	return best;
}

static int find_method(const struct automatic_search *search, const char *name)
{
	for (int m = 0; m < search->method_count; m++)
		if (!strcmp(search->methods[m].method->name, name))
			return m;
	return -1;
}

/* ---- a narrower network ---- */

/* What all searches of a run share. */
static struct automatic_search *search_like(const struct automatic_search *old)
{
	struct automatic_search *search = calloc(1, sizeof(*search));

	if (!search)
		return NULL;
	*search = (struct automatic_search){
		.options = old->options,
		.data = old->data,
		.pruning = old->pruning,
		.format_count = old->format_count,
		.bound = old->bound,
		.result = old->result,
		.weights = old->weights,
		.dense_bytes = old->dense_bytes,
		.owner = old->owner,
	};
	memcpy(search->formats, old->formats, sizeof(search->formats));
	return search;
}

static int64_t count_weights(const struct sensitivity *sensitivity)
{
	int64_t count = 0;

	for (int l = 0; l < sensitivity->count; l++)
		count += sensitivity->layers[l].weights;
	return count;
}

/* None of its channels went, or no more than for the network before. */
static bool is_known(const struct automatic_search *search,
		     const struct automatic_search *narrow)
{
	for (int i = 0; i < AUTOMATIC_NARROWER; i++)
		if (search->narrower[i] && search->narrower[i] != narrow &&
		    search->narrower[i]->width == narrow->width)
			return true;
	return narrow->width >= search->width;
}

/* @narrow: released with @search, whatever is returned. −ERANGE: there is nothing new in it. */
static int start_from(struct automatic_search *search,
		      const struct automatic_plan *plan,
		      struct automatic_search *narrow)
{
	const struct automatic_plan all = {
		.scope = plan->scope,
		.by_cost = plan->by_cost,
		.kept = 1,
	};
	int ret = automatic_make(search, plan, &narrow->own);

	if (ret)
		return ret;
	narrow->graph = narrow->own;
	narrow->methods[narrow->method_count++].method =
		search->methods[plan->method].method;
	ret = sensitivity_create(&narrow->sensitivity, narrow->graph, 1,
				 AUTOMATIC_KEPT_COUNT, 0);
	if (ret)
		return ret;
	narrow->width = (double)count_weights(&narrow->sensitivity) /
			(double)search->weights;
	if (is_known(search, narrow))
		return -ERANGE;
	return automatic_try(narrow, &all, &narrow->dense);
}

/* Is there anything to be had from it that it does not have as it is? */
static bool has_room(const struct automatic_search *narrow)
{
	if (automatic_bounds_quality(narrow))
		return narrow->dense.quality >= narrow->bound;
	return automatic_cost(narrow, &narrow->dense) > narrow->bound;
}

/* One method that shows whether single weights are better spent here. */
static int scout(struct automatic_search *narrow)
{
	struct automatic_plan plan = { .scope = PRUNE_GLOBAL };
	int ret = automatic_add_method(narrow, prune_method_find(SCOUT));

	plan.method = ret;
	if (ret >= 0)
		ret = automatic_add_method(narrow, prune_method_find(PRICER));
	if (ret < 0)
		return ret;
	return has_room(narrow) ? automatic_try_strategy(narrow, &plan) : 0;
}

static int visit(struct automatic_search *search,
		 const struct automatic_plan *plan, int index)
{
	struct automatic_search *narrow = search_like(search);
	int ret;

	if (!narrow)
		return accel_error(-ENOMEM, "no memory for a narrower network");
	search->narrower[index] = narrow;
	automatic_tell(narrow, "narrower networks", index, AUTOMATIC_NARROWER);
	ret = start_from(search, plan, narrow);
	return ret || automatic_is_stopped(narrow) ? ret : scout(narrow);
}

/* ---- the best of them ---- */

static double rate_scout(const struct automatic_search *search)
{
	int method = find_method(search, SCOUT);

	return method < 0 ? -INFINITY : automatic_rate_method(search, method);
}

/* What a narrower one has to be better than. Quality that is met may not have been tried for. */
static double rate_whole(const struct automatic_search *search)
{
	double rate = rate_scout(search);

	if (automatic_bounds_quality(search) && !(rate > 0))
		return automatic_rate(search, &search->result->best) -
		       PROMISING;
	return rate;
}

/* NULL: the network as it came is better. */
static struct automatic_search *best_of(struct automatic_search *search)
{
	struct automatic_search *best = NULL;
	double most = rate_whole(search);

	for (int i = 0; i < AUTOMATIC_NARROWER; i++) {
		struct automatic_search *narrow = search->narrower[i];
		double rate = narrow ? rate_scout(narrow) : -INFINITY;

		if (!(rate > most))
			continue;
		most = rate;
		best = narrow;
	}
	return best;
}

static int add_solvers(const struct automatic_search *search,
		       struct automatic_search *narrow)
{
	int ret = 0;

	for (int m = 0; m < search->method_count && ret >= 0; m++)
		if (search->methods[m].method->solve)
			ret = automatic_add_method(narrow,
						   search->methods[m].method);
	return ret;
}

/* Layers choose from the methods that were the best ones of the network as it came. */
static int allocate(const struct automatic_search *search,
		    struct automatic_search *narrow)
{
	int ret = automatic_profile(narrow);

	if (!ret)
		ret = add_solvers(search, narrow);
	for (int i = 0; i < search->layer_method_count && ret >= 0; i++) {
		ret = automatic_add_method(
			narrow,
			search->methods[search->layer_methods[i]].method);
		narrow->layer_methods[i] = ret;
	}
	if (ret < 0)
		return ret;
	narrow->layer_method_count = search->layer_method_count;
	ret = automatic_measure_layers(narrow);
	if (ret || automatic_is_stopped(narrow))
		return ret;
	return automatic_try_allocations(narrow);
}

/* What there is without them is worth having, whatever is wrong with narrower networks. */
static int forgive(int error)
{
	return error == -ENOMEM || error == -EINTR ? error : 0;
}

int automatic_try_narrower(struct automatic_search *search)
{
	const struct automatic_trial *end = find_narrowest(search);
	struct automatic_plan plan = { .kept = 1, .whole = true };
	struct automatic_search *best;
	double kept;
	int ret = 0;

	if (!end)
		return 0;
	plan.method = find_method(search, end->strategy);
	plan.scope = end->scope;
	plan.by_cost = end->by_cost;
	kept = end->kept;
	for (int i = 0; i < AUTOMATIC_NARROWER && !ret; i++) {
		if (automatic_is_stopped(search))
			return 0;
		plan.kept = pow(kept, ways[i]);
		ret = visit(search, &plan, i);
		ret = forgive(ret);
	}
	if (ret || automatic_is_stopped(search) || !search->layer_method_count)
		return ret;
	best = best_of(search);
	return best ? forgive(allocate(search, best)) : 0;
}
