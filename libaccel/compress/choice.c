// SPDX-License-Identifier: MIT
#include <compress/choice.h>
#include <compress/saliency.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct compress_choices *choices_create(const struct graph *graph,
					const struct layer_choice *choice)
{
	struct compress_choices *choices = calloc(1, sizeof(*choices));

	if (!choices)
		return NULL;
	choices->tensor_count = graph->tensor_count;
	choices->layers = calloc((size_t)graph->tensor_count + 1,
				 sizeof(*choices->layers));
	if (!choices->layers) {
		choices_destroy(choices);
		return NULL;
	}
	for (int t = 0; t < graph->tensor_count; t++)
		if (prune_applies(graph, t))
			choices->layers[t] = *choice;
	return choices;
}

void choices_destroy(struct compress_choices *choices)
{
	if (!choices)
		return;
	free(choices->layers);
	free(choices);
}

bool choices_need_data(const struct compress_choices *choices)
{
	for (int t = 0; t < choices->tensor_count; t++)
		if (choices->layers[t].method &&
		    choices->layers[t].method->needs_data)
			return true;
	return false;
}

const char *choices_method_name(const struct compress_choices *choices)
{
	const char *name = NULL;

	for (int t = 0; t < choices->tensor_count; t++) {
		const struct prune_method *method = choices->layers[t].method;

		if (!method)
			continue;
		if (name && strcmp(name, method->name))
			return "mixed";
		name = method->name;
	}
	return name ? name : "none";
}

/**
 * struct division - of the layers among the methods
 * @choices: what was chosen
 * @context: the caller's, with a budget and layers of its own
 * @budget: with the sparsity of each layer
 * @sparsities: of each tensor
 * @layers: of each tensor: is it the turn of its method?
 */
struct division {
	const struct compress_choices *choices;
	struct prune_method_context context;
	struct prune_budget budget;
	double *sparsities;
	bool *layers;
};

static int division_create(struct division *division,
			   const struct compress_choices *choices,
			   const struct prune_method_context *context)
{
	size_t count = (size_t)choices->tensor_count + 1;

	*division = (struct division){
		.choices = choices,
		.context = *context,
		.budget = *context->budget,
		.sparsities = calloc(count, sizeof(*division->sparsities)),
		.layers = calloc(count, sizeof(*division->layers)),
	};
	if (!division->sparsities || !division->layers)
		return accel_error(-ENOMEM, "out of memory while pruning");
	for (int t = 0; t < choices->tensor_count; t++)
		division->sparsities[t] =
			choices->layers[t].sparsity * context->budget->sparsity;
	division->budget.scope = PRUNE_PER_LAYER;
	division->budget.sparsity = 0;
	division->budget.sparsities = division->sparsities;
	division->context.budget = &division->budget;
	division->context.layers = division->layers;
	return 0;
}

static void division_release(struct division *division)
{
	free(division->sparsities);
	free(division->layers);
}

/* Is there anything to do for a method? */
static bool division_begin(struct division *division,
			   const struct prune_method *method)
{
	bool any = false;

	for (int t = 0; t < division->choices->tensor_count; t++) {
		division->layers[t] = division->choices->layers[t].method ==
				      method;
		any = any || division->layers[t];
	}
	return any;
}

static int add_scores(struct division *division,
		      const struct prune_method *method, float **scores)
{
	const struct graph *graph = division->context.graph;
	float **own = saliency_create(graph);
	int ret;

	if (!own)
		return accel_error(-ENOMEM, "out of memory while pruning");
	ret = prune_method_check(method, &division->budget);
	if (!ret)
		ret = method->score(&division->context, own);
	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (division->layers[t])
			memcpy(scores[t], own[t],
			       sizeof(float) *
				       (size_t)graph_shape_count(
					       &graph->tensors[t].shape));
	saliency_destroy(own, graph);
	return ret;
}

/* Layers of methods that solve have no scores, and keep what comes first for now. */
static int prune_scored(struct division *division, struct graph *graph,
			struct prune_mask *mask)
{
	float **scores = saliency_create(division->context.graph);
	const struct prune_method *method;
	int ret = scores ? 0 :
			   accel_error(-ENOMEM, "out of memory while pruning");

	for (size_t i = 0; (method = prune_method_get(i)) && !ret; i++)
		if (method->score && division_begin(division, method))
			ret = add_scores(division, method, scores);
	if (!ret)
		prune_method_settle(division->context.graph, mask, scores);
	if (!ret)
		ret = prune_scores(division->context.graph,
				   (const float *const *)scores,
				   &division->budget, mask);
	saliency_destroy(scores, division->context.graph);
	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (mask->keep[t] &&
		    !division->choices->layers[t].method->score)
			memset(mask->keep[t], 1,
			       (size_t)graph_shape_count(
				       &graph->tensors[t].shape));
	if (!ret)
		prune_apply(graph, mask);
	return ret;
}

static int solve(struct division *division, const struct prune_method *method,
		 struct graph *graph, struct prune_mask *mask)
{
	int ret = prune_method_check(method, &division->budget);

	return ret ? ret : method->solve(&division->context, graph, mask);
}

int choices_prune(const struct compress_choices *choices,
		  const struct prune_method_context *context,
		  struct graph *graph, struct prune_mask *mask)
{
	const struct prune_method *method;
	struct division division;
	int ret = division_create(&division, choices, context);

	if (!ret)
		ret = prune_scored(&division, graph, mask);
	for (size_t i = 0; (method = prune_method_get(i)) && !ret; i++)
		if (method->solve && division_begin(&division, method))
			ret = solve(&division, method, graph, mask);
	division_release(&division);
	return ret;
}
