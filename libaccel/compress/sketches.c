/* SPDX-License-Identifier: MIT */
#include <compress/executor.h>
#include <compress/sample.h>
#include <compress/sketches.h>
#include <compress/stroke.h>
#include <core/error.h>
#include <metrics/stroke_likelihood.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Inputs: stroke, hidden state, cell state; outputs: mixture and both states. */
enum { PORTS = 3 };

enum { PEN_DOWN = 2, PEN_END = 4 };

/** struct pencil - what strokes are drawn by */
struct pencil {
	struct sample_generator generator;
	double temperature;
};

/* Where a sketch has ended, the end is repeated. */
static void draw_all(struct sketches *sketches, size_t step,
		     struct pencil *pencil)
{
	float *strokes = sketches->strokes +
			 step * sketches->batch * METRICS_STROKE_SIZE;
	float *next = strokes + sketches->batch * METRICS_STROKE_SIZE;
	const float *output = sketches->outputs +
			      step * sketches->batch * METRICS_STROKE_OUTPUTS;

	for (size_t i = 0; i < sketches->batch; i++) {
		float *stroke = next + i * METRICS_STROKE_SIZE;

		if (strokes[i * METRICS_STROKE_SIZE + PEN_END] == 1) {
			stroke[PEN_END] = 1;
			continue;
		}
		stroke_draw(&pencil->generator,
			    output + i * METRICS_STROKE_OUTPUTS,
			    pencil->temperature, stroke);
		sketches->lengths[i] = step + 2;
	}
}

static int run_steps(struct sketches *sketches, float *const states[2],
		     struct pencil *pencil, sketches_step step, void *context)
{
	for (size_t t = 0; t < sketches->steps; t++) {
		size_t first = t * sketches->batch;
		int ret = step(
			context,
			sketches->strokes + first * METRICS_STROKE_SIZE, states,
			sketches->outputs + first * METRICS_STROKE_OUTPUTS);

		if (ret)
			return ret;
		if (t + 1 < sketches->steps)
			draw_all(sketches, t, pencil);
	}
	return 0;
}

/* All with the pen down, at the beginning. */
static int start(struct sketches *sketches,
		 const struct sketches_options *options)
{
	size_t batch = options->count;
	size_t count = options->steps * batch;

	*sketches = (struct sketches){
		.steps = options->steps,
		.batch = batch,
		.lengths = calloc(batch, sizeof(size_t)),
		.strokes = calloc(count * METRICS_STROKE_SIZE, sizeof(float)),
		.outputs =
			calloc(count * METRICS_STROKE_OUTPUTS, sizeof(float)),
	};
	if (!sketches->lengths || !sketches->strokes || !sketches->outputs)
		return accel_error(-ENOMEM, "no memory for %zu sketches",
				   batch);
	for (size_t i = 0; i < batch; i++)
		sketches->strokes[i * METRICS_STROKE_SIZE + PEN_DOWN] = 1;
	return 0;
}

int sketches_draw(struct sketches *sketches,
		  const struct sketches_options *options, size_t hidden,
		  sketches_step step, void *context)
{
	size_t count = options->count * hidden;
	float *states[2] = { calloc(count + 1, sizeof(float)),
			     calloc(count + 1, sizeof(float)) };
	struct pencil pencil = { .temperature = options->temperature };
	int ret = start(sketches, options);

	sample_seed(&pencil.generator, options->seed);
	if (!ret && (!states[0] || !states[1]))
		ret = accel_error(-ENOMEM, "no memory for %zu sketches",
				  options->count);
	if (!ret)
		ret = run_steps(sketches, states, &pencil, step, context);
	free(states[0]);
	free(states[1]);
	if (ret)
		sketches_release(sketches);
	return ret;
}

/* ---- with the float executor ---- */

/** struct dense_network - what draws */
struct dense_network {
	const struct graph *graph;
	struct executor *executor;
};

static void keep_state(const struct executor *executor, int tensor,
		       float *state)
{
	int64_t count = graph_shape_count(executor_shape(executor, tensor));

	memcpy(state, executor_values(executor, tensor),
	       (size_t)count * sizeof(*state));
}

static int step_dense(void *context, const float *strokes,
		      float *const states[2], float *outputs)
{
	const struct dense_network *network = context;
	const float *inputs[PORTS] = { strokes, states[0], states[1] };
	int ret = executor_run(network->executor, inputs);

	if (ret)
		return ret;
	keep_state(network->executor, network->graph->outputs[0], outputs);
	for (int i = 0; i < 2; i++)
		keep_state(network->executor, network->graph->outputs[1 + i],
			   states[i]);
	return 0;
}

/* A step's stroke and two states in; 123 numbers and the states out. */
bool sketches_apply(const struct graph *graph)
{
	const struct graph_tensor *tensors = graph->tensors;

	return graph->input_count == PORTS && graph->output_count == PORTS &&
	       tensors[graph->inputs[0]].shape.rank == 3 &&
	       tensors[graph->inputs[0]].shape.dims[2] == METRICS_STROKE_SIZE &&
	       tensors[graph->inputs[1]].shape.rank == 3 &&
	       tensors[graph->inputs[1]].shape.dims[2] > 0 &&
	       tensors[graph->outputs[0]].shape.rank == 3 &&
	       tensors[graph->outputs[0]].shape.dims[2] ==
		       METRICS_STROKE_OUTPUTS;
}

int sketches_sample(struct sketches *sketches, const struct graph *graph,
		    const struct sketches_options *options)
{
	struct dense_network network = { .graph = graph };
	int64_t batch = (int64_t)options->count, hidden;
	struct graph_shape shapes[PORTS];
	int ret;

	*sketches = (struct sketches){ .steps = 0 };
	if (!sketches_apply(graph))
		return accel_error(-EINVAL, "%s: is no Sketch-RNN decoder",
				   graph->name);
	hidden = graph->tensors[graph->inputs[1]].shape.dims[2];
	shapes[0] =
		(struct graph_shape){ 3, { 1, batch, METRICS_STROKE_SIZE } };
	shapes[1] = (struct graph_shape){ 3, { 1, batch, hidden } };
	shapes[2] = shapes[1];
	ret = executor_create(&network.executor, graph, shapes, NULL);
	if (ret)
		return ret;
	ret = sketches_draw(sketches, options, (size_t)hidden, step_dense,
			    &network);
	executor_destroy(network.executor);
	return ret;
}

/* ---- how well they are predicted ---- */

/** struct sketch - one of them, in arrays of its own */
struct sketch {
	float *strokes;
	float *outputs;
	float *other;
};

static void sketch_load(const struct sketches *sketches, const float *other,
			size_t index, struct sketch *sketch)
{
	for (size_t t = 0; t < sketches->lengths[index]; t++) {
		size_t from = t * sketches->batch + index;

		memcpy(sketch->strokes + t * METRICS_STROKE_SIZE,
		       sketches->strokes + from * METRICS_STROKE_SIZE,
		       METRICS_STROKE_SIZE * sizeof(float));
		memcpy(sketch->outputs + t * METRICS_STROKE_OUTPUTS,
		       sketches->outputs + from * METRICS_STROKE_OUTPUTS,
		       METRICS_STROKE_OUTPUTS * sizeof(float));
		memcpy(sketch->other + t * METRICS_STROKE_OUTPUTS,
		       other + from * METRICS_STROKE_OUTPUTS,
		       METRICS_STROKE_OUTPUTS * sizeof(float));
	}
}

typedef double (*sketch_metric)(const struct sketch *sketch, size_t steps);

static double sketch_nll(const struct sketch *sketch, size_t steps)
{
	return metrics_stroke_nll(sketch->strokes, sketch->other, steps, 1);
}

static double sketch_kl(const struct sketch *sketch, size_t steps)
{
	return metrics_stroke_kl(sketch->strokes, sketch->outputs,
				 sketch->other, steps, 1);
}

/* Mean over all steps of all sketches, up to their ends. */
static double mean_over_steps(const struct sketches *sketches,
			      const float *other, sketch_metric metric)
{
	size_t steps = sketches->steps;
	struct sketch sketch = {
		.strokes = calloc(steps, METRICS_STROKE_SIZE * sizeof(float)),
		.outputs =
			calloc(steps, METRICS_STROKE_OUTPUTS * sizeof(float)),
		.other = calloc(steps, METRICS_STROKE_OUTPUTS * sizeof(float)),
	};
	double sum = 0, count = 0;

	for (size_t i = 0; sketch.strokes && sketch.outputs && sketch.other &&
			   i < sketches->batch;
	     i++) {
		double own = (double)sketches->lengths[i] - 1;

		sketch_load(sketches, other, i, &sketch);
		sum += metric(&sketch, sketches->lengths[i]) * own;
		count += own;
	}
	free(sketch.strokes);
	free(sketch.outputs);
	free(sketch.other);
	return sum / count;
}

double sketches_nll(const struct sketches *sketches, const float *outputs)
{
	return mean_over_steps(sketches, outputs, sketch_nll);
}

double sketches_kl(const struct sketches *sketches, const float *outputs)
{
	return mean_over_steps(sketches, outputs, sketch_kl);
}

/* ---- as calibration data ---- */

/* Sketches of a sample: products over one batch element alone are slow. */
enum { GROUP = 8 };

/* Order of sketches by length, the shortest first; of equals the first. */
static void sort_lengths(const struct sketches *sketches, size_t *order)
{
	for (size_t i = 0; i < sketches->batch; i++) {
		size_t at = i;

		for (; at &&
		       sketches->lengths[order[at - 1]] > sketches->lengths[i];
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

static int fill_array(struct array *array, int64_t steps, int64_t batch,
		      int64_t width)
{
	array->shape = (struct graph_shape){ 3, { steps, batch, width } };
	array->values =
		calloc((size_t)(steps * batch * width) + 1, sizeof(float));
	return array->values ? 0 : -ENOMEM;
}

/* As many steps as the shortest has; the end itself predicts nothing. */
static int add_group(const struct sketches *sketches, const struct graph *graph,
		     const size_t *order, size_t count, struct array *sample)
{
	size_t steps = sketches->lengths[order[0]] - 1;
	int64_t batch = (int64_t)count;
	int ret = fill_array(&sample[0], (int64_t)steps, batch,
			     METRICS_STROKE_SIZE);

	for (int i = 1; i < PORTS && !ret; i++)
		ret = fill_array(
			&sample[i], 1, batch,
			graph->tensors[graph->inputs[i]].shape.dims[2]);
	for (size_t t = 0; t < steps && !ret; t++)
		for (size_t i = 0; i < count; i++)
			memcpy(sample[0].values +
				       (t * count + i) * METRICS_STROKE_SIZE,
			       sketches->strokes +
				       (t * sketches->batch + order[i]) *
					       METRICS_STROKE_SIZE,
			       METRICS_STROKE_SIZE * sizeof(float));
	return ret;
}

static int add_groups(const struct sketches *sketches,
		      const struct graph *graph, const size_t *order,
		      struct calibration_data *data)
{
	int ret = 0;

	for (size_t first = 0; first < sketches->batch && !ret;
	     first += GROUP) {
		size_t left = sketches->batch - first;
		struct array *sample = calloc(PORTS, sizeof(*sample));

		if (!sample)
			return -ENOMEM;
		data->samples[data->sample_count++] = sample;
		ret = add_group(sketches, graph, order + first,
				left < GROUP ? left : GROUP, sample);
	}
	return ret;
}

int sketches_calibrate(const struct sketches *sketches,
		       const struct graph *graph, struct calibration_data *data)
{
	size_t *order = calloc(sketches->batch + 1, sizeof(*order));
	int ret = -ENOMEM;

	*data = (struct calibration_data){ .input_count = PORTS };
	data->samples = calloc(sketches->batch + 1, sizeof(*data->samples));
	data->is_state = calloc(PORTS, sizeof(*data->is_state));
	if (order && data->samples && data->is_state) {
		data->is_state[1] = true;
		data->is_state[2] = true;
		sort_lengths(sketches, order);
		ret = add_groups(sketches, graph, order, data);
	}
	free(order);
	if (!ret)
		return 0;
	calibration_data_release(data);
	return accel_error(ret, "no memory for %zu sketches", sketches->batch);
}

void sketches_release(struct sketches *sketches)
{
	free(sketches->lengths);
	free(sketches->strokes);
	free(sketches->outputs);
	*sketches = (struct sketches){ .steps = 0 };
}
