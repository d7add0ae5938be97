/* SPDX-License-Identifier: MIT */
/*
 * What pruning in one shot leaves of real networks, with Gauss-Newton scores and least
 * squares: pruned in binary32 and as int8 models, each against the dense network in
 * binary32, beside the bar that is set for it. A super-resolution network learns from
 * one photo and is measured on another; a decoder of sketches draws both itself.
 */
#include <trial.h>

#include <compress/compress.h>
#include <compress/executor.h>
#include <compress/onnx_import.h>
#include <compress/sketches.h>
#include <core/deadline.h>
#include <core/error.h>
#include <metrics/pixel_error.h>
#include <metrics/stroke_likelihood.h>
#include <model/file.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDS 3
#define SKETCHES 64
#define SKETCHES_LEARNED 128
#define SKETCH_STEPS 100
#define SKETCH_TEMPERATURE 0.7
/* No seed of a compression: sketches that no network was calibrated with. */
#define SKETCH_PROBE_SEED 1000

#define PHOTO "photos/astronaut_hr256.png"
#define PROBE "golden/sr_in_coffee_64x64_u8range.npy"

static const struct quantize_range pixels = { 0, 255 };

/**
 * struct recovery - a row of the table
 * @network: ONNX file without its ending
 * @sparsity: of all weights
 * @seconds: that importing, pruning, quantizing and writing may take
 * @bar: dB at least; of sketches: KL divergence at most, in binary32
 * @quantized_bar: of the int8 model; of sketches: above the dense network's own
 */
struct recovery {
	const char *network;
	double sparsity;
	double seconds;
	double bar;
	double quantized_bar;
};

static const struct recovery pictures[] = {
	{ "esrgan_slim_x2", 0.8, 15, 46, 44 },
	{ "esrgan_slim_x2", 0.9, 15, 38.5, 36 },
	{ "esrgan_medium_x4", 0.5, 60, 53, 46 },
	{ "esrgan_medium_x4", 0.7, 60, 44, 41 },
	{ "esrgan_medium_x4", 0.8, 60, 41, 38 },
	{ "esrgan_medium_x4", 0.9, 60, 38, 35 },
};

static const struct recovery strokes = { "sketchrnn_bird", 0.5, 10, 0.10,
					 0.10 };

/** struct outcome - of one seed */
struct outcome {
	double seconds;
	double quality;
	double quantized;
};

/**
 * struct subject - a network on its way
 * @dense: as imported
 * @pruned: in binary32
 * @model: in int8
 * @nonzeros: of @pruned
 * @weights: of @pruned
 */
struct subject {
	struct graph *dense;
	struct graph *pruned;
	struct accel_model *model;
	int64_t nonzeros;
	int64_t weights;
};

static void subject_release(struct subject *subject)
{
	graph_destroy(subject->dense);
	graph_destroy(subject->pruned);
	accel_model_free(subject->model);
}

static int shared_path(char *path, size_t size, const char *name,
		       const char *ending)
{
	const char *folder = getenv("ACCEL_SHARED_DIR");

	snprintf(path, size, "%s/models/%s%s", folder ? folder : "", name,
		 ending);
	return access(path, R_OK) ? -ENOENT : 0;
}

/* ---- compressing, as accel compress does ---- */

static int write_model(const struct model *model, struct subject *subject)
{
	char path[] = "/tmp/accel-model-XXXXXX";
	int file = mkstemp(path);
	int ret;

	if (file < 0)
		return accel_error(-errno, "%s: cannot be written", path);
	close(file);
	ret = model_file_write(model, path);
	if (!ret)
		ret = accel_model_load(path, &subject->model);
	unlink(path);
	return ret;
}

static int compress_subject(struct subject *subject,
			    const struct compress_options *options,
			    const struct calibration_data *data)
{
	struct prune_mask *mask;
	struct model *model = NULL;
	int ret;

	subject->pruned = graph_clone(subject->dense);
	mask = subject->pruned ? prune_mask_create(subject->pruned) : NULL;
	if (!mask)
		return accel_error(-ENOMEM, "no memory for the network");
	ret = compress_prune(subject->pruned, options, data, mask);
	if (!ret)
		ret = compress_quantize(subject->pruned, options, data, mask,
					&model);
	if (!ret)
		ret = write_model(model, subject);
	subject->nonzeros =
		prune_count(subject->pruned, mask, &subject->weights);
	model_destroy(model);
	prune_mask_destroy(mask);
	return ret;
}

static int import(const struct recovery *recovery, struct subject *subject)
{
	char path[4096];

	*subject = (struct subject){ .dense = NULL };
	shared_path(path, sizeof(path), recovery->network, ".onnx");
	return onnx_import(path, &subject->dense);
}

/* As many are zero as were asked for, to one. */
static int check_count(const struct recovery *recovery,
		       const struct subject *subject)
{
	int64_t zeros = llround(recovery->sparsity * (double)subject->weights);

	if (subject->weights - subject->nonzeros == zeros)
		return 0;
	return accel_error(-EINVAL, "%s: %lld weights are left of %lld",
			   recovery->network, (long long)subject->nonzeros,
			   (long long)subject->weights);
}

/* ---- pictures ---- */

/* The first output in binary32, for free(3). */
static int run_graph(const struct graph *graph, const struct array *arrays,
		     struct values *output)
{
	struct graph_shape shapes[3];
	const float *inputs[3];
	struct executor *executor;
	int ret;

	for (int i = 0; i < graph->input_count && i < 3; i++) {
		shapes[i] = arrays[i].shape;
		inputs[i] = arrays[i].values;
	}
	ret = executor_create(&executor, graph, shapes, NULL);
	if (ret)
		return ret;
	ret = executor_run(executor, inputs);
	output->count = (size_t)graph_shape_count(
		executor_shape(executor, graph->outputs[0]));
	output->data = malloc(output->count * sizeof(float));
	for (size_t i = 0; !ret && i < output->count; i++)
		output->data[i] =
			executor_values(executor, graph->outputs[0])[i];
	executor_destroy(executor);
	return ret;
}

static int measure_pictures(const struct subject *subject,
			    const struct array *picture,
			    struct outcome *outcome)
{
	struct probe probe = {
		.sizes = { .size = sizeof(probe.sizes),
			   .batch = (uint32_t)picture->shape.dims[0],
			   .height = (uint32_t)picture->shape.dims[2],
			   .width = (uint32_t)picture->shape.dims[3] },
		.layout = ACCEL_LAYOUT_NCHW,
		.input = { picture->values,
			   (size_t)graph_shape_count(&picture->shape) },
	};
	struct values pruned = { NULL, 0 };
	struct trial trial;
	int ret = run_graph(subject->dense, picture, &probe.expected[0]);

	if (!ret)
		ret = run_graph(subject->pruned, picture, &pruned);
	if (!ret)
		outcome->quality = metrics_psnr(probe.expected[0].data,
						pruned.data, pruned.count,
						pixels);
	if (!ret)
		ret = trial_create(&trial, "cpu:", subject->model, &probe, 0);
	if (!ret) {
		ret = trial_psnr(&trial, &probe, pixels, &outcome->quantized);
		trial_destroy(&trial);
	}
	free(probe.expected[0].data);
	free(pruned.data);
	return ret;
}

static int compress_pictures(const struct recovery *recovery, uint64_t seed,
			     struct subject *subject, struct outcome *outcome)
{
	const struct compress_options options = {
		.sparsity = recovery->sparsity,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("gn"),
		.reconstruct = true,
		.seed = seed,
		.input_range = pixels,
		.output_range = pixels,
	};
	const struct calibration_source source = { .range = pixels };
	uint64_t start = monotonic_ns();
	struct calibration_data data;
	char path[4096];
	int ret = import(recovery, subject);

	shared_path(path, sizeof(path), PHOTO, "");
	if (!ret)
		ret = calibration_data_read(&data, subject->dense, path,
					    &source);
	if (ret)
		return ret;
	ret = compress_subject(subject, &options, &data);
	calibration_data_release(&data);
	outcome->seconds = (double)(monotonic_ns() - start) / 1e9;
	return ret;
}

static int run_pictures(const struct recovery *recovery, uint64_t seed,
			struct outcome *outcome)
{
	const struct calibration_source source = {
		.layout = ARRAY_LAYOUT_NHWC,
	};
	struct calibration_data probe;
	struct subject subject;
	char path[4096];
	int ret = compress_pictures(recovery, seed, &subject, outcome);

	shared_path(path, sizeof(path), PROBE, "");
	if (!ret)
		ret = check_count(recovery, &subject);
	if (!ret)
		ret = calibration_data_read(&probe, subject.dense, path,
					    &source);
	if (!ret) {
		ret = measure_pictures(&subject, probe.samples[0], outcome);
		calibration_data_release(&probe);
	}
	subject_release(&subject);
	return ret;
}

/* ---- sketches ---- */

static int sample(const struct graph *graph, size_t count, uint64_t seed,
		  struct sketches *sketches)
{
	const struct sketches_options options = {
		.count = count,
		.steps = SKETCH_STEPS,
		.temperature = SKETCH_TEMPERATURE,
		.seed = seed,
	};

	return sketches_sample(sketches, graph, &options);
}

/* An int8 model's divergence on sketches. */
static int measure_model(struct accel_model *model,
			 const struct sketches *sketches, double *divergence)
{
	const struct probe probe = {
		.sizes = { .size = sizeof(probe.sizes),
			   .batch = SKETCHES,
			   .steps = SKETCH_STEPS },
		.input = { sketches->strokes, (size_t)SKETCH_STEPS * SKETCHES *
						      METRICS_STROKE_SIZE },
	};
	struct values outputs;
	struct trial trial;
	int ret = trial_create(&trial, "cpu:", model, &probe, 0);

	if (ret)
		return ret;
	ret = trial_read(&trial, 0, &outputs);
	trial_destroy(&trial);
	if (ret)
		return ret;
	*divergence = sketches_kl(sketches, outputs.data);
	free(outputs.data);
	return 0;
}

static int measure_graph(const struct graph *graph,
			 const struct sketches *sketches, double *divergence)
{
	int64_t hidden = graph->tensors[graph->inputs[1]].shape.dims[2];
	const struct graph_shape state = { 3, { 1, SKETCHES, hidden } };
	float *zeros = calloc((size_t)(SKETCHES * hidden), sizeof(float));
	const struct array arrays[] = {
		{ .shape = { 3,
			     { SKETCH_STEPS, SKETCHES, METRICS_STROKE_SIZE } },
		  .values = sketches->strokes },
		{ .shape = state, .values = zeros },
		{ .shape = state, .values = zeros },
	};
	struct values outputs;
	int ret = zeros ? run_graph(graph, arrays, &outputs) : -ENOMEM;

	free(zeros);
	if (ret)
		return ret;
	*divergence = sketches_kl(sketches, outputs.data);
	free(outputs.data);
	return 0;
}

/* Sparsity < 0: the dense network as it is. */
static int compress_sketches(const struct recovery *recovery, double sparsity,
			     uint64_t seed, struct subject *subject)
{
	const struct compress_options options = {
		.sparsity = sparsity < 0 ? COMPRESS_KEEP : sparsity,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("gn"),
		.reconstruct = sparsity >= 0,
		.seed = seed,
	};
	struct calibration_data data;
	struct sketches sketches;
	int ret = import(recovery, subject);

	if (!ret)
		ret = sample(subject->dense, SKETCHES_LEARNED, seed, &sketches);
	if (ret)
		return ret;
	ret = sketches_calibrate(&sketches, subject->dense, &data);
	sketches_release(&sketches);
	if (ret)
		return ret;
	ret = compress_subject(subject, &options, &data);
	calibration_data_release(&data);
	return ret;
}

/* The divergence that int8 alone costs is no fault of pruning. */
static int measure_sketches(const struct recovery *recovery, uint64_t seed,
			    const struct subject *subject,
			    struct outcome *outcome)
{
	struct sketches sketches;
	struct subject dense;
	double own = 0;
	int ret =
		sample(subject->dense, SKETCHES, SKETCH_PROBE_SEED, &sketches);

	if (ret)
		return ret;
	ret = measure_graph(subject->pruned, &sketches, &outcome->quality);
	if (!ret)
		ret = measure_model(subject->model, &sketches,
				    &outcome->quantized);
	if (!ret)
		ret = compress_sketches(recovery, -1, seed, &dense);
	if (!ret) {
		ret = measure_model(dense.model, &sketches, &own);
		outcome->quantized -= own;
		subject_release(&dense);
	}
	sketches_release(&sketches);
	return ret;
}

static int run_sketches(const struct recovery *recovery, uint64_t seed,
			struct outcome *outcome)
{
	uint64_t start = monotonic_ns();
	struct subject subject;
	int ret =
		compress_sketches(recovery, recovery->sparsity, seed, &subject);

	outcome->seconds = (double)(monotonic_ns() - start) / 1e9;
	if (!ret)
		ret = check_count(recovery, &subject);
	if (!ret)
		ret = measure_sketches(recovery, seed, &subject, outcome);
	subject_release(&subject);
	return ret;
}

/* ---- the table ---- */

/** struct spread - of a figure over the seeds */
struct spread {
	double mean;
	double half;
};

static struct spread spread_of(const double *values)
{
	double low = INFINITY, high = -INFINITY, sum = 0;

	for (int i = 0; i < SEEDS; i++) {
		low = fmin(low, values[i]);
		high = fmax(high, values[i]);
		sum += values[i];
	}
	return (struct spread){ sum / SEEDS, (high - low) / 2 };
}

/* @sign: 1 if more is better, −1 if less is. */
static void print_figure(struct spread spread, double bar, int sign)
{
	printf("  %7.3f ± %5.3f  (%s %6.2f%s)", spread.mean, spread.half,
	       sign > 0 ? "≥" : "≤", bar,
	       sign * (spread.mean - bar) >= 0 ? "" : ", missed");
}

typedef int (*recovery_function)(const struct recovery *recovery, uint64_t seed,
				 struct outcome *outcome);

static int run(const struct recovery *recovery, recovery_function function,
	       int sign)
{
	double seconds[SEEDS], quality[SEEDS], quantized[SEEDS];
	char path[4096];

	if (shared_path(path, sizeof(path), recovery->network, ".onnx")) {
		printf("%-18s skipped: %s is not there\n", recovery->network,
		       path);
		return 0;
	}
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct outcome outcome = { .seconds = 0 };
		int ret = function(recovery, seed, &outcome);

		if (ret)
			return ret;
		seconds[seed] = outcome.seconds;
		quality[seed] = outcome.quality;
		quantized[seed] = outcome.quantized;
	}
	printf("%-18s %3.0f %%", recovery->network, 100 * recovery->sparsity);
	print_figure(spread_of(quality), recovery->bar, sign);
	print_figure(spread_of(quantized), recovery->quantized_bar, sign);
	print_figure(spread_of(seconds), recovery->seconds, -1);
	printf("\n");
	fflush(stdout);
	return 0;
}

/* Of all networks, or of those that the command line names. */
static bool is_wanted(const struct recovery *recovery, int count, char **names)
{
	for (int i = 1; i < count; i++)
		if (!strcmp(names[i], recovery->network))
			return true;
	return count == 1;
}

int main(int count, char **names)
{
	int ret = 0;

	printf("pruned in one shot, mean ± half the span of %d seeds: PSNR in dB on another photo,\n"
	       "of sketches KL to the dense network (int8: above its own int8); binary32, int8, seconds\n",
	       SEEDS);
	for (size_t i = 0; i < sizeof(pictures) / sizeof(*pictures) && !ret;
	     i++)
		if (is_wanted(&pictures[i], count, names))
			ret = run(&pictures[i], run_pictures, 1);
	if (!ret && is_wanted(&strokes, count, names))
		ret = run(&strokes, run_sketches, -1);
	if (ret)
		fprintf(stderr, "recovery_oneshot: %s\n", accel_last_error());
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
