// SPDX-License-Identifier: MIT
#include <compress/executor.h>
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
 * @data: to repair with
 * @check: to measure on
 * @options: what to try
 * @outputs: of the dense graph, [sample · output_count + output]
 * @lock: guards @done, and the observer's calls
 * @done: candidates
 */
struct measuring {
	struct sensitivity *sensitivity;
	const struct graph *graph;
	const struct calibration_data *data;
	const struct calibration_data *check;
	const struct sensitivity_options *options;
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

static int run_sample(struct runner *runner, const struct array *sample,
		      int first_index, output_function see, void *context)
{
	const struct graph *graph = runner->graph;
	int ret = load_sample(runner, sample);

	if (!ret)
		ret = executor_run(runner->executor, runner->values);
	for (int o = 0; o < graph->output_count && !ret; o++) {
		int tensor = graph->outputs[o];

		ret = see(context, first_index + o,
			  (size_t)graph_shape_count(
				  executor_shape(runner->executor, tensor)),
			  executor_values(runner->executor, tensor));
	}
	return ret;
}

static int run_graph(const struct measuring *measuring,
		     const struct graph *graph, output_function see,
		     void *context)
{
	size_t inputs = (size_t)graph->input_count + 1;
	struct runner runner = {
		.graph = graph,
		.shapes = calloc(inputs, sizeof(*runner.shapes)),
		.values = calloc(inputs, sizeof(*runner.values)),
	};
	int ret = runner.shapes && runner.values ? 0 : -ENOMEM;

	for (int s = 0; s < measuring->check->sample_count && !ret; s++)
		ret = run_sample(&runner, measuring->check->samples[s],
				 s * graph->output_count, see, context);
	executor_destroy(runner.executor);
	free(runner.shapes);
	free(runner.values);
	return ret;
}

static int copy_output(void *context, int index, size_t count,
		       const float *values)
{
	struct measuring *measuring = context;

	measuring->outputs[index] = malloc((count + 1) * sizeof(float));
	if (!measuring->outputs[index])
		return -ENOMEM;
	memcpy(measuring->outputs[index], values, count * sizeof(float));
	return 0;
}

/** struct error_sum - of squared differences, in the order of the outputs */
struct error_sum {
	const struct measuring *measuring;
	double squares;
	double count;
};

static int add_errors(void *context, int index, size_t count,
		      const float *values)
{
	struct error_sum *sum = context;
	const float *dense = sum->measuring->outputs[index];

	for (size_t i = 0; i < count; i++) {
		double error = (double)values[i] - (double)dense[i];

		sum->squares += error * error;
	}
	sum->count += (double)count;
	return 0;
}

/* ---- one candidate ---- */

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

static int prune_layer(const struct measuring *measuring,
		       const struct sensitivity_layer *layer, int method,
		       double kept, struct graph *graph,
		       struct prune_mask *mask)
{
	const struct reconstruct_options how = { .workers = 1 };
	const float *scores =
		measuring->options->scores[method].scores[layer->tensor];
	int ret = prune_select(scores, (size_t)layer->weights,
			       (size_t)sensitivity_keep_count(layer->weights,
							      kept),
			       mask->keep[layer->tensor]);

	if (ret)
		return ret;
	uncover_others(graph, layer->node, mask);
	prune_apply(graph, mask);
	return reconstruct_least_squares(measuring->graph, graph, mask,
					 measuring->data, &how);
}

static int round_layer(const struct measuring *measuring,
		       const struct sensitivity_layer *layer, int format,
		       struct graph *graph, struct prune_mask *mask)
{
	struct weight_format *formats =
		calloc((size_t)graph->tensor_count + 1, sizeof(*formats));
	int ret;

	if (!formats)
		return -ENOMEM;
	formats[layer->tensor] = measuring->options->formats[format];
	uncover_others(graph, layer->node, mask);
	ret = rounding_by_data(graph, ROUNDING_GPTQ, mask, formats,
			       measuring->data, 1, NULL);
	free(formats);
	return ret;
}

/* Of a matrix that has no grid nothing is rounded, and no loss would be a wrong one. */
static bool is_left(const struct measuring *measuring,
		    const struct sensitivity_layer *layer, int index,
		    const struct graph *graph)
{
	const struct sensitivity_options *options = measuring->options;
	int tensor = layer->tensor;

	return index >= options->methods * options->kept_count &&
	       (measuring->graph->tensors[tensor].quantization ||
		!graph->tensors[tensor].quantization);
}

/* @index: of the layer's candidates: methods by parts, then formats */
static int change_layer(const struct measuring *measuring,
			const struct sensitivity_layer *layer, int index,
			struct graph *graph, struct prune_mask *mask)
{
	const struct sensitivity_options *options = measuring->options;
	int method = index / options->kept_count;

	if (method < options->methods)
		return prune_layer(measuring, layer, method,
				   options->kept[index % options->kept_count],
				   graph, mask);
	return round_layer(measuring, layer,
			   index - options->methods * options->kept_count,
			   graph, mask);
}

static int measure_layer(const struct measuring *measuring,
			 const struct sensitivity_layer *layer, int index,
			 double *loss)
{
	struct error_sum sum = { .measuring = measuring };
	struct graph *graph = graph_clone(measuring->graph);
	struct prune_mask *mask = prune_mask_create(measuring->graph);
	int ret = -ENOMEM;

	if (graph && mask)
		ret = change_layer(measuring, layer, index, graph, mask);
	if (!ret)
		ret = run_graph(measuring, graph, add_errors, &sum);
	*loss = sum.squares / sum.count;
	if (!ret && !isfinite(*loss))
		ret = -EINVAL;
	if (!ret && is_left(measuring, layer, index, graph))
		*loss = INFINITY;
	graph_destroy(graph);
	prune_mask_destroy(mask);
	return ret;
}

static void tell(struct measuring *measuring, int total)
{
	const struct sensitivity_options *options = measuring->options;

	pthread_mutex_lock(&measuring->lock);
	measuring->done++;
	if (options->observer)
		options->observer(options->observer_context, measuring->done,
				  total);
	pthread_mutex_unlock(&measuring->lock);
}

static int measure_candidate(void *context, int part)
{
	struct measuring *measuring = context;
	const struct sensitivity *all = measuring->sensitivity;
	int pruned = all->methods * all->kept_count;
	int each = pruned + all->format_count;
	struct sensitivity_layer *layer = &all->layers[part / each];
	int index = part % each, ret;

	if (measuring->options->stop && *measuring->options->stop)
		return -EINTR;
	ret = measure_layer(measuring, layer, index,
			    index < pruned ?
				    &layer->losses[index] :
				    &layer->format_losses[index - pruned]);
	if (!ret)
		tell(measuring, each * all->count);
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
	struct measuring measuring = {
		.sensitivity = sensitivity,
		.graph = graph,
		.data = data,
		.check = check,
		.options = options,
		.outputs = calloc((size_t)count + 1, sizeof(float *)),
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int ret = measuring.outputs ? run_graph(&measuring, graph, copy_output,
						&measuring) :
				      -ENOMEM;

	if (!ret)
		ret = parallel_run(options->workers > 0 ? options->workers : 1,
				   sensitivity->count *
					   (sensitivity->methods *
						    sensitivity->kept_count +
					    sensitivity->format_count),
				   measure_candidate, &measuring);
	for (int i = 0; measuring.outputs && i < count; i++)
		free(measuring.outputs[i]);
	free(measuring.outputs);
	return ret ? fail(graph, ret) : 0;
}
