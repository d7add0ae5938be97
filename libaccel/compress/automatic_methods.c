// SPDX-License-Identifier: MIT
/* Methods that are the same for all layers: which there are, and what each is worth. */
#include <compress/automatic_search.h>
#include <compress/saliency.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <string.h>

static int score(struct automatic_search *search,
		 struct automatic_method *method)
{
	const struct saliency_options channels = {
		.seed = search->options->compress.seed,
		.workers = search->options->compress.workers,
	};
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
	/* which channels go depends on the budget, what they are worth does not */
	if (method->method->shrinks)
		return saliency_gauss_newton(search->graph, search->pruning,
					     &channels, method->scores);
	return method->method->score(&context, method->scores);
}

/*
 * What chooses at random or by rows is never the best, and what goes in many rounds takes longer
 * than all the others together. Whole channels are worth more than their weights where cycles
 * count, and there only.
 */
static bool is_candidate(const struct automatic_search *search,
			 const struct prune_method *method)
{
	static const char *const others[] = { "random", "activation", "obs",
					      "l0", "l1" };

	if (method->shrinks)
		return automatic_counts_cycles(search);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(method->name, others[i]))
			return false;
	return true;
}

static int count_candidates(const struct automatic_search *search)
{
	const struct prune_method *method;
	int count = 0;

	for (size_t i = 0; (method = prune_method_get(i)); i++)
		count += is_candidate(search, method);
	return count;
}

int automatic_add_method(struct automatic_search *search,
			 const struct prune_method *method)
{
	struct automatic_method *own = &search->methods[search->method_count];
	int ret;

	for (int m = 0; m < search->method_count; m++)
		if (search->methods[m].method == method)
			return m;
	if (search->method_count == AUTOMATIC_METHODS_MAX)
		return accel_error(-E2BIG, "too many methods to try");
	own->method = method;
	search->method_count++;
	ret = score(search, own);
	return ret ? ret : search->method_count - 1;
}

int automatic_prepare_methods(struct automatic_search *search, bool needs_data)
{
	const struct prune_method *method;
	int ret = 0;

	for (size_t i = 0; (method = prune_method_get(i)) && ret >= 0; i++) {
		if (method->needs_data != needs_data ||
		    !is_candidate(search, method))
			continue;
		automatic_tell(search, "scoring weights", search->method_count,
			       count_candidates(search));
		ret = automatic_add_method(search, method);
	}
	return ret < 0 ? ret : 0;
}

/* In both scopes, its own first; scores also by cycles, where they count. */
static int try_method(struct automatic_search *search, int method)
{
	const struct prune_method *way = search->methods[method].method;
	int ways = search->methods[method].scores ? 3 : 2, ret = 0;
	enum prune_scope own = way->scope;

	for (int i = 0; i < ways && !ret && !automatic_is_stopped(search);
	     i++) {
		struct automatic_plan plan = {
			.method = method,
			.scope = i == 2		     ? PRUNE_GLOBAL :
				 i == 0		     ? own :
				 own == PRUNE_GLOBAL ? PRUNE_PER_LAYER :
						       PRUNE_GLOBAL,
			.by_cost = i == 2,
		};

		/* channels are those of the whole network */
		if (way->shrinks && plan.scope != own)
			continue;
		if (!plan.by_cost || search->weight_costs)
			ret = automatic_try_strategy(search, &plan);
	}
	return ret;
}

/* Each method by itself: what an allocation has to beat, and may lose to. */
int automatic_try_methods(struct automatic_search *search)
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
double automatic_rate_method(const struct automatic_search *search, int method)
{
	const struct automatic_result *result = search->result;
	const char *name = search->methods[method].method->name;
	double best = -INFINITY;

	for (int i = 0; i < result->trial_count; i++) {
		const struct automatic_trial *trial = &result->trials[i];
		double rate = trial->measured.quality;

		if (strcmp(trial->strategy, name) ||
		    trial->width != search->width ||
		    (!trial->meets && !automatic_bounds_quality(search)))
			continue;
		if (automatic_bounds_quality(search))
			rate = trial->meets ? 1 - trial->kept * trial->width :
					      rate - search->bound;
		best = fmax(best, rate);
	}
	return best;
}
