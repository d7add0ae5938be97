// SPDX-License-Identifier: MIT
/* One whole network: pruned, repaired, quantized, measured. */
#include <compress/automatic_search.h>
#include <compress/reconstruct.h>
#include <compress/saliency.h>
#include <compress/structured.h>
#include <core/crc32c.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool automatic_bounds_quality(const struct automatic_search *search)
{
	return search->options->target.quantity == AUTOMATIC_PSNR ||
	       search->options->target.quantity == AUTOMATIC_FID;
}

bool automatic_counts_cycles(const struct automatic_search *search)
{
	return search->options->target.quantity == AUTOMATIC_CYCLES ||
	       (automatic_bounds_quality(search) && search->options->fast);
}

double automatic_cost(const struct automatic_search *search,
		      const struct automatic_measurement *measured)
{
	if (automatic_counts_cycles(search))
		return (double)measured->cycles;
	if (search->options->target.quantity == AUTOMATIC_SPARSITY)
		return (double)measured->nonzeros;
	return (double)measured->bytes;
}

/**
 * struct network - on its way
 * @graph: a copy of the dense one
 * @mask: of it
 * @chosen: for each layer
 * @model: int8
 */
struct network {
	struct graph *graph;
	struct prune_mask *mask;
	struct automatic_pick *chosen;
	struct model *model;
};

static int network_create(const struct automatic_search *search,
			  struct network *network)
{
	*network = (struct network){
		.graph = graph_clone(search->graph),
		.mask = prune_mask_create(search->graph),
		.chosen = calloc((size_t)search->sensitivity.count + 1,
				 sizeof(*network->chosen)),
	};
	return network->graph && network->mask && network->chosen ?
		       0 :
		       accel_error(-ENOMEM, "no memory for a network to try");
}

static void network_release(struct network *network)
{
	graph_destroy(network->graph);
	prune_mask_destroy(network->mask);
	free(network->chosen);
	model_destroy(network->model);
}

static void keep_scored(const struct graph *graph, float *const *scores,
			struct prune_mask *mask)
{
	for (int t = 0; t < graph->tensor_count; t++)
		for (int64_t i = 0;
		     scores[t] &&
		     i < graph_shape_count(&graph->tensors[t].shape);
		     i++)
			mask->keep[t][i] = scores[t][i] > 0;
}

/* What channels are worth does not depend on how many go, and is known. */
static int prune_channels(const struct prune_method_context *context,
			  float *const *known, bool whole,
			  struct prune_mask *mask)
{
	const struct graph *graph = context->graph;
	float **scores = saliency_create(graph);
	int ret = scores ? 0 : accel_error(-ENOMEM, "no memory for scores");

	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (scores[t])
			memcpy(scores[t], known[t],
			       sizeof(float) *
				       (size_t)graph_shape_count(
					       &graph->tensors[t].shape));
	if (!ret)
		ret = structured_choose(context, scores);
	if (!ret && whole)
		keep_scored(graph, scores, mask);
	else if (!ret)
		ret = prune_scores(graph, (const float *const *)scores,
				   context->budget, mask);
	saliency_destroy(scores, graph);
	return ret;
}

static int prune_by_method(const struct automatic_search *search,
			   const struct automatic_plan *plan,
			   struct network *network)
{
	const struct automatic_method *method = &search->methods[plan->method];
	const struct prune_budget budget = {
		.sparsity = 1 - plan->kept,
		.scope = plan->scope,
		.costs = plan->by_cost ? search->weight_costs : NULL,
		.floor = method->method->needs_data,
	};
	const struct prune_method_context context = {
		.graph = search->graph,
		.data = search->pruning,
		.budget = &budget,
		.seed = search->options->compress.seed,
		.workers = search->options->compress.workers,
	};
	int ret;

	for (int l = 0; l < search->sensitivity.count; l++)
		network->chosen[l].method = plan->method;
	if (method->method->shrinks)
		ret = prune_channels(&context, method->scores, plan->whole,
				     network->mask);
	else if (method->scores)
		ret = prune_scores(search->graph,
				   (const float *const *)method->scores,
				   &budget, network->mask);
	else
		ret = prune_method_apply(method->method, &context,
					 network->graph, network->mask);
	/* a layer that would be empty, or is not for this method: others go on */
	return ret == -EINVAL || ret == -ENOTSUP ? -ERANGE : ret;
}

/* Each layer loses as many weights as it was allotted. */
static int solve_allocated(const struct automatic_search *search,
			   const struct automatic_plan *plan,
			   const double *sparsities, struct network *network)
{
	const struct prune_budget budget = {
		.scope = PRUNE_PER_LAYER,
		.sparsities = sparsities,
	};
	const struct prune_method_context context = {
		.graph = search->graph,
		.data = search->pruning,
		.budget = &budget,
		.seed = search->options->compress.seed,
		.workers = search->options->compress.workers,
	};
	int ret;

	prune_mask_destroy(network->mask);
	network->mask = prune_mask_create(search->graph);
	if (!network->mask)
		return accel_error(-ENOMEM, "no memory for a network to try");
	ret = prune_method_apply(plan->solver, &context, network->graph,
				 network->mask);
	return ret == -EINVAL || ret == -ENOTSUP ? -ERANGE : ret;
}

static int find_solver(const struct automatic_search *search,
		       const struct prune_method *solver)
{
	int m = 0;

	while (m < search->method_count && search->methods[m].method != solver)
		m++;
	return m;
}

static int prune_allocated(const struct automatic_search *search,
			   const struct automatic_plan *plan,
			   struct network *network)
{
	double *sparsities;
	int ret = automatic_allocate(search, plan, network->mask,
				     network->chosen);

	if (ret || !plan->solver)
		return ret;
	sparsities = calloc((size_t)search->graph->tensor_count + 1,
			    sizeof(*sparsities));
	if (!sparsities)
		return accel_error(-ENOMEM, "no memory for a network to try");
	for (int l = 0; l < search->sensitivity.count; l++) {
		const struct sensitivity_layer *layer =
			&search->sensitivity.layers[l];
		const uint8_t *keep = network->mask->keep[layer->tensor];
		int64_t gone = 0;

		for (int64_t i = 0; i < layer->weights; i++)
			gone += !keep[i];
		sparsities[layer->tensor] =
			(double)gone / (double)layer->weights;
		if (gone)
			network->chosen[l].method =
				find_solver(search, plan->solver);
	}
	ret = solve_allocated(search, plan, sparsities, network);
	free(sparsities);
	return ret;
}

static int prune_network(const struct automatic_search *search,
			 const struct automatic_plan *plan,
			 struct network *network)
{
	int ret;

	/* all stays, as the mask has it */
	if (plan->kept >= 1)
		return 0;
	ret = plan->method == AUTOMATIC_ALLOCATED ?
		      prune_allocated(search, plan, network) :
		      prune_by_method(search, plan, network);
	if (!ret)
		prune_apply(network->graph, network->mask);
	return ret;
}

/* Channels that nobody reads go for good, when what is left has been repaired. */
static int shrink_network(const struct automatic_search *search,
			  const struct automatic_plan *plan,
			  struct network *network)
{
	if (plan->kept >= 1 || plan->method == AUTOMATIC_ALLOCATED ||
	    !search->methods[plan->method].method->shrinks)
		return 0;
	return structured_shrink(network->graph, search->pruning,
				 network->mask);
}

static const char *strategy_name(const struct automatic_search *search,
				 const struct automatic_plan *plan)
{
	if (plan->kept >= 1)
		return search->width < 1 ? "structured" : "dense";
	return plan->method == AUTOMATIC_ALLOCATED ?
		       "allocation" :
		       search->methods[plan->method].method->name;
}

/* The formats of all tensors; NULL without memory. */
static struct weight_format *formats_of(const struct automatic_search *search,
					const struct network *network,
					bool *mixed)
{
	const struct sensitivity *all = &search->sensitivity;
	struct weight_format *formats = calloc(
		(size_t)search->graph->tensor_count + 1, sizeof(*formats));

	*mixed = false;
	for (int t = 0; formats && t < search->graph->tensor_count; t++)
		formats[t] = search->formats[0];
	for (int l = 0; formats && l < all->count; l++) {
		int format = network->chosen[l].format;

		formats[all->layers[l].tensor] = search->formats[format];
		*mixed |= format > 0;
	}
	return formats;
}

/* Of few bits each counts, and is rounded with care; to know the size there is no need. */
static int quantize(const struct automatic_search *search,
		    const struct automatic_plan *plan,
		    const struct calibration_data *data,
		    struct network *network)
{
	struct compress_options options = search->options->compress;
	bool mixed;
	struct weight_format *formats = formats_of(search, network, &mixed);
	int ret;

	if (!formats)
		return accel_error(-ENOMEM, "no memory for a network to try");
	options.mask = network->mask;
	options.method = "automatic";
	options.formats = formats;
	if (mixed && data == search->data)
		options.rounding = ROUNDING_GPTQ;
	model_destroy(network->model);
	network->model = NULL;
	ret = compress_quantize(network->graph, &options, data, network->mask,
				&network->model);
	free(formats);
	if (!ret)
		network->model->dense_bytes = search->dense_bytes;
	return ret ? ret :
		     automatic_describe(search, strategy_name(search, plan),
					network->graph, network->mask,
					network->chosen, network->model);
}

static void ignore_layer(void *context, const char *name, uint64_t cycles)
{
	(void)context;
	(void)name;
	(void)cycles;
}

static int measure_cost(const struct automatic_search *search,
			const struct network *network,
			struct automatic_measurement *measured)
{
	const struct automatic_probe *probe = search->options->probe;
	int ret = probe->size(probe->context, network->model, &measured->bytes);

	measured->nonzeros =
		prune_count(network->graph, network->mask, &measured->weights);
	if (search->weights)
		measured->weights = search->weights;
	if (!ret && automatic_counts_cycles(search))
		ret = probe->time(probe->context, network->model,
				  &measured->cycles, ignore_layer, NULL);
	return ret;
}

/* Ranges do not change what a model costs: one sample is enough. */
static int price(struct automatic_search *search,
		 const struct automatic_plan *plan, struct network *network,
		 struct automatic_measurement *measured)
{
	struct calibration_data one = *search->data;
	int ret = prune_network(search, plan, network);

	one.sample_count = 1;
	if (ret)
		return ret;
	if (search->options->target.quantity == AUTOMATIC_SPARSITY) {
		measured->nonzeros = prune_count(search->graph, network->mask,
						 &measured->weights);
		return 0;
	}
	ret = shrink_network(search, plan, network);
	if (!ret)
		ret = quantize(search, plan, &one, network);
	return ret ? ret : measure_cost(search, network, measured);
}

int automatic_price(struct automatic_search *search,
		    const struct automatic_plan *plan, double *cost)
{
	struct automatic_measurement measured = { .quality = 0 };
	struct automatic_plan like = *plan;
	struct network network;
	int ret = network_create(search, &network);

	/* as many weights, whoever chooses them */
	like.solver = NULL;
	if (!ret)
		ret = price(search, &like, &network, &measured);
	*cost = automatic_cost(search, &measured);
	network_release(&network);
	return ret;
}

/* ---- trials ---- */

static bool meets(const struct automatic_search *search,
		  const struct automatic_measurement *measured)
{
	if (automatic_bounds_quality(search))
		return measured->quality >= search->bound;
	return automatic_cost(search, measured) <= search->bound;
}

/*
 * What meets the target comes first; of these the cheapest or the best, of the others
 * what is nearest to it.
 */
static bool is_better(const struct automatic_search *search,
		      const struct automatic_trial *trial)
{
	const struct automatic_trial *best = &search->result->best;
	double cost = automatic_cost(search, &trial->measured);
	double best_cost = automatic_cost(search, &best->measured);

	if (!search->result->model)
		return true;
	if (trial->meets != best->meets)
		return trial->meets;
	if (automatic_bounds_quality(search) == trial->meets &&
	    cost != best_cost)
		return cost < best_cost;
	return trial->measured.quality > best->measured.quality;
}

static void take(struct automatic_search *search, struct network *network,
		 const struct automatic_trial *trial)
{
	struct automatic_result *result = search->result;
	const struct network old = { result->graph, result->mask,
				     search->chosen, result->model };

	result->graph = network->graph;
	result->mask = network->mask;
	result->model = network->model;
	search->chosen = network->chosen;
	result->best = *trial;
	*search->owner = search;
	*network = old;
}

static uint32_t fingerprint(const struct automatic_search *search,
			    const struct network *network)
{
	const struct graph *graph = network->graph;
	const struct prune_mask *mask = network->mask;
	uint32_t sum = 0;

	for (int l = 0; l < search->sensitivity.count; l++)
		sum = crc32c(sum, &network->chosen[l].format,
			     sizeof(network->chosen[l].format));

	for (int t = 0; t < mask->tensor_count; t++)
		if (mask->keep[t])
			sum = crc32c(sum, mask->keep[t],
				     (size_t)graph_shape_count(
					     &graph->tensors[t].shape));
	return sum;
}

/* Was this allocation tried before? */
static const struct automatic_trial *
find_trial(const struct automatic_search *search, const struct network *network)
{
	const struct automatic_result *result = search->result;
	uint32_t sum = fingerprint(search, network);

	for (int i = 0; i < result->trial_count; i++)
		if (!strcmp(result->trials[i].strategy, "allocation") &&
		    result->trials[i].width == search->width &&
		    result->trials[i].fingerprint == sum)
			return &result->trials[i];
	return NULL;
}

static int add_trial(struct automatic_search *search,
		     const struct automatic_plan *plan, struct network *network,
		     const struct automatic_measurement *measured)
{
	struct automatic_result *result = search->result;
	struct automatic_trial trial = {
		.strategy = strategy_name(search, plan),
		.scope = plan->scope,
		.by_cost = plan->by_cost,
		.width = search->width,
		.search = plan->search,
		.solver = plan->solver ? plan->solver->name : NULL,
		.fingerprint = fingerprint(search, network),
		.kept = plan->kept,
		.measured = *measured,
		.meets = meets(search, measured),
	};
	struct automatic_trial *trials =
		realloc(result->trials,
			((size_t)result->trial_count + 1) * sizeof(*trials));

	if (!trials)
		return accel_error(-ENOMEM, "no memory for the trials");
	result->trials = trials;
	trials[result->trial_count++] = trial;
	if (is_better(search, &trial))
		take(search, network, &trial);
	automatic_tell(search, NULL, 0, 0);
	return 0;
}

/* What is pruned gets weights that make up for it, and loses what nobody reads. */
static int repair(struct automatic_search *search,
		  const struct automatic_plan *plan, struct network *network)
{
	const struct reconstruct_options how = {
		.workers = search->options->compress.workers
	};
	int ret = 0;

	/* without a zero there is nothing to repair */
	if (plan->kept < 1)
		ret = reconstruct_least_squares(search->graph, network->graph,
						network->mask, search->pruning,
						&how);
	return ret ? ret : shrink_network(search, plan, network);
}

int automatic_make(struct automatic_search *search,
		   const struct automatic_plan *plan, struct graph **graph)
{
	struct network network;
	int ret = network_create(search, &network);

	if (!ret)
		ret = prune_network(search, plan, &network);
	if (!ret)
		ret = repair(search, plan, &network);
	if (!ret) {
		*graph = network.graph;
		network.graph = NULL;
	}
	network_release(&network);
	return ret;
}

static int measure_network(struct automatic_search *search,
			   const struct automatic_plan *plan,
			   struct network *network,
			   struct automatic_measurement *measured)
{
	const struct automatic_probe *probe = search->options->probe;
	int ret = repair(search, plan, network);

	if (!ret)
		ret = quantize(search, plan, search->data, network);
	if (!ret)
		ret = measure_cost(search, network, measured);
	if (!ret)
		ret = probe->quality(probe->context, network->model,
				     &measured->quality);
	return ret ? ret : add_trial(search, plan, network, measured);
}

int automatic_try(struct automatic_search *search,
		  const struct automatic_plan *plan,
		  struct automatic_measurement *measured)
{
	const struct automatic_trial *known = NULL;
	struct network network;
	int ret = network_create(search, &network);

	*measured = (struct automatic_measurement){ .quality = 0 };
	if (!ret)
		ret = prune_network(search, plan, &network);
	if (!ret && plan->method == AUTOMATIC_ALLOCATED)
		known = find_trial(search, &network);
	if (known)
		*measured = known->measured;
	else if (!ret)
		ret = measure_network(search, plan, &network, measured);
	network_release(&network);
	return ret;
}
