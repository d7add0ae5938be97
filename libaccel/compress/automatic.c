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

bool automatic_is_stopped(const struct automatic_search *search)
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
	search->weights = search->dense.weights;
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
		ret = automatic_try_methods(search);
	if (!ret && !automatic_is_stopped(search))
		ret = automatic_measure_layers(search);
	if (!ret && !automatic_is_stopped(search) && search->layer_method_count)
		ret = automatic_try_allocations(search);
	if (!ret && !automatic_is_stopped(search) &&
	    automatic_counts_cycles(search))
		ret = automatic_try_narrower(search);
	/* what has been found is worth having */
	return ret == -EINTR && automatic_is_stopped(search) ? 0 : ret;
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

void automatic_search_release(struct automatic_search *search)
{
	for (int i = 0; i < AUTOMATIC_NARROWER; i++) {
		if (!search->narrower[i])
			continue;
		automatic_search_release(search->narrower[i]);
		free(search->narrower[i]);
	}
	for (int m = 0; m < search->method_count; m++)
		saliency_destroy(search->methods[m].scores, search->graph);
	if (search->pruning == &search->patches)
		calibration_data_release(&search->patches);
	sensitivity_release(&search->sensitivity);
	free(search->code_bits);
	free(search->cycles);
	free(search->weight_costs);
	free(search->chosen);
	graph_destroy(search->own);
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
		ret = automatic_prepare_methods(search, true);
	if (!ret)
		ret = automatic_prepare_methods(search, false);
	if (!ret)
		ret = explore(search);
	if (!ret)
		ret = automatic_report(*search->owner);
	if (ret)
		return ret;
	search->result->stopped = automatic_is_stopped(search);
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
	struct automatic_search *owner;
	struct automatic_search search = {
		.graph = graph,
		.options = &own,
		.data = data,
		.result = result,
		.width = 1,
		.dense_bytes = compress_dense_bytes(graph),
		.owner = &owner,
	};
	int ret;

	*result = (struct automatic_result){ .model = NULL };
	if (own.compress.workers < 1)
		own.compress.workers = parallel_processors();
	if (!own.search)
		own.search = point_search_get(0);
	ret = run(&search);
	automatic_search_release(&search);
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
