// SPDX-License-Identifier: MIT
/* How much a strategy may keep: the budget with which it meets the target. */
#include <compress/automatic_search.h>

#include <errno.h>
#include <math.h>

/* Least part of the cost that is tried. */
#define KEPT_MIN 0.005
/* Most of what is left of a narrower network, for a beginning. */
#define KEPT_MOST 0.95
/* Networks that one strategy may try to find its budget, and masks likewise. */
#define QUALITY_STEPS 7
#define PRICE_STEPS 12
/* Near enough: decibels or FID above the bound; part of a cost below it. */
#define QUALITY_NEAR 0.1
#define COST_NEAR 0.003
/* Whole networks of one strategy until one is within the bound, and how much more is spared. */
#define COST_TRIES 5
#define COST_SPARE 0.001
#define SOLVER_MARGIN 0.99

/**
 * struct bracket - of a rising function's zero
 * @low: below it
 * @high: above it
 *
 * Budgets are searched by −ln of the part that stays, against which decibels and
 * logarithms of costs are about straight lines.
 */
struct bracket {
	double low, low_value;
	double high, high_value;
};

/* Where the line says, but not too near to what is known. */
static double bracket_guess(const struct bracket *bracket)
{
	double width = bracket->high - bracket->low;
	double part =
		bracket->low_value / (bracket->low_value - bracket->high_value);

	if (!isfinite(part))
		part = 0.5;
	return bracket->low + width * fmin(fmax(part, 0.1), 0.9);
}

static void bracket_narrow(struct bracket *bracket, double at, double value)
{
	if (value <= 0) {
		bracket->low = at;
		bracket->low_value = value;
	} else {
		bracket->high = at;
		bracket->high_value = value;
	}
}

/* How far the price is below the bound, in logarithms. */
static int price_at(struct automatic_search *search,
		    struct automatic_plan *plan, double at, double *value)
{
	double cost;
	int ret;

	plan->kept = exp(-at);
	ret = automatic_price(search, plan, &cost);
	*value = log(search->bound / fmax(cost, 1)) - plan->excess;
	return ret;
}

/* The smallest budget that the strategy can make a network of, or nearly. */
static int find_least(struct automatic_search *search,
		      struct automatic_plan *plan, struct bracket *bracket)
{
	int ret;

	bracket->high = -log(KEPT_MIN);
	do {
		ret = price_at(search, plan, bracket->high,
			       &bracket->high_value);
		if (ret == -ERANGE)
			bracket->high *= 0.9;
	} while (ret == -ERANGE && bracket->high > 0.1);
	plan->kept = exp(-bracket->high);
	return ret;
}

/* The largest budget within the bound. −ERANGE if there is none: the least is planned. */
static int fit_price(struct automatic_search *search,
		     struct automatic_plan *plan)
{
	double dense = automatic_cost(search, &search->dense);
	struct bracket bracket = {
		.low = 0,
		.low_value = log(search->bound / dense) - plan->excess,
	};
	int ret;

	plan->kept = 1;
	if (bracket.low_value >= 0)
		return 0;
	ret = find_least(search, plan, &bracket);
	if (ret || bracket.high_value < 0)
		return ret ? ret : -ERANGE;
	for (int i = 0; i < PRICE_STEPS && bracket.high_value > COST_NEAR;
	     i++) {
		double at = bracket_guess(&bracket), value;

		ret = price_at(search, plan, at, &value);
		if (ret)
			return ret;
		/* exactly at the bound is within it */
		bracket_narrow(&bracket, at, value == 0 ? COST_NEAR : value);
	}
	plan->kept = exp(-bracket.high);
	return 0;
}

/* A budget of which the result is too poor, and one of which it is not, come closer. */
int automatic_fit_quality(struct automatic_search *search,
			  struct automatic_plan *plan, double first)
{
	struct bracket bracket = {
		.low = 0,
		.low_value = search->bound - search->dense.quality,
		.high = -log(KEPT_MIN),
		.high_value = INFINITY,
	};
	struct automatic_measurement measured;
	double at = -log(first);
	int ret = 0;

	for (int i = 0;
	     i < QUALITY_STEPS && !ret && !automatic_is_stopped(search) &&
	     bracket.low_value < -QUALITY_NEAR;
	     i++) {
		plan->kept = exp(-at);
		ret = automatic_try(search, plan, &measured);
		if (ret == -ERANGE) { /* an empty layer: too small a budget */
			measured.quality = -INFINITY;
			ret = 0;
		}
		bracket_narrow(&bracket, at, search->bound - measured.quality);
		at = bracket_guess(&bracket);
	}
	plan->kept = exp(-bracket.low);
	return ret;
}

/*
 * A solver takes as long for a price as for the whole: what scores of no data leave of each
 * layer costs about as much.
 */
static int fit_solver(struct automatic_search *search,
		      struct automatic_plan *plan)
{
	struct automatic_plan like = *plan;
	int ret;

	for (like.method = 0; like.method < search->method_count - 1;
	     like.method++)
		if (!search->methods[like.method].method->needs_data)
			break;
	if (!search->methods[like.method].scores)
		return -ERANGE;
	ret = fit_price(search, &like);
	/* about */
	plan->kept = like.kept *
		     (search->options->target.quantity == AUTOMATIC_SPARSITY ?
			      1 :
			      SOLVER_MARGIN);
	return ret;
}

/*
 * The most that the bound lets. Repaired weights, and those rounded with care, are other codes
 * than those that had a price, and may take more bytes: then with less to spend again.
 */
int automatic_fit_cost(struct automatic_search *search,
		       struct automatic_plan *plan,
		       struct automatic_measurement *measured)
{
	bool scored = plan->method == AUTOMATIC_ALLOCATED ||
		      search->methods[plan->method].scores;
	double over = 1;
	int ret = 0;

	for (int i = 0; i < COST_TRIES && !ret && over > 0; i++) {
		ret = scored ? fit_price(search, plan) :
			       fit_solver(search, plan);
		if (!ret)
			ret = automatic_try(search, plan, measured);
		if (ret)
			break;
		over = log(automatic_cost(search, measured) / search->bound);
		if (over > 0)
			plan->excess += over + COST_SPARE;
	}
	return ret;
}

/* ---- strategies ---- */

/*
 * Let a strategy meet the target as well as it can. Where it is quality's, a strategy
 * that fails with the best one's budget is not tried any further.
 */
/*
 * As much as the best one keeps. Of a narrower network that is a larger part, and the best one's
 * own may have been a part of its cycles.
 */
static double rival_budget(const struct automatic_search *search)
{
	const struct automatic_trial *best = &search->result->best;

	if (best->width == search->width)
		return best->kept;
	return fmin((double)best->measured.nonzeros /
			    (double)search->dense.nonzeros,
		    KEPT_MOST);
}

int automatic_try_strategy(struct automatic_search *search,
			   struct automatic_plan *plan)
{
	const struct automatic_result *result = search->result;
	struct automatic_measurement measured;
	bool rival = result->best.meets && result->best.kept < 1;
	int ret;

	if (automatic_bounds_quality(search)) {
		plan->kept = rival ? rival_budget(search) : 0.3;
		if (!rival)
			return automatic_fit_quality(search, plan, plan->kept);
		ret = automatic_try(search, plan, &measured);
		if (ret == -ERANGE ||
		    (!ret && measured.quality < search->bound))
			return 0;
		return ret ? ret :
			     automatic_fit_quality(search, plan,
						   plan->kept * 0.9);
	}
	ret = automatic_fit_cost(search, plan, &measured);
	/* what comes nearest is worth knowing */
	if (ret == -ERANGE)
		ret = automatic_try(search, plan, &measured);
	return ret == -ERANGE ? 0 : ret;
}
