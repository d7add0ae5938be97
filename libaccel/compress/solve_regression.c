// SPDX-License-Identifier: MIT
#include <compress/reconstruct.h>
#include <compress/saliency.h>
#include <compress/score_layer.h>
#include <compress/solve_regression.h>
#include <compress/sparse_regression.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As least squares has it after any other method. */
#define RIDGE 5e-4

/* A mask of the layers that are to be pruned, and of no others. */
static struct prune_mask *own_mask(const struct prune_method_context *context)
{
	struct prune_mask *mask = prune_mask_create(context->graph);

	for (int t = 0; mask && t < mask->tensor_count; t++)
		if (context->layers && !context->layers[t]) {
			free(mask->keep[t]);
			mask->keep[t] = NULL;
		}
	return mask;
}

/* How many stay where; and which, of weights that several nodes share. */
static int deal_out(const struct prune_method_context *context,
		    struct prune_mask *mask)
{
	float **scores = saliency_create(context->graph);
	int ret;

	if (!scores)
		return accel_error(-ENOMEM, "out of memory while pruning");
	ret = score_obd(context, scores);
	if (!ret)
		ret = prune_scores(context->graph, (const float *const *)scores,
				   context->budget, mask);
	saliency_destroy(scores, context->graph);
	return ret;
}

static void take_over(const struct graph *graph, const struct prune_mask *own,
		      struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++)
		if (own->keep[t])
			memcpy(mask->keep[t], own->keep[t],
			       (size_t)graph_shape_count(
				       &graph->tensors[t].shape));
}

static int solve(const struct prune_method_context *context,
		 struct graph *pruned, struct prune_mask *mask,
		 enum sparse_norm norm)
{
	struct sparse_regression regression = { .norm = norm, .ridge = RIDGE };
	const struct layer_solver solver = {
		.solve = sparse_regression_solve,
		.context = &regression,
	};
	struct prune_mask *own = own_mask(context);
	int ret = own ? deal_out(context, own) :
			accel_error(-ENOMEM, "out of memory while pruning");

	if (!ret)
		ret = reconstruct_layers(context->graph, pruned, own,
					 context->data, &solver,
					 context->workers);
	if (!ret) {
		take_over(pruned, own, mask);
		prune_apply(pruned, own);
	}
	prune_mask_destroy(own);
	return ret;
}

int solve_l0(const struct prune_method_context *context, struct graph *pruned,
	     struct prune_mask *mask)
{
	return solve(context, pruned, mask, SPARSE_L0);
}

int solve_l1(const struct prune_method_context *context, struct graph *pruned,
	     struct prune_mask *mask)
{
	return solve(context, pruned, mask, SPARSE_L1);
}
