/* SPDX-License-Identifier: MIT */
#include "sketches.h"

#include <compress/executor.h>
#include <compress/metrics.h>
#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Inputs: stroke, hidden state, cell state; outputs: mixture and both states. */
enum { PORTS = 3 };

enum { PEN_DOWN = 2, PEN_END = 4, PENS = 3 };

/* An index by the logarithms of its probabilities, which need not add up to 1. */
static size_t choose(struct sample_generator *generator, const float *logits,
		     size_t count)
{
	double total = 0, left;
	size_t i;

	for (i = 0; i < count; i++)
		total += exp((double)logits[i]);
	left = sample_uniform(generator) * total;
	for (i = 0; i < count - 1; i++) {
		left -= exp((double)logits[i]);
		if (left < 0)
			break;
	}
	return i;
}

static void draw(struct sample_generator *generator, const float *output,
		 float *stroke)
{
	size_t pen = choose(generator, output, PENS);
	size_t component = choose(generator, output + PENS, METRICS_MIXTURE);
	const float *p = output + PENS + METRICS_MIXTURE + component;
	double x = sample_normal(generator);
	double y = sample_normal(generator);
	double rho = tanh((double)p[4 * METRICS_MIXTURE]);

	y = rho * x + sqrt(1 - rho * rho) * y;
	memset(stroke, 0, METRICS_STROKE_SIZE * sizeof(*stroke));
	stroke[0] =
		(float)((double)p[0] + x * exp((double)p[2 * METRICS_MIXTURE]));
	stroke[1] = (float)((double)p[METRICS_MIXTURE] +
			    y * exp((double)p[3 * METRICS_MIXTURE]));
	stroke[PEN_DOWN + pen] = 1;
}

/* Where a sketch has ended, the end is repeated. */
static void draw_all(struct sketches *sketches, size_t step,
		     struct sample_generator *generator)
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
		draw(generator, output + i * METRICS_STROKE_OUTPUTS, stroke);
		sketches->lengths[i] = step + 2;
	}
}

static void keep_state(const struct executor *executor, int tensor,
		       float *state)
{
	int64_t count = graph_shape_count(executor_shape(executor, tensor));

	memcpy(state, executor_values(executor, tensor),
	       (size_t)count * sizeof(*state));
}

static int run_steps(struct sketches *sketches, const struct graph *graph,
		     struct executor *executor, float *const states[2],
		     struct sample_generator *generator)
{
	size_t outputs = sketches->batch * METRICS_STROKE_OUTPUTS;

	for (size_t t = 0; t < sketches->steps; t++) {
		const float *inputs[PORTS] = {
			sketches->strokes +
				t * sketches->batch * METRICS_STROKE_SIZE,
			states[0], states[1]
		};
		int ret = executor_run(executor, inputs);

		if (ret)
			return ret;
		memcpy(sketches->outputs + t * outputs,
		       executor_values(executor, graph->outputs[0]),
		       outputs * sizeof(float));
		for (int i = 0; i < 2; i++)
			keep_state(executor, graph->outputs[1 + i], states[i]);
		if (t + 1 < sketches->steps)
			draw_all(sketches, t, generator);
	}
	return 0;
}

static int run(struct sketches *sketches, const struct graph *graph,
	       uint64_t seed)
{
	int64_t hidden = graph->tensors[graph->inputs[1]].shape.dims[2];
	int64_t batch = (int64_t)sketches->batch;
	const struct graph_shape state = { .rank = 3,
					   .dims = { 1, batch, hidden } };
	const struct graph_shape shapes[PORTS] = {
		{ .rank = 3, .dims = { 1, batch, METRICS_STROKE_SIZE } },
		state,
		state,
	};
	size_t count = sketches->batch * (size_t)hidden;
	float *states[2] = { calloc(count, sizeof(float)),
			     calloc(count, sizeof(float)) };
	struct executor *executor = NULL;
	struct sample_generator generator;
	int ret = -ENOMEM;

	sample_seed(&generator, seed);
	if (states[0] && states[1])
		ret = executor_create(&executor, graph, shapes, NULL);
	if (!ret)
		ret = run_steps(sketches, graph, executor, states, &generator);
	executor_destroy(executor);
	free(states[0]);
	free(states[1]);
	return ret;
}

int sketches_sample(struct sketches *sketches, const struct graph *graph,
		    size_t batch, size_t steps, uint64_t seed)
{
	size_t count = steps * batch;
	int ret;

	*sketches = (struct sketches){
		.steps = steps,
		.batch = batch,
		.lengths = calloc(batch, sizeof(size_t)),
		.strokes = calloc(count * METRICS_STROKE_SIZE, sizeof(float)),
		.outputs =
			calloc(count * METRICS_STROKE_OUTPUTS, sizeof(float)),
	};
	if (!sketches->lengths || !sketches->strokes || !sketches->outputs) {
		ret = accel_error(-ENOMEM, "no memory for %zu sketches", batch);
	} else if (graph->input_count != PORTS ||
		   graph->output_count != PORTS) {
		ret = accel_error(-EINVAL, "%s: is no Sketch-RNN decoder",
				  graph->name);
	} else {
		for (size_t i = 0; i < batch; i++)
			sketches->strokes[i * METRICS_STROKE_SIZE + PEN_DOWN] =
				1;
		ret = run(sketches, graph, seed);
	}
	if (ret)
		sketches_release(sketches);
	return ret;
}

static double one_nll(const struct sketches *sketches, const float *outputs,
		      size_t index, float *strokes, float *own)
{
	for (size_t t = 0; t < sketches->lengths[index]; t++) {
		size_t from = t * sketches->batch + index;

		memcpy(strokes + t * METRICS_STROKE_SIZE,
		       sketches->strokes + from * METRICS_STROKE_SIZE,
		       METRICS_STROKE_SIZE * sizeof(float));
		memcpy(own + t * METRICS_STROKE_OUTPUTS,
		       outputs + from * METRICS_STROKE_OUTPUTS,
		       METRICS_STROKE_OUTPUTS * sizeof(float));
	}
	return metrics_stroke_nll(strokes, own, sketches->lengths[index], 1);
}

double sketches_nll(const struct sketches *sketches, const float *outputs)
{
	float *strokes =
		calloc(sketches->steps, METRICS_STROKE_SIZE * sizeof(float));
	float *own =
		calloc(sketches->steps, METRICS_STROKE_OUTPUTS * sizeof(float));
	double sum = 0, steps = 0;

	for (size_t i = 0; strokes && own && i < sketches->batch; i++) {
		double count = (double)sketches->lengths[i] - 1;

		sum += one_nll(sketches, outputs, i, strokes, own) * count;
		steps += count;
	}
	free(strokes);
	free(own);
	return sum / steps;
}

void sketches_release(struct sketches *sketches)
{
	free(sketches->lengths);
	free(sketches->strokes);
	free(sketches->outputs);
	*sketches = (struct sketches){ .steps = 0 };
}
