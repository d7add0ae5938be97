// SPDX-License-Identifier: MIT
/* Who gets how much: layers' losses and costs, and the allocation of a budget to them. */
#include <compress/allocation.h>
#include <compress/automatic_search.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Candidates between two that were measured, the second of them included. */
#define SUBSTEPS 8
#define KEPT_STEPS (AUTOMATIC_KEPT_COUNT * SUBSTEPS + 1)
#define STEPS 3000
/* What a tilt of 1 makes of a layer's loss, in logarithms. */
#define TILT_STRENGTH 1.5

const double automatic_kept[AUTOMATIC_KEPT_COUNT] = {
	0.7, 0.5, 0.3, 0.18, 0.1, 0.05, 0.02,
};

/* Of the points 1 and automatic_kept. */
static double kept_at(int point)
{
	return point ? automatic_kept[point - 1] : 1;
}

/* The last point that keeps as much as @kept or more, and how far behind it that is. */
static int find_point(double kept, double *part)
{
	int point = 0;

	while (point < AUTOMATIC_KEPT_COUNT - 1 && kept < kept_at(point + 1))
		point++;
	*part = (kept_at(point) - kept) / (kept_at(point) - kept_at(point + 1));
	*part = fmin(fmax(*part, 0), 1);
	return point;
}

/* ---- losses ---- */

static int layer_method(const struct automatic_search *search, int method)
{
	for (int i = 0; i < search->layer_method_count; i++)
		if (search->layer_methods[i] == method)
			return i;
	return -1;
}

/* Losses grow by orders of magnitude: between two, their logarithms are on a line. */
double automatic_loss(const struct automatic_search *search, int layer,
		      int method, double kept)
{
	int index = layer_method(search, method), point;
	const double *losses;
	double part, low, high;

	if (index < 0)
		return NAN;
	losses = search->sensitivity.layers[layer].losses +
		 index * AUTOMATIC_KEPT_COUNT;
	point = find_point(kept, &part);
	low = point ? losses[point - 1] : 0;
	high = losses[point];
	if (low > 0 && high > 0)
		return exp(log(low) + part * (log(high) - log(low)));
	return low + part * part * (high - low);
}

/* Of fewer weights there are fewer errors, of the same size. */
double automatic_format_loss(const struct automatic_search *search, int layer,
			     int format, double kept)
{
	return format ? kept * search->sensitivity.layers[layer]
					.format_losses[format - 1] :
			0;
}

/* ---- cycles ---- */

/** struct profile - what a run of the probe adds up */
struct profile {
	struct automatic_search *search;
	int point;
};

/* A node's cycles, shared by its matrices as their weights. */
static void add_cycles(void *context, const char *name, uint64_t cycles)
{
	const struct profile *profile = context;
	const struct automatic_search *search = profile->search;
	const struct sensitivity *all = &search->sensitivity;
	int64_t weights = 0;

	for (int l = 0; l < all->count; l++)
		if (!strcmp(search->graph->nodes[all->layers[l].node].name,
			    name))
			weights += all->layers[l].weights;
	for (int l = 0; l < all->count; l++)
		if (!strcmp(search->graph->nodes[all->layers[l].node].name,
			    name))
			search->cycles[l * (AUTOMATIC_KEPT_COUNT + 1) +
				       profile->point] +=
				(double)cycles *
				(double)all->layers[l].weights /
				(double)weights;
}

/* Every matrix keeps the same part: the largest weights, as for cycles any do. */
static int profile_point(struct automatic_search *search, int point,
			 struct graph *graph, struct prune_mask *mask)
{
	const struct automatic_probe *probe = search->options->probe;
	struct compress_options options = search->options->compress;
	struct calibration_data one = *search->data;
	struct profile profile = { search, point };
	struct model *model = NULL;
	uint64_t cycles;
	int ret = 0;

	for (int l = 0; l < search->sensitivity.count && !ret; l++) {
		const struct sensitivity_layer *layer =
			&search->sensitivity.layers[l];

		ret = prune_select(search->graph->tensors[layer->tensor].data,
				   (size_t)layer->weights,
				   (size_t)sensitivity_keep_count(
					   layer->weights, kept_at(point)),
				   mask->keep[layer->tensor]);
	}
	if (ret)
		return ret;
	prune_apply(graph, mask);
	options.mask = mask;
	one.sample_count = 1;
	ret = compress_quantize(graph, &options, &one, mask, &model);
	if (!ret)
		ret = probe->time(probe->context, model, &cycles, add_cycles,
				  &profile);
	model_destroy(model);
	return ret;
}

/* From one end to the other, the average; at least a trifle, for no weight is free. */
static void price_weights(struct automatic_search *search)
{
	for (int t = 0; t < search->graph->tensor_count; t++)
		search->weight_costs[t] = 1;
	for (int l = 0; l < search->sensitivity.count; l++) {
		const struct sensitivity_layer *layer =
			&search->sensitivity.layers[l];
		const double *cycles =
			search->cycles + l * (AUTOMATIC_KEPT_COUNT + 1);
		double saved = cycles[0] - cycles[AUTOMATIC_KEPT_COUNT];

		search->weight_costs[layer->tensor] =
			fmax(saved, 1) / (double)layer->weights;
	}
}

int automatic_profile(struct automatic_search *search)
{
	size_t layers = (size_t)search->sensitivity.count;
	struct graph *graph = graph_clone(search->graph);
	struct prune_mask *mask = prune_mask_create(search->graph);
	int ret = 0;

	search->cycles = calloc(layers * (AUTOMATIC_KEPT_COUNT + 1),
				sizeof(*search->cycles));
	search->weight_costs = calloc((size_t)search->graph->tensor_count + 1,
				      sizeof(*search->weight_costs));
	if (!graph || !mask || !search->cycles || !search->weight_costs)
		ret = accel_error(-ENOMEM, "no memory for the layers' cycles");
	for (int p = 0; p <= AUTOMATIC_KEPT_COUNT && !ret; p++) {
		automatic_tell(search, "simulating the layers", p,
			       AUTOMATIC_KEPT_COUNT + 1);
		ret = profile_point(search, p, graph, mask);
	}
	if (!ret)
		price_weights(search);
	graph_destroy(graph);
	prune_mask_destroy(mask);
	return ret;
}

/* ---- the allocation ---- */

/** struct option_kept - what stands behind a candidate */
struct option_kept {
	struct automatic_pick pick;
	double kept;
};

/* Bytes of the compact form, H(p) + b·p bits for each weight; non-zeros; or cycles. */
static double cost_of(const struct automatic_search *search, int layer,
		      double kept, int format)
{
	double weights = (double)search->sensitivity.layers[layer].weights;
	double part, bits, entropy = 0;
	const double *cycles;
	int point;

	if (automatic_counts_cycles(search)) {
		point = find_point(kept, &part);
		cycles = search->cycles + layer * (AUTOMATIC_KEPT_COUNT + 1) +
			 point;
		return cycles[0] + part * (cycles[1] - cycles[0]);
	}
	if (search->options->target.quantity == AUTOMATIC_SPARSITY)
		return kept * weights;
	if (kept < 1)
		entropy = -kept * log2(kept) - (1 - kept) * log2(1 - kept);
	bits = search->code_bits[layer * search->format_count + format];
	return (entropy + bits * kept) * weights / 8;
}

/* Where it lies, whether at an end, how large it is: each −1 … 1. */
static double tilt_of(const struct automatic_search *search,
		      const struct automatic_plan *plan, int layer)
{
	const struct sensitivity *all = &search->sensitivity;
	double position = all->count > 1 ? 2.0 * layer / (all->count - 1) - 1 :
					   0;
	double least = INFINITY, most = 0, size;

	for (int l = 0; l < all->count; l++) {
		least = fmin(least, (double)all->layers[l].weights);
		most = fmax(most, (double)all->layers[l].weights);
	}
	size = most > least ?
		       2 * log((double)all->layers[layer].weights / least) /
				       log(most / least) -
			       1 :
		       0;
	return exp(TILT_STRENGTH * (plan->tilt[0] * position +
				    plan->tilt[1] * (2 * fabs(position) - 1) +
				    plan->tilt[2] * size));
}

/* False for a format that the layer cannot have. */
static bool add_candidate(const struct automatic_search *search, int layer,
			  struct automatic_pick pick, double kept, double tilt,
			  struct allocation_candidate *candidate,
			  struct option_kept *option)
{
	double weights = (double)search->sensitivity.layers[layer].weights;
	double loss;

	/* what really stays is a whole number */
	kept = (double)sensitivity_keep_count((int64_t)weights, kept) / weights;
	loss = automatic_format_loss(search, layer, pick.format, kept);
	if (kept < 1)
		loss += automatic_loss(search, layer, pick.method, kept);
	*option = (struct option_kept){ pick, kept };
	candidate->loss = tilt * loss;
	candidate->cost = cost_of(search, layer, kept, pick.format);
	return isfinite(candidate->loss);
}

/* From 1 to the least that was measured. */
static double kept_between(int step)
{
	int point = step / SUBSTEPS;
	double part = (double)(step % SUBSTEPS) / SUBSTEPS;
	double kept = kept_at(point);

	if (part > 0)
		kept += part * (kept_at(point + 1) - kept);
	return kept;
}

static int fill_layer(const struct automatic_search *search,
		      const struct automatic_plan *plan, int layer,
		      struct allocation_candidate *candidates,
		      struct option_kept *options)
{
	double tilt = tilt_of(search, plan, layer);
	int methods = search->layer_method_count;
	int ways = methods * search->format_count, count = 0;

	for (int i = 0; i < ways; i++) {
		struct automatic_pick pick = {
			.method = search->layer_methods[i % methods],
			.format = i / methods,
		};

		for (int k = 0; k < KEPT_STEPS; k++)
			count += add_candidate(search, layer, pick,
					       kept_between(k), tilt,
					       &candidates[count],
					       &options[count]);
	}
	return count;
}

/* The mask of a choice: each layer's own method, each its own part. */
static int select_layers(const struct automatic_search *search,
			 const struct option_kept *options, int stride,
			 const int *picked, struct prune_mask *mask,
			 struct automatic_pick *chosen)
{
	int ret = 0;

	for (int l = 0; l < search->sensitivity.count && !ret; l++) {
		const struct sensitivity_layer *layer =
			&search->sensitivity.layers[l];
		const struct option_kept *option =
			&options[l * stride + picked[l]];

		chosen[l] = option->pick;
		ret = prune_select(search->methods[option->pick.method]
					   .scores[layer->tensor],
				   (size_t)layer->weights,
				   (size_t)sensitivity_keep_count(
					   layer->weights, option->kept),
				   mask->keep[layer->tensor]);
	}
	return ret;
}

/** struct problem - the allocation's arrays */
struct problem {
	struct allocation_layer *layers;
	struct allocation_candidate *candidates;
	struct option_kept *options;
	int *picked;
};

static int solve(const struct automatic_search *search,
		 const struct automatic_plan *plan, int stride,
		 struct problem *problem)
{
	double budget = 0;

	for (int l = 0; l < search->sensitivity.count; l++) {
		struct allocation_candidate *own =
			problem->candidates + l * stride;

		problem->layers[l] = (struct allocation_layer){
			own, fill_layer(search, plan, l, own,
					problem->options + l * stride)
		};
		budget += cost_of(search, l, 1, 0);
	}
	return allocation_solve(problem->layers, search->sensitivity.count,
				plan->kept * budget, STEPS, problem->picked);
}

int automatic_allocate(const struct automatic_search *search,
		       const struct automatic_plan *plan,
		       struct prune_mask *mask, struct automatic_pick *chosen)
{
	int stride =
		search->layer_method_count * search->format_count * KEPT_STEPS;
	size_t layers = (size_t)search->sensitivity.count;
	size_t all = layers * (size_t)stride;
	struct problem problem = {
		.layers = calloc(layers, sizeof(*problem.layers)),
		.candidates = calloc(all, sizeof(*problem.candidates)),
		.options = calloc(all, sizeof(*problem.options)),
		.picked = calloc(layers, sizeof(*problem.picked)),
	};
	int ret = problem.layers && problem.candidates && problem.options &&
				  problem.picked ?
			  solve(search, plan, stride, &problem) :
			  accel_error(-ENOMEM, "no memory to allocate");

	if (!ret)
		ret = select_layers(search, problem.options, stride,
				    problem.picked, mask, chosen);
	free(problem.layers);
	free(problem.candidates);
	free(problem.options);
	free(problem.picked);
	return ret;
}
