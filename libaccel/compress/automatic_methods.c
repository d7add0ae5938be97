// SPDX-License-Identifier: MIT
/* Methods that are the same for all layers: which there are, and what each is worth. */
#include <compress/automatic_search.h>
#include <compress/saliency.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <string.h>

/* What does not meet the target is worse than all that does, by so many decibels. */
#define MISSED 1000

/* Which channels go depends on the budget; what they are worth does not, and gn may know it. */
static int score_channels(const struct automatic_search *search,
			  struct automatic_method *method)
{
	const struct saliency_options options = {
		.seed = search->options->compress.seed,
		.workers = search->options->compress.workers,
	};
	const struct graph *graph = search->graph;
	const struct prune_method *known = prune_method_find("gn");
	int m = 0;

	while (m < search->method_count &&
	       (search->methods[m].method != known ||
		!search->methods[m].scores))
		m++;
	if (m == search->method_count)
		return saliency_gauss_newton(graph, search->pruning, &options,
					     method->scores);
	for (int t = 0; t < graph->tensor_count; t++)
		if (method->scores[t])
			memcpy(method->scores[t], search->methods[m].scores[t],
			       sizeof(float) *
				       (size_t)graph_shape_count(
					       &graph->tensors[t].shape));
	return 0;
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
	if (method->method->shrinks)
		return score_channels(search, method);
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

double automatic_rate(const struct automatic_search *search,
		      const struct automatic_trial *trial)
{
	const struct automatic_trial *dense = &search->result->trials[0];

	if (!automatic_bounds_quality(search))
		return trial->measured.quality - (trial->meets ? 0 : MISSED);
	return trial->meets ? 1 - automatic_cost(search, &trial->measured) /
					      automatic_cost(search,
							     &dense->measured) :
			      trial->measured.quality - search->bound;
}

double automatic_rate_method(const struct automatic_search *search, int method)
{
	const struct automatic_result *result = search->result;
	const char *name = search->methods[method].method->name;
	double best = -INFINITY;

	for (int i = 0; i < result->trial_count; i++) {
		const struct automatic_trial *trial = &result->trials[i];

		if (!strcmp(trial->strategy, name) &&
		    trial->width == search->width)
			best = fmax(best, automatic_rate(search, trial));
	}
	return best;
}
