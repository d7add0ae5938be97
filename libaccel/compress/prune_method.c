/* SPDX-License-Identifier: MIT */
#include <compress/prune_method.h>

#include <compress/sample.h>
#include <compress/saliency.h>
#include <compress/score_layer.h>
#include <compress/second_order.h>
#include <compress/solve_regression.h>
#include <compress/structured.h>
#include <core/error.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- scores ---- */

static int score_magnitude(const struct prune_method_context *context,
			   float **scores)
{
	const struct graph *graph = context->graph;

	for (int t = 0; t < graph->tensor_count; t++) {
		int64_t count = graph_shape_count(&graph->tensors[t].shape);

		for (int64_t i = 0; scores[t] && i < count; i++)
			scores[t][i] = fabsf(graph->tensors[t].data[i]);
	}
	return 0;
}

/* What any other method has to beat. */
static int score_random(const struct prune_method_context *context,
			float **scores)
{
	const struct graph *graph = context->graph;
	struct sample_generator generator;

	sample_seed(&generator, context->seed);
	for (int t = 0; t < graph->tensor_count; t++) {
		int64_t count = graph_shape_count(&graph->tensors[t].shape);

		for (int64_t i = 0; scores[t] && i < count; i++)
			scores[t][i] = (float)sample_uniform(&generator);
	}
	return 0;
}

static int score_gauss_newton(const struct prune_method_context *context,
			      float **scores)
{
	const struct saliency_options options = {
		.seed = context->seed,
		.workers = context->workers,
		.progress = context->progress,
	};

	return saliency_gauss_newton(context->graph, context->data, &options,
				     scores);
}

static int score_gradient(const struct prune_method_context *context,
			  float **scores)
{
	const struct saliency_options options = {
		.seed = context->seed,
		.workers = context->workers,
	};

	return saliency_taylor(context->graph, context->data, &options, scores);
}

/* ---- the table ---- */

static const struct prune_method methods[] = {
	{ .name = "magnitude",
	  .about = "the smallest go",
	  .scope = PRUNE_PER_LAYER,
	  .score = score_magnitude },
	{ .name = "random",
	  .about = "any go: what the others have to beat",
	  .scope = PRUNE_PER_LAYER,
	  .score = score_random },
	{ .name = "gn",
	  .about =
		  "those go that matter least to the result, by a sampled Gauss-Newton diagonal",
	  .scope = PRUNE_GLOBAL,
	  .needs_data = true,
	  .score = score_gauss_newton },
	{ .name = "gradient",
	  .about = "those go that the result hardly pulls at: |w·g|",
	  .scope = PRUNE_GLOBAL,
	  .needs_data = true,
	  .score = score_gradient },
	{ .name = "obd",
	  .about =
		  "those go that their layer's result loses least with: w²·E[x²]",
	  .scope = PRUNE_PER_LAYER,
	  .needs_data = true,
	  .score = score_obd },
	{ .name = "activation",
	  .about = "whole neurons and channels go that are dead or faint",
	  .scope = PRUNE_PER_LAYER,
	  .needs_data = true,
	  .score = score_activation },
	{ .name = "structured",
	  .about =
		  "whole neurons, channels and hidden units leave the network with all that hangs on them",
	  .scope = PRUNE_GLOBAL,
	  .needs_data = true,
	  .shrinks = true,
	  .score = structured_score },
	{ .name = "l0",
	  .about =
		  "as many weights of each layer as asked that give its results best, by alternating directions",
	  .scope = PRUNE_PER_LAYER,
	  .needs_data = true,
	  .solve = solve_l0 },
	{ .name = "l1",
	  .about = "the same by proximal gradients of the sum of magnitudes",
	  .scope = PRUNE_PER_LAYER,
	  .needs_data = true,
	  .solve = solve_l1 },
	{ .name = "wanda",
	  .about = "those go whose row hears least of them: |w|*|x|",
	  .scope = PRUNE_GLOBAL,
	  .needs_data = true,
	  .chooses = true,
	  .solve = second_order_wanda },
	{ .name = "sparsegpt",
	  .about =
		  "in one sweep by the inverse Hessian; the others take over for those that go",
	  .scope = PRUNE_GLOBAL,
	  .needs_data = true,
	  .joint = true,
	  .solve = second_order_sparsegpt },
	{ .name = "obs",
	  .about =
		  "the same exactly, weight by weight, for layers of short rows",
	  .scope = PRUNE_GLOBAL,
	  .needs_data = true,
	  .solve = second_order_obs },
};

#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

/* Of a terminal, with room for what is no ASCII. */
#define LINE_LENGTH 160

const struct prune_method *prune_method_get(size_t index)
{
	return index < METHOD_COUNT ? &methods[index] : NULL;
}

const struct prune_method *prune_method_find(const char *name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	return NULL;
}

const char *prune_method_names(void)
{
	static _Thread_local char names[256];
	size_t used = 0;

	for (size_t i = 0; i < METHOD_COUNT && used < sizeof(names); i++) {
		const char *between = i + 1 == METHOD_COUNT ? " or " : ", ";

		used += (size_t)snprintf(names + used, sizeof(names) - used,
					 "%s%s", i ? between : "",
					 methods[i].name);
	}
	return names;
}

const char *prune_method_lines(void)
{
	static _Thread_local char lines[METHOD_COUNT * LINE_LENGTH];
	size_t used = 0;

	for (size_t i = 0; i < METHOD_COUNT && used < sizeof(lines); i++)
		used += (size_t)snprintf(
			lines + used, sizeof(lines) - used, "  %-11s %-7s %s\n",
			methods[i].name,
			methods[i].scope == PRUNE_GLOBAL ? "global" : "layer",
			methods[i].about);
	return lines;
}

int prune_method_check(const struct prune_method *method,
		       const struct prune_budget *budget)
{
	if (!budget->pattern.of || method->patterns ||
	    (method->score && !method->shrinks))
		return 0;
	return accel_error(
		-ENOTSUP, "%s has its own way to choose, and not %d of each %d",
		method->name, budget->pattern.keep, budget->pattern.of);
}

void prune_method_settle(const struct graph *graph,
			 const struct prune_mask *mask, float **scores)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		int64_t count = graph_shape_count(&graph->tensors[t].shape);

		if (!mask->keep[t] || !memchr(mask->keep[t], 0, (size_t)count))
			continue;
		for (int64_t i = 0; i < count; i++)
			scores[t][i] = mask->keep[t][i] ?
					       fmaxf(scores[t][i], FLT_MIN) :
					       0;
	}
}

static int apply_scores(const struct prune_method *method,
			const struct prune_method_context *context,
			struct graph *graph, struct prune_mask *mask)
{
	float **scores = saliency_create(context->graph);
	int ret;

	if (!scores)
		return accel_error(-ENOMEM, "out of memory while pruning");
	ret = method->score(context, scores);
	if (!ret)
		prune_method_settle(context->graph, mask, scores);
	if (!ret)
		ret = prune_scores(context->graph, (const float *const *)scores,
				   context->budget, mask);
	if (!ret)
		prune_apply(graph, mask);
	saliency_destroy(scores, context->graph);
	return ret;
}

int prune_method_apply(const struct prune_method *method,
		       const struct prune_method_context *context,
		       struct graph *graph, struct prune_mask *mask)
{
	int ret = prune_method_check(method, context->budget);

	if (ret)
		return ret;
	if (method->solve)
		return method->solve(context, graph, mask);
	return apply_scores(method, context, graph, mask);
}
