/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "fashion_mnist.h"
#include "trial.h"

#include <compress/sketches.h>
#include <metrics/classification.h>
#include <metrics/stroke_likelihood.h>

#include <math.h>
#include <stdlib.h>

#define TEST_IMAGES 10000

#define SKETCHES 32
#define SKETCH_STEPS 128
#define SKETCH_SEED 1

static int measure_run(const struct network *network,
		       const struct compressed *compressed,
		       const struct probe *probe, int index,
		       struct figures *figures)
{
	struct accel_layer_info total = { .size = sizeof(total) };
	struct trial trial;
	int ret = trial_create(&trial, "sim:", compressed->model, probe, 0);

	if (ret)
		return ret;
	ret = trial_psnr(&trial, probe, network->range, &figures->psnr[index]);
	if (!ret && !index) {
		ret = accel_plan_get_total(trial.plan, &total);
		figures->cycles = total.cycles;
		figures->utilization = total.utilization;
	}
	trial_destroy(&trial);
	return ret;
}

static int measure_difference(const struct compressed *compressed,
			      const struct probe *probe,
			      struct figures *figures)
{
	struct accel_difference difference;
	int ret = trial_compare(compressed->model, probe, &difference);

	figures->values += difference.values;
	figures->differing += difference.differing;
	return ret;
}

/* The first output on an input that has no expected ones. */
static int run_output(const struct compressed *compressed,
		      const struct probe *probe, struct values *output)
{
	struct trial trial;
	int ret = trial_create(&trial, "cpu:", compressed->model, probe, 0);

	if (ret)
		return ret;
	ret = trial_read(&trial, 0, output);
	trial_destroy(&trial);
	return ret;
}

static int measure_accuracy(const struct compressed *compressed,
			    double *accuracy)
{
	struct fashion_mnist images;
	struct values scores;
	int ret = fashion_mnist_read(&images, "t10k", TEST_IMAGES);
	const struct probe probe = {
		.sizes = { .size = sizeof(probe.sizes), .batch = TEST_IMAGES },
		.input = { images.pixels, images.count * FASHION_MNIST_PIXELS },
	};

	if (ret)
		return ret;
	ret = run_output(compressed, &probe, &scores);
	if (!ret) {
		*accuracy = metrics_accuracy(scores.data, images.count,
					     FASHION_MNIST_CLASSES,
					     images.labels);
		free(scores.data);
	}
	fashion_mnist_release(&images);
	return ret;
}

static int measure_probe_nll(const struct compressed *compressed,
			     const struct probe *probe, struct figures *figures)
{
	size_t steps = probe->sizes.steps, batch = probe->sizes.batch;
	struct values outputs;
	int ret = run_output(compressed, probe, &outputs);

	if (ret)
		return ret;
	figures->nll.dense = metrics_stroke_nll(
		probe->input.data, probe->expected[0].data, steps, batch);
	figures->nll.compressed = metrics_stroke_nll(
		probe->input.data, outputs.data, steps, batch);
	free(outputs.data);
	return 0;
}

static int measure_sampled_nll(const struct compressed *compressed,
			       struct figures *figures)
{
	struct sketches sketches;
	struct values outputs;
	const struct sketches_options options = {
		.count = SKETCHES,
		.steps = SKETCH_STEPS,
		.temperature = 1,
		.seed = SKETCH_SEED,
	};
	int ret = sketches_sample(&sketches, compressed->graph, &options);
	const struct probe probe = {
		.sizes = { .size = sizeof(probe.sizes),
			   .batch = SKETCHES,
			   .steps = SKETCH_STEPS },
		.input = { sketches.strokes, (size_t)SKETCH_STEPS * SKETCHES *
						     METRICS_STROKE_SIZE },
	};

	if (ret)
		return ret;
	ret = run_output(compressed, &probe, &outputs);
	if (!ret) {
		figures->sampled.dense =
			sketches_nll(&sketches, sketches.outputs);
		figures->sampled.compressed =
			sketches_nll(&sketches, outputs.data);
		free(outputs.data);
	}
	sketches_release(&sketches);
	return ret;
}

static int measure_probe(const struct network *network,
			 const struct compressed *compressed, int index,
			 struct figures *figures)
{
	struct probe probe;
	int ret = network_probe(network, compressed, index, &probe);

	if (ret)
		return ret;
	ret = measure_run(network, compressed, &probe, index, figures);
	if (!ret)
		ret = measure_difference(compressed, &probe, figures);
	if (!ret && network->kind == NETWORK_SKETCH)
		ret = measure_probe_nll(compressed, &probe, figures);
	probe_release(&probe);
	return ret;
}

int measure(const struct network *network, const struct compressed *compressed,
	    struct figures *figures)
{
	int ret = 0;

	*figures = (struct figures){
		.psnr = { NAN, NAN },
		.accuracy = NAN,
		.nll = { NAN, NAN },
		.sampled = { NAN, NAN },
	};
	for (int i = 0; i < NETWORK_PROBES && !ret; i++)
		if (network_has_probe(network, i))
			ret = measure_probe(network, compressed, i, figures);
	if (!ret && network->kind == NETWORK_CLASSIFIER)
		ret = measure_accuracy(compressed, &figures->accuracy);
	if (!ret && network->kind == NETWORK_SKETCH)
		ret = measure_sampled_nll(compressed, figures);
	return ret;
}
