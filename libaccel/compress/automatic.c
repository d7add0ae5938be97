// SPDX-License-Identifier: MIT
#include <compress/automatic.h>
#include <compress/automatic_search.h>
#include <compress/calibration_patches.h>
#include <compress/parallel.h>
#include <compress/point_search.h>
#include <compress/saliency.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Least part of the cost that is tried. */
#define KEPT_MIN 0.005
/* Networks that one strategy may try to find its budget, and masks likewise. */
#define QUALITY_STEPS 7
#define PRICE_STEPS 12
/* Near enough: decibels or FID above the bound; part of a cost below it. */
#define QUALITY_NEAR 0.1
#define COST_NEAR 0.003
/* Whole networks of one strategy until one is within the bound, and how much more is spared. */
#define COST_TRIES 3
#define COST_SPARE 0.001
#define LOOKS_DEFAULT 12
#define SOLVER_MARGIN 0.99
/* Methods that layers may choose from: the best of those that score. */
#define LAYER_METHODS 3
/* To measure layers with, fewer pictures will do. */
#define LAYER_PATCHES 48
#define HELD_OUT_PATCHES 24

static bool is_stopped(const struct automatic_search *search)
{
	return search->options->stop && *search->options->stop;
}

void automatic_tell(struct automatic_search *search, const char *phase,
		    int done, int total)
{
	const struct automatic_options *options = search->options;

	if (phase) {
		search->phase = phase;
		search->phase_done = done;
		search->phase_total = total;
	}
	if (options->observer)
		options->observer(
			options->observer_context, search->phase,
			search->phase_done, search->phase_total,
			search->result->model ? &search->result->best : NULL);
}

/* ---- the budget of a strategy ---- */

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
static int fit_quality(struct automatic_search *search,
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

	for (int i = 0; i < QUALITY_STEPS && !ret && !is_stopped(search) &&
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
static int fit_cost(struct automatic_search *search,
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
static int try_strategy(struct automatic_search *search,
			struct automatic_plan *plan)
{
	const struct automatic_result *result = search->result;
	struct automatic_measurement measured;
	bool rival = result->best.meets && result->best.kept < 1;
	int ret;

	if (automatic_bounds_quality(search)) {
		plan->kept = rival ? result->best.kept : 0.3;
		if (!rival)
			return fit_quality(search, plan, plan->kept);
		ret = automatic_try(search, plan, &measured);
		if (ret == -ERANGE ||
		    (!ret && measured.quality < search->bound))
			return 0;
		return ret ? ret : fit_quality(search, plan, plan->kept * 0.9);
	}
	ret = fit_cost(search, plan, &measured);
	/* what comes nearest is worth knowing */
	if (ret == -ERANGE)
		ret = automatic_try(search, plan, &measured);
	return ret == -ERANGE ? 0 : ret;
}

/* In both scopes, its own first; scores also by cycles, where they count. */
static int try_method(struct automatic_search *search, int method)
{
	enum prune_scope own = search->methods[method].method->scope;
	int ways = search->methods[method].scores ? 3 : 2, ret = 0;

	for (int i = 0; i < ways && !ret && !is_stopped(search); i++) {
		struct automatic_plan plan = {
			.method = method,
			.scope = i == 2		     ? PRUNE_GLOBAL :
				 i == 0		     ? own :
				 own == PRUNE_GLOBAL ? PRUNE_PER_LAYER :
						       PRUNE_GLOBAL,
			.by_cost = i == 2,
		};

		if (!plan.by_cost || search->weight_costs)
			ret = try_strategy(search, &plan);
	}
	return ret;
}

/* Each method by itself: what an allocation has to beat, and may lose to. */
static int try_methods(struct automatic_search *search)
{
	int ret = 0;

	for (int m = 0; m < search->method_count && !ret; m++) {
		automatic_tell(search, "one method for all", m,
			       search->method_count);
		ret = try_method(search, m);
	}
	return ret;
}

/*
 * How good a method is on its own: at a given cost by its quality; where quality is given,
 * by what it may drop, or by how far it was from enough with the best one's budget.
 */
static double rate_method(const struct automatic_search *search, int method)
{
	const struct automatic_result *result = search->result;
	const char *name = search->methods[method].method->name;
	double best = -INFINITY;

	for (int i = 0; i < result->trial_count; i++) {
		const struct automatic_trial *trial = &result->trials[i];
		double rate = trial->measured.quality;

		if (strcmp(trial->strategy, name))
			continue;
		if (automatic_bounds_quality(search))
			rate = trial->meets ? 1 - trial->kept :
					      rate - search->bound;
		best = fmax(best, rate);
	}
	return best;
}

static void choose_layer_methods(struct automatic_search *search)
{
	bool taken[AUTOMATIC_METHODS_MAX] = { false };

	while (search->layer_method_count < LAYER_METHODS) {
		int best = -1;

		for (int m = 0; m < search->method_count; m++)
			if (search->methods[m].scores && !taken[m] &&
			    (best < 0 || rate_method(search, m) >
						 rate_method(search, best)))
				best = m;
		if (best < 0)
			return;
		taken[best] = true;
		search->layer_methods[search->layer_method_count++] = best;
	}
}

/* ---- layers ---- */

static void tell_layers(void *context, int done, int total)
{
	automatic_tell(context, "measuring the layers", done, total);
}

static int measure(struct automatic_search *search,
		   const struct calibration_data *data,
		   const struct calibration_data *check)
{
	struct sensitivity_scores scores[SENSITIVITY_METHODS_MAX];
	const struct sensitivity_options options = {
		.scores = scores,
		.methods = search->layer_method_count,
		.kept = automatic_kept,
		.kept_count = AUTOMATIC_KEPT_COUNT,
		.formats = search->formats + 1,
		.format_count = search->format_count - 1,
		.workers = search->options->compress.workers,
		.stop = search->options->stop,
		.observer = tell_layers,
		.observer_context = search,
	};

	for (int i = 0; i < options.methods; i++) {
		const struct automatic_method *method =
			&search->methods[search->layer_methods[i]];

		scores[i] = (struct sensitivity_scores){
			method->method->name,
			(const float *const *)method->scores
		};
	}
	return sensitivity_measure(&search->sensitivity, search->graph, data,
				   check, &options);
}

static int measure_on_patches(struct automatic_search *search)
{
	const struct calibration_patches some = {
		.count = LAYER_PATCHES,
		.seed = search->options->compress.seed,
	};
	const struct calibration_patches others = {
		.count = HELD_OUT_PATCHES,
		.seed = search->options->compress.seed + 1,
	};
	struct calibration_data data, check;
	int ret = calibration_patches_cut(&data, search->graph, search->data,
					  &some);

	if (ret)
		return ret;
	ret = calibration_patches_cut(&check, search->graph, search->data,
				      &others);
	if (!ret) {
		ret = measure(search, &data, &check);
		calibration_data_release(&check);
	}
	calibration_data_release(&data);
	return ret;
}

static int measure_layers(struct automatic_search *search)
{
	choose_layer_methods(search);
	if (!search->layer_method_count)
		return 0;
	sensitivity_release(&search->sensitivity);
	if (sensitivity_create(&search->sensitivity, search->graph,
			       search->layer_method_count, AUTOMATIC_KEPT_COUNT,
			       search->format_count - 1))
		return -ENOMEM;
	if (automatic_count_bits(search))
		return -ENOMEM;
	if (search->pruning == &search->patches)
		return measure_on_patches(search);
	return measure(search, search->data,
		       search->options->held_out ? search->options->held_out :
						   search->data);
}

/* ---- what a sum of losses does not know ---- */

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
			  fit_cost(search, plan, &measured);

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

	for (int i = 0; i < looks && !ret && !is_stopped(search); i++) {
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

static int try_allocations(struct automatic_search *search)
{
	struct automatic_plan plan = { .method = AUTOMATIC_ALLOCATED,
				       .kept = 1 };
	bool quality = automatic_bounds_quality(search);
	double kept;
	int ret;

	automatic_tell(search, "allocating", 0, 1);
	ret = quality ? fit_quality(search, &plan,
				    fmin(search->result->best.kept, 0.9)) :
			try_strategy(search, &plan);
	if (ret || is_stopped(search) || search->options->looks < 0 ||
	    plan.kept >= 1)
		return ret;
	/* beyond the budget that is met already: there it shows which is better */
	kept = plan.kept;
	plan.kept = quality ? kept * 0.95 : kept;
	ret = search_tilts(search, &plan);
	if (ret || !quality || is_stopped(search))
		return ret;
	plan.kept = kept;
	return fit_quality(search, &plan, kept * 0.95);
}

/* ---- the whole ---- */

/* What the int8 model without zeros is like: no target of quality is beyond that. */
static int try_dense(struct automatic_search *search)
{
	struct automatic_plan plan = { .kept = 1 };
	const struct automatic_target *target = &search->options->target;
	uint64_t weights;
	int ret = automatic_try(search, &plan, &search->dense);

	if (ret)
		return ret;
	weights = (uint64_t)search->dense.weights;
	search->bound = target->bound;
	if (target->quantity == AUTOMATIC_FID)
		search->bound = -target->bound;
	if (target->quantity == AUTOMATIC_RATIO)
		search->bound = (double)search->result->model->dense_bytes /
				target->bound;
	if (target->quantity == AUTOMATIC_SPARSITY)
		search->bound =
			floor((double)weights * (1 - target->bound) + 1e-6);
	if (target->of_dense)
		search->bound =
			target->bound * automatic_cost(search, &search->dense);
	search->result->best = search->result->trials[0];
	search->result->best.meets = search->result->trials[0].meets =
		automatic_bounds_quality(search) ?
			search->dense.quality >= search->bound :
			automatic_cost(search, &search->dense) <= search->bound;
	search->result->bound = search->bound;
	return 0;
}

static int explore(struct automatic_search *search)
{
	bool quality = automatic_bounds_quality(search);
	int ret;

	automatic_tell(search, "without zeros", 0, 1);
	ret = try_dense(search);
	/* nothing can be better than what loses nothing, or cheaper than enough */
	if (ret || quality != search->result->best.meets)
		return ret;
	if (automatic_counts_cycles(search))
		ret = automatic_profile(search);
	if (!ret)
		ret = try_methods(search);
	if (!ret && !is_stopped(search))
		ret = measure_layers(search);
	if (!ret && !is_stopped(search) && search->layer_method_count)
		ret = try_allocations(search);
	/* what has been found is worth having */
	if (ret == -EINTR && is_stopped(search)) {
		search->layer_method_count = 0;
		ret = 0;
	}
	return ret;
}

static int score(struct automatic_search *search,
		 struct automatic_method *method)
{
	const struct prune_budget budget = { .sparsity = 0.5 };
	const struct prune_method_context context = {
		.graph = search->graph,
		.data = search->pruning,
		.budget = &budget,
		.seed = search->options->compress.seed,
		.workers = search->options->compress.workers,
	};

	if (!method->method->score)
		return 0;
	method->scores = saliency_create(search->graph);
	if (!method->scores)
		return accel_error(-ENOMEM, "no memory for scores");
	return method->method->score(&context, method->scores);
}

/*
 * What chooses at random, by rows or by channels is never the best, and what goes in many rounds takes
 * longer than all the others together.
 */
static bool is_candidate(const struct prune_method *method)
{
	static const char *const others[] = { "random", "activation",
					      "obs",	"l0",
					      "l1",	"structured" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(method->name, others[i]))
			return false;
	return true;
}

static int count_candidates(void)
{
	const struct prune_method *method;
	int count = 0;

	for (size_t i = 0; (method = prune_method_get(i)); i++)
		count += is_candidate(method);
	return count;
}

/* Those with or without data. */
static int prepare_methods(struct automatic_search *search, bool needs_data)
{
	const struct prune_method *method;
	int ret = 0;

	for (size_t i = 0; (method = prune_method_get(i)) && !ret; i++) {
		struct automatic_method *own =
			&search->methods[search->method_count];

		if (method->needs_data != needs_data || !is_candidate(method) ||
		    search->method_count == AUTOMATIC_METHODS_MAX)
			continue;
		automatic_tell(search, "scoring weights", search->method_count,
			       count_candidates());
		own->method = method;
		search->method_count++;
		ret = score(search, own);
	}
	return ret;
}

static int prepare_data(struct automatic_search *search)
{
	const struct calibration_patches squares = {
		.seed = search->options->compress.seed
	};
	int ret;

	if (!search->data || !search->data->sample_count)
		return accel_error(-EINVAL,
				   "%s: a target takes data to measure with",
				   search->graph->name);
	search->pruning = search->data;
	if (!calibration_patches_apply(search->graph, search->data, &squares))
		return 0;
	ret = calibration_patches_cut(&search->patches, search->graph,
				      search->data, &squares);
	if (!ret)
		search->pruning = &search->patches;
	return ret;
}

static void search_release(struct automatic_search *search)
{
	for (int m = 0; m < search->method_count; m++)
		saliency_destroy(search->methods[m].scores, search->graph);
	if (search->pruning == &search->patches)
		calibration_data_release(&search->patches);
	sensitivity_release(&search->sensitivity);
	free(search->code_bits);
	free(search->cycles);
	free(search->weight_costs);
	free(search->chosen);
}

/* Where bytes count, and fewer bits make fewer. */
static void offer_formats(struct automatic_search *search)
{
	static const int bits[AUTOMATIC_FORMATS] = { 8, 6, 4 };
	const struct automatic_options *options = search->options;

	search->formats[0] = options->compress.format;
	search->format_count = 1;
	if (!options->narrow || automatic_counts_cycles(search) ||
	    options->target.quantity == AUTOMATIC_SPARSITY ||
	    !weight_format_is_plain(&options->compress.format))
		return;
	for (int i = 1; i < AUTOMATIC_FORMATS; i++)
		search->formats[i] = (struct weight_format){ .bits = bits[i] };
	search->format_count = AUTOMATIC_FORMATS;
}

static int run(struct automatic_search *search)
{
	int ret = prepare_data(search);

	offer_formats(search);

	if (!ret)
		ret = sensitivity_create(&search->sensitivity, search->graph, 1,
					 AUTOMATIC_KEPT_COUNT, 0);
	/* the better ones first: the others then give up the sooner */
	if (!ret)
		ret = prepare_methods(search, true);
	if (!ret)
		ret = prepare_methods(search, false);
	if (!ret)
		ret = explore(search);
	if (!ret)
		ret = automatic_report(search);
	if (ret)
		return ret;
	search->result->stopped = is_stopped(search);
	if (search->result->best.meets)
		return 0;
	return search->result->stopped ? -EINTR : -ERANGE;
}

int automatic_run(const struct graph *graph,
		  const struct calibration_data *data,
		  const struct automatic_options *options,
		  struct automatic_result *result)
{
	struct automatic_options own = *options;
	struct automatic_search search = {
		.graph = graph,
		.options = &own,
		.data = data,
		.result = result,
	};
	int ret;

	*result = (struct automatic_result){ .model = NULL };
	if (own.compress.workers < 1)
		own.compress.workers = parallel_processors();
	if (!own.search)
		own.search = point_search_get(0);
	ret = run(&search);
	search_release(&search);
	if (ret && ret != -ERANGE && ret != -EINTR)
		automatic_release(result);
	return ret;
}

void automatic_release(struct automatic_result *result)
{
	model_destroy(result->model);
	graph_destroy(result->graph);
	prune_mask_destroy(result->mask);
	free(result->report);
	free(result->trials);
	free(result->choices);
	*result = (struct automatic_result){ .model = NULL };
}
