// SPDX-License-Identifier: MIT
#include <compress/executor.h>
#include <compress/graph_variant.h>
#include <compress/graph_walk.h>
#include <compress/parallel.h>
#include <compress/prune.h>
#include <compress/reconstruct.h>
#include <compress/rounding.h>
#include <compress/sensitivity.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct measuring - one call, for its threads
 * @sensitivity: result
 * @graph: dense
 * @check: to measure on
 * @options: what to try
 * @seen: values of @graph on what is repaired with, up to a node
 * @reached: those on @check, likewise
 * @outputs: of the dense graph, [sample · output_count + output]
 * @lock: guards @done, and the observer's calls
 * @done: candidates
 */
struct measuring {
	struct sensitivity *sensitivity;
	const struct graph *graph;
	const struct calibration_data *check;
	const struct sensitivity_options *options;
	struct graph_walk *seen;
	struct graph_walk *reached;
	float **outputs;
	pthread_mutex_t lock;
	int done;
};

int64_t sensitivity_keep_count(int64_t weights, double kept)
{
	int64_t count = llround(kept * (double)weights);

	return count < 1 ? 1 : count > weights ? weights : count;
}

/* ---- layers ---- */

static int reader_of(const struct graph *graph, int tensor)
{
	for (int n = 0; n < graph->node_count; n++)
		for (int i = 0; i < graph->nodes[n].input_count; i++)
			if (graph->nodes[n].inputs[i] == tensor)
				return n;
	return -1;
}

static int add_layer(struct sensitivity *sensitivity, const struct graph *graph,
		     int tensor)
{
	struct sensitivity_layer *layer =
		&sensitivity->layers[sensitivity->count];

	*layer = (struct sensitivity_layer){
		.tensor = tensor,
		.node = reader_of(graph, tensor),
		.weights = graph_shape_count(&graph->tensors[tensor].shape),
		.losses = calloc((size_t)(sensitivity->methods *
					  sensitivity->kept_count) +
					 1,
				 sizeof(double)),
		.format_losses = calloc((size_t)sensitivity->format_count + 1,
					sizeof(double)),
	};
	sensitivity->count++;
	return layer->losses && layer->format_losses ?
		       0 :
		       accel_error(-ENOMEM, "no memory for the layers' losses");
}

int sensitivity_create(struct sensitivity *sensitivity,
		       const struct graph *graph, int methods, int kept_count,
		       int format_count)
{
	int ret = 0;

	*sensitivity = (struct sensitivity){
		.layers = calloc((size_t)graph->tensor_count + 1,
				 sizeof(*sensitivity->layers)),
		.methods = methods,
		.kept_count = kept_count,
		.format_count = format_count,
	};
	if (!sensitivity->layers)
		return accel_error(-ENOMEM, "no memory for the layers' losses");
	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (prune_applies(graph, t))
			ret = add_layer(sensitivity, graph, t);
	if (!ret && !sensitivity->count)
		ret = accel_error(-EINVAL, "%s: it has no weights to prune",
				  graph->name);
	if (ret)
		sensitivity_release(sensitivity);
	return ret;
}

void sensitivity_release(struct sensitivity *sensitivity)
{
	for (int l = 0; sensitivity->layers && l < sensitivity->count; l++) {
		free(sensitivity->layers[l].losses);
		free(sensitivity->layers[l].format_losses);
	}
	free(sensitivity->layers);
	*sensitivity = (struct sensitivity){ .layers = NULL };
}

/* ---- runs ---- */

/* What to do with an output of a sample, of so many values. */
typedef int (*output_function)(void *context, int index, size_t count,
			       const float *values);

/** struct runner - the executor of one sample after the other */
struct runner {
	const struct graph *graph;
	struct executor *executor;
	struct graph_shape *shapes;
	const float **values;
};

static int runner_open(struct runner *runner, const struct graph *graph)
{
	size_t inputs = (size_t)graph->input_count + 1;

	*runner = (struct runner){
		.graph = graph,
		.shapes = calloc(inputs, sizeof(*runner->shapes)),
		.values = calloc(inputs, sizeof(*runner->values)),
	};
	return runner->shapes && runner->values ? 0 : -ENOMEM;
}

static void runner_close(struct runner *runner)
{
	executor_destroy(runner->executor);
	free(runner->shapes);
	free(runner->values);
}

/* A new executor for new sizes only. */
static int load_sample(struct runner *runner, const struct array *sample)
{
	bool same = runner->executor;

	for (int i = 0; i < runner->graph->input_count; i++) {
		struct graph_shape *shape = &runner->shapes[i];

		same = same && shape->rank == sample[i].shape.rank &&
		       !memcmp(shape->dims, sample[i].shape.dims,
			       (size_t)shape->rank * sizeof(*shape->dims));
		*shape = sample[i].shape;
		runner->values[i] = sample[i].values;
	}
	if (same)
		return 0;
	executor_destroy(runner->executor);
	runner->executor = NULL;
	return executor_create(&runner->executor, runner->graph, runner->shapes,
			       NULL);
}

/* ---- what is right ---- */

static int keep_output(const struct runner *runner, int tensor, float **output)
{
	size_t count = (size_t)graph_shape_count(
		executor_shape(runner->executor, tensor));

	*output = malloc((count + 1) * sizeof(**output));
	if (!*output)
		return -ENOMEM;
	memcpy(*output, executor_values(runner->executor, tensor),
	       count * sizeof(**output));
	return 0;
}

static int keep_outputs(struct measuring *measuring)
{
	const struct graph *graph = measuring->graph;
	struct runner runner;
	int ret = runner_open(&runner, graph);

	for (int s = 0; s < measuring->check->sample_count && !ret; s++) {
		ret = load_sample(&runner, measuring->check->samples[s]);
		if (!ret)
			ret = executor_run(runner.executor, runner.values);
		for (int o = 0; o < graph->output_count && !ret; o++)
			ret = keep_output(
				&runner, graph->outputs[o],
				&measuring->outputs[s * graph->output_count +
						    o]);
	}
	runner_close(&runner);
	return ret;
}

/* ---- what is lost ---- */

/** struct error_sum - of squared differences, in the order of the outputs */
struct error_sum {
	double squares;
	double count;
};

static void add_errors(struct error_sum *sum, const float *values,
		       const float *dense, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		double error = (double)values[i] - (double)dense[i];

		sum->squares += error * error;
	}
	sum->count += (double)count;
}

/* Of an output that comes before the node nothing is lost. */
static void add_sample(const struct measuring *measuring,
		       const struct runner *runner, int node, int sample,
		       struct error_sum *sum)
{
	const struct graph *graph = runner->graph;

	for (int o = 0; o < graph->output_count; o++) {
		int tensor = graph->outputs[o];
		const float *dense =
			measuring->outputs[sample * graph->output_count + o];
		bool before = graph->tensors[tensor].producer < node;

		add_errors(sum,
			   before ? dense :
				    executor_values(runner->executor, tensor),
			   dense,
			   graph_shape_count(
				   executor_shape(runner->executor, tensor)));
	}
}

/* Before the node all is as it is without it. */
static int run_from(const struct measuring *measuring,
		    const struct graph *graph, int node, struct error_sum *sum)
{
	struct runner runner;
	int ret = runner_open(&runner, graph);

	for (int s = 0; s < measuring->check->sample_count && !ret; s++) {
		ret = load_sample(&runner, measuring->check->samples[s]);
		if (!ret)
			ret = executor_run_from(
				runner.executor, node,
				graph_walk_values(measuring->reached, s));
		if (!ret)
			add_sample(measuring, &runner, node, s, sum);
	}
	runner_close(&runner);
	return ret;
}

/* ---- the candidates of a layer ---- */

/**
 * struct candidate - a way to treat a layer
 * @graph: with its weights
 * @mask: of them
 * @formats: of them, if it rounds
 * @rounding: likewise
 */
struct candidate {
	struct graph *graph;
	struct prune_mask *mask;
	struct weight_format *formats;
	struct rounding *rounding;
};

/**
 * struct layer_run - a layer, for the threads that try its candidates
 * @measuring: the whole
 * @layer: which
 * @candidates: methods by parts, then formats
 * @count: of them
 */
struct layer_run {
	struct measuring *measuring;
	struct sensitivity_layer *layer;
	struct candidate *candidates;
	int count;
};

static int pruned_count(const struct sensitivity_options *options)
{
	return options->methods * options->kept_count;
}

/* Other nodes' matrices are none of the mask's: least squares leaves them alone. */
static void uncover_others(const struct graph *graph, int node,
			   struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		if (!mask->keep[t] || reader_of(graph, t) == node)
			continue;
		free(mask->keep[t]);
		mask->keep[t] = NULL;
	}
}

static int prune_layer(const struct layer_run *run, int index,
		       struct candidate *candidate)
{
	const struct sensitivity_options *options = run->measuring->options;
	const struct sensitivity_layer *layer = run->layer;
	int method = index / options->kept_count;
	double kept = options->kept[index % options->kept_count];
	int ret = prune_select(options->scores[method].scores[layer->tensor],
			       (size_t)layer->weights,
			       (size_t)sensitivity_keep_count(layer->weights,
							      kept),
			       candidate->mask->keep[layer->tensor]);

	if (!ret)
		prune_apply(candidate->graph, candidate->mask);
	return ret;
}

static int round_layer(const struct layer_run *run, int format,
		       struct candidate *candidate)
{
	const struct graph *graph = candidate->graph;

	candidate->formats = calloc((size_t)graph->tensor_count + 1,
				    sizeof(*candidate->formats));
	if (!candidate->formats)
		return -ENOMEM;
	candidate->formats[run->layer->tensor] =
		run->measuring->options->formats[format];
	return rounding_open(&candidate->rounding, candidate->graph,
			     ROUNDING_GPTQ, candidate->mask, candidate->formats,
			     NULL);
}

static int open_candidate(void *context, int index)
{
	const struct layer_run *run = context;
	const struct graph *graph = run->measuring->graph;
	struct candidate *candidate = &run->candidates[index];
	int pruned = pruned_count(run->measuring->options);

	candidate->graph = graph_variant_create(graph, run->layer->node);
	candidate->mask = prune_mask_create(graph);
	if (!candidate->graph || !candidate->mask)
		return -ENOMEM;
	uncover_others(graph, run->layer->node, candidate->mask);
	return index < pruned ? prune_layer(run, index, candidate) :
				round_layer(run, index - pruned, candidate);
}

static void close_candidates(const struct layer_run *run)
{
	for (int i = 0; run->candidates && i < run->count; i++) {
		struct candidate *candidate = &run->candidates[i];

		rounding_close(candidate->rounding);
		free(candidate->formats);
		prune_mask_destroy(candidate->mask);
		graph_variant_destroy(candidate->graph, run->measuring->graph);
	}
	free(run->candidates);
}

/* The equations are the same for all of them. */
static int solve_candidates(const struct layer_run *run)
{
	double ridge = RECONSTRUCT_RIDGE;
	const struct layer_solver repair = {
		.solve = layer_problem_least_squares,
		.context = &ridge,
	};
	const struct measuring *measuring = run->measuring;
	struct reconstruct_variant *variants =
		calloc((size_t)run->count + 1, sizeof(*variants));
	int ret;

	if (!variants)
		return -ENOMEM;
	for (int i = 0; i < run->count; i++) {
		const struct candidate *candidate = &run->candidates[i];

		variants[i] = (struct reconstruct_variant){
			.pruned = candidate->graph,
			.mask = candidate->mask,
			.solver = candidate->rounding ?
					  rounding_solver(candidate->rounding) :
					  &repair,
		};
	}
	ret = reconstruct_variants(measuring->graph, run->layer->node,
				   measuring->seen, variants, run->count,
				   measuring->options->workers);
	free(variants);
	return ret;
}

/* Of a matrix that has no grid nothing is rounded, and no loss would be a wrong one. */
static bool is_left(const struct layer_run *run,
		    const struct candidate *candidate)
{
	int tensor = run->layer->tensor;

	return candidate->rounding &&
	       (run->measuring->graph->tensors[tensor].quantization ||
		!candidate->graph->tensors[tensor].quantization);
}

static void tell(struct measuring *measuring)
{
	const struct sensitivity_options *options = measuring->options;
	int each = pruned_count(options) + options->format_count;

	pthread_mutex_lock(&measuring->lock);
	measuring->done++;
	if (options->observer)
		options->observer(options->observer_context, measuring->done,
				  each * measuring->sensitivity->count);
	pthread_mutex_unlock(&measuring->lock);
}

static int measure_candidate(void *context, int index)
{
	const struct layer_run *run = context;
	struct measuring *measuring = run->measuring;
	const struct candidate *candidate = &run->candidates[index];
	int pruned = pruned_count(measuring->options);
	double *loss = index < pruned ?
			       &run->layer->losses[index] :
			       &run->layer->format_losses[index - pruned];
	struct error_sum sum = { .squares = 0 };
	int ret;

	if (measuring->options->stop && *measuring->options->stop)
		return -EINTR;
	ret = run_from(measuring, candidate->graph, run->layer->node, &sum);
	*loss = sum.squares / sum.count;
	if (!ret && !isfinite(*loss))
		ret = -EINVAL;
	if (ret)
		return ret;
	if (is_left(run, candidate))
		*loss = INFINITY;
	tell(measuring);
	return 0;
}

static int measure_layer(struct measuring *measuring,
			 struct sensitivity_layer *layer)
{
	const struct sensitivity_options *options = measuring->options;
	int count = pruned_count(options) + options->format_count;
	struct layer_run run = {
		.measuring = measuring,
		.layer = layer,
		.candidates =
			calloc((size_t)count + 1, sizeof(*run.candidates)),
		.count = count,
	};
	int ret = run.candidates ? parallel_run(options->workers, count,
						open_candidate, &run) :
				   -ENOMEM;

	if (!ret && options->stop && *options->stop)
		ret = -EINTR;
	if (!ret)
		ret = solve_candidates(&run);
	if (!ret)
		ret = parallel_run(options->workers, count, measure_candidate,
				   &run);
	close_candidates(&run);
	return ret;
}

/* ---- all layers ---- */

/* In the order of execution: what comes before a layer is the same for all candidates. */
static int measure_node(struct measuring *measuring, int node)
{
	struct sensitivity *all = measuring->sensitivity;
	int ret = graph_walk_run(measuring->seen, node);

	for (int l = 0; l < all->count && !ret; l++)
		if (all->layers[l].node == node)
			ret = measure_layer(measuring, &all->layers[l]);
	if (!ret)
		ret = graph_walk_run(measuring->reached, node);
	graph_walk_leave(measuring->seen, node);
	graph_walk_leave(measuring->reached, node);
	return ret;
}

static int measure_all(struct measuring *measuring,
		       const struct calibration_data *data)
{
	const struct graph *graph = measuring->graph;
	int workers = measuring->options->workers;
	int ret = keep_outputs(measuring);

	if (!ret)
		ret = graph_walk_create(&measuring->seen, graph, data, workers);
	if (!ret)
		ret = graph_walk_create(&measuring->reached, graph,
					measuring->check, workers);
	for (int n = 0; n < graph->node_count && !ret; n++)
		ret = measure_node(measuring, n);
	graph_walk_destroy(measuring->seen);
	graph_walk_destroy(measuring->reached);
	return ret;
}

static int fail(const struct graph *graph, int ret)
{
	if (ret == -EINTR)
		return accel_error(ret, "stopped while measuring the layers");
	return accel_error(ret,
			   "%s: what its layers lose cannot be measured: %s",
			   graph->name, strerror(-ret));
}

int sensitivity_measure(struct sensitivity *sensitivity,
			const struct graph *graph,
			const struct calibration_data *data,
			const struct calibration_data *check,
			const struct sensitivity_options *options)
{
	int count = check->sample_count * graph->output_count;
	struct sensitivity_options own = *options;
	struct measuring measuring = {
		.sensitivity = sensitivity,
		.graph = graph,
		.check = check,
		.options = &own,
		.outputs = calloc((size_t)count + 1, sizeof(float *)),
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int ret;

	if (own.workers < 1)
		own.workers = 1;
	ret = measuring.outputs ? measure_all(&measuring, data) : -ENOMEM;
	for (int i = 0; measuring.outputs && i < count; i++)
		free(measuring.outputs[i]);
	free(measuring.outputs);
	return ret ? fail(graph, ret) : 0;
}
