// SPDX-License-Identifier: MIT
#include <compress/compress_progress.h>
#include <compress/parallel.h>
#include <compress/prune.h>
#include <compress/saliency.h>
#include <compress/sample.h>
#include <compress/sketches.h>
#include <compress/stroke.h>
#include <core/error.h>
#include <metrics/stroke_likelihood.h>
#include <train/tape.h>

#include <errno.h>
#include <pthread.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Partial sums that passes are dealt out to, however many threads there are. */
#define LANES 4

static size_t element_count(const struct graph *graph, int tensor)
{
	return (size_t)graph_shape_count(&graph->tensors[tensor].shape);
}

float **saliency_create(const struct graph *graph)
{
	float **scores =
		calloc((size_t)graph->tensor_count + 1, sizeof(*scores));

	for (int t = 0; scores && t < graph->tensor_count; t++) {
		if (!prune_applies(graph, t))
			continue;
		scores[t] = calloc(element_count(graph, t) + 1, sizeof(float));
		if (!scores[t]) {
			saliency_destroy(scores, graph);
			return NULL;
		}
	}
	return scores;
}

void saliency_destroy(float **scores, const struct graph *graph)
{
	for (int t = 0; scores && t < graph->tensor_count; t++)
		free(scores[t]);
	free(scores);
}

/** struct tally - passes that all threads have @done, under the @lock */
struct tally {
	pthread_mutex_t lock;
	int done;
};

/**
 * struct saliency - one call, for its threads
 * @graph: whose weights are scored
 * @data: that it runs on
 * @linear: magnitudes of gradients count, not their squares
 * @passes: over all lanes
 * @seed: of the signs
 * @strokes: the first output is a distribution of strokes, and all that counts
 * @wanted: of each tensor: is it a weight to be scored?
 * @seeded: of each tensor: is it an output?
 * @lanes: sums of squares, or of magnitudes
 * @progress: or NULL
 * @tally: for it
 */
struct saliency {
	const struct graph *graph;
	const struct calibration_data *data;
	bool linear;
	int passes;
	uint64_t seed;
	bool strokes;
	bool *wanted;
	bool *seeded;
	float **lanes[LANES];
	const struct compress_progress *progress;
	struct tally *tally;
};

/**
 * struct runner - what a lane runs samples on; a new tape only for new sizes
 * @tape: of the last sample
 * @shapes: that it is for
 * @values: of the inputs
 */
struct runner {
	struct tape *tape;
	struct graph_shape *shapes;
	const float **values;
};

static bool same_shape(const struct graph_shape *a, const struct graph_shape *b)
{
	return a->rank == b->rank &&
	       !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof(*a->dims));
}

static int load_sample(const struct saliency *saliency,
		       const struct array *sample, struct runner *runner)
{
	const struct tape_options options = {
		.wanted = saliency->wanted,
		.seeded = saliency->seeded,
	};
	bool same = runner->tape;

	for (int i = 0; i < saliency->graph->input_count; i++) {
		same = same && same_shape(&runner->shapes[i], &sample[i].shape);
		runner->shapes[i] = sample[i].shape;
		runner->values[i] = sample[i].values;
	}
	if (same)
		return 0;
	tape_destroy(runner->tape);
	runner->tape = NULL;
	return tape_create(&runner->tape, saliency->graph, runner->shapes,
			   &options);
}

/* The gradient of half the outputs' squares. */
static void seed_squares(const struct saliency *saliency, struct tape *tape)
{
	const struct graph *graph = saliency->graph;

	for (int i = 0; i < graph->output_count; i++) {
		int64_t count =
			graph_shape_count(tape_shape(tape, graph->outputs[i]));
		const float *values = tape_values(tape, graph->outputs[i]);
		float *seed = tape_seed(tape, graph->outputs[i]);

		for (int64_t j = 0; j < count; j++)
			seed[j] += values[j];
	}
}

/* Of values: random signs at every element of every output. */
static void seed_values(const struct saliency *saliency, struct tape *tape,
			struct sample_generator *generator)
{
	const struct graph *graph = saliency->graph;

	for (int i = 0; i < graph->output_count; i++) {
		int64_t count =
			graph_shape_count(tape_shape(tape, graph->outputs[i]));
		float *seed = tape_seed(tape, graph->outputs[i]);
		uint64_t bits = 0;

		for (int64_t j = 0; j < count; j++, bits >>= 1) {
			if (j % 64 == 0)
				bits = sample_bits(generator);
			seed[j] += bits & 1 ? 1 : -1;
		}
	}
}

/*
 * Of strokes: at every step the gradient of a stroke that the network might have drawn
 * there; where squares count with a random sign, so that steps do not cancel each other.
 */
static void seed_strokes(const struct saliency *saliency, struct tape *tape,
			 struct sample_generator *generator)
{
	int output = saliency->graph->outputs[0];
	int64_t count = graph_shape_count(tape_shape(tape, output)) /
			METRICS_STROKE_OUTPUTS;
	const float *values = tape_values(tape, output);
	float *seed = tape_seed(tape, output);

	for (int64_t i = 0; i < count; i++) {
		float stroke[METRICS_STROKE_SIZE];
		bool plus;

		stroke_draw(generator, values, 1, stroke);
		plus = sample_bits(generator) & 1 || saliency->linear;
		stroke_gradient(values, stroke, plus ? 1 : -1, seed);
		values += METRICS_STROKE_OUTPUTS;
		seed += METRICS_STROKE_OUTPUTS;
	}
}

static void add_gradients(const struct saliency *saliency, struct tape *tape,
			  float **sums)
{
	for (int t = 0; t < saliency->graph->tensor_count; t++) {
		const float *gradient;

		if (!saliency->wanted[t])
			continue;
		gradient = tape_gradient(tape, t);
		for (size_t i = 0; i < element_count(saliency->graph, t); i++)
			sums[t][i] += saliency->linear ?
					      fabsf(gradient[i]) :
					      gradient[i] * gradient[i];
	}
}

/* Signs depend on the pass, not on the lane that makes it. */
static int run_pass(const struct saliency *saliency, int pass,
		    struct runner *runner, float **sums)
{
	const struct calibration_data *data = saliency->data;
	struct sample_generator generator;
	int ret = load_sample(saliency,
			      data->samples[pass % data->sample_count], runner);

	if (ret)
		return ret;
	sample_seed(&generator, saliency->seed * INT32_MAX + (uint64_t)pass);
	ret = tape_forward(runner->tape, runner->values);
	if (ret)
		return ret;
	if (saliency->strokes)
		seed_strokes(saliency, runner->tape, &generator);
	else if (saliency->linear)
		seed_squares(saliency, runner->tape);
	else
		seed_values(saliency, runner->tape, &generator);
	ret = tape_backward(runner->tape);
	if (!ret)
		add_gradients(saliency, runner->tape, sums);
	return ret;
}

static void report_pass(const struct saliency *saliency)
{
	struct tally *tally = saliency->tally;

	pthread_mutex_lock(&tally->lock);
	compress_report(saliency->progress, "scores", ++tally->done,
			saliency->passes);
	pthread_mutex_unlock(&tally->lock);
}

static int run_lane(void *context, int lane)
{
	const struct saliency *saliency = context;
	size_t inputs = (size_t)saliency->graph->input_count;
	struct runner runner = {
		.shapes = calloc(inputs, sizeof(*runner.shapes)),
		.values = calloc(inputs, sizeof(*runner.values)),
	};
	int ret = runner.shapes && runner.values ? 0 : -ENOMEM;

	for (int pass = lane; pass < saliency->passes && !ret; pass += LANES) {
		ret = run_pass(saliency, pass, &runner, saliency->lanes[lane]);
		report_pass(saliency);
	}
	tape_destroy(runner.tape);
	free(runner.shapes);
	free(runner.values);
	return ret;
}

/* Lanes are added in their order; then come the weights. */
static int finish(const struct saliency *saliency, float **scores)
{
	const struct graph *graph = saliency->graph;

	for (int t = 0; t < graph->tensor_count; t++) {
		if (!saliency->wanted[t])
			continue;
		for (size_t i = 0; i < element_count(graph, t); i++) {
			float weight = fabsf(graph->tensors[t].data[i]);
			float sum = 0;

			for (int lane = 0; lane < LANES; lane++)
				sum += saliency->lanes[lane][t][i];
			if (!saliency->linear)
				weight *= weight;
			scores[t][i] = weight * (sum / (float)saliency->passes);
			if (!isfinite(scores[t][i]))
				return accel_error(
					-EINVAL,
					"%s: how much it matters is not finite on the calibration data",
					graph->tensors[t].name);
		}
	}
	return 0;
}

static int prepare(struct saliency *saliency)
{
	const struct graph *graph = saliency->graph;
	size_t tensors = (size_t)graph->tensor_count + 1;

	saliency->wanted = calloc(tensors, sizeof(bool));
	saliency->seeded = calloc(tensors, sizeof(bool));
	if (!saliency->wanted || !saliency->seeded)
		return -ENOMEM;
	for (int t = 0; t < graph->tensor_count; t++)
		saliency->wanted[t] = prune_applies(graph, t);
	for (int i = 0; i < (saliency->strokes ? 1 : graph->output_count); i++)
		saliency->seeded[graph->outputs[i]] = true;
	for (int lane = 0; lane < LANES; lane++) {
		saliency->lanes[lane] = saliency_create(graph);
		if (!saliency->lanes[lane])
			return -ENOMEM;
	}
	return 0;
}

/* Of strokes 16 passes find a mask as good as 32 do: 0.097 either way. */
static int choose_passes(const struct saliency *saliency,
			 const struct saliency_options *options)
{
	int least = saliency->strokes ? SALIENCY_STROKE_PASSES :
					SALIENCY_PASSES;
	int rounds = saliency->strokes ? 1 : SALIENCY_ROUNDS;
	int passes = rounds * saliency->data->sample_count;

	if (options->passes > 0)
		return options->passes;
	return passes > least ? passes : least;
}

static int score(const struct graph *graph, const struct calibration_data *data,
		 const struct saliency_options *options, bool linear,
		 float **scores)
{
	struct tally tally = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct saliency saliency = {
		.graph = graph,
		.data = data,
		.linear = linear,
		.seed = options->seed,
		.progress = options->progress,
		.tally = &tally,
		.strokes = sketches_apply(graph),
	};
	int ret;

	if (!data->sample_count)
		return accel_error(-EINVAL,
				   "no data to see which weights matter");
	saliency.passes = choose_passes(&saliency, options);
	ret = prepare(&saliency);
	if (!ret)
		ret = parallel_run(options->workers > 0 ? options->workers : 1,
				   LANES, run_lane, &saliency);
	if (ret)
		accel_error(ret, "%s: cannot be run forth and back: %s",
			    graph->name, strerror(-ret));
	else
		ret = finish(&saliency, scores);
	for (int lane = 0; lane < LANES; lane++)
		saliency_destroy(saliency.lanes[lane], graph);
	free(saliency.wanted);
	free(saliency.seeded);
	return ret;
}

int saliency_gauss_newton(const struct graph *graph,
			  const struct calibration_data *data,
			  const struct saliency_options *options,
			  float **scores)
{
	return score(graph, data, options, false, scores);
}

int saliency_taylor(const struct graph *graph,
		    const struct calibration_data *data,
		    const struct saliency_options *options, float **scores)
{
	return score(graph, data, options, true, scores);
}
