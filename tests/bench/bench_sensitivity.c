/* SPDX-License-Identifier: MIT */
/*
 * How long it takes to measure what each layer of a network loses, with as much data and as
 * many candidates as accel compress --target --compact has, and a checksum of all losses: what
 * makes it faster must not change a bit of them.
 *
 * usage: bench_sensitivity [NETWORK ...]
 */
#include "workload.h"

#include <accel/error.h>
#include <compress/onnx_import.h>
#include <compress/parallel.h>
#include <compress/prune_method.h>
#include <compress/saliency.h>
#include <compress/sensitivity.h>
#include <core/crc32c.h>
#include <core/deadline.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LATENTS 512
#define HELD_OUT_LATENTS 256
#define METHODS 3
#define KEPT_COUNT 7

static const char *const defaults[] = { "fashion_vae_dec", "fashion_dcgan" };
static const double kept[KEPT_COUNT] = { 0.7, 0.5, 0.3, 0.18, 0.1, 0.05, 0.02 };

static uint32_t checksum(const struct sensitivity *all)
{
	uint32_t sum = 0;

	for (int l = 0; l < all->count; l++) {
		sum = crc32c(sum, all->layers[l].losses,
			     (size_t)(all->methods * all->kept_count) *
				     sizeof(double));
		sum = crc32c(sum, all->layers[l].format_losses,
			     (size_t)all->format_count * sizeof(double));
	}
	return sum;
}

static int measure(const struct graph *graph, const char *name,
		   const struct calibration_data *data,
		   const struct calibration_data *check,
		   const struct sensitivity_options *options)
{
	struct sensitivity all;
	uint64_t begin;
	int ret = sensitivity_create(&all, graph, options->methods, KEPT_COUNT,
				     options->format_count);

	if (ret)
		return ret;
	begin = monotonic_ns();
	ret = sensitivity_measure(&all, graph, data, check, options);
	if (!ret)
		printf("%-18s %6d %10.2f %08x\n", name, all.count,
		       (double)(monotonic_ns() - begin) / 1e9, checksum(&all));
	fflush(stdout);
	sensitivity_release(&all);
	return ret;
}

/* Scores that need no data: any will do. */
static int with_scores(const struct graph *graph, const char *name,
		       const struct calibration_data *data,
		       const struct calibration_data *check)
{
	static const struct weight_format formats[] = { { .bits = 6 },
							{ .bits = 4 } };
	struct sensitivity_scores scores[METHODS];
	const struct sensitivity_options options = {
		.scores = scores,
		.methods = METHODS,
		.kept = kept,
		.kept_count = KEPT_COUNT,
		.formats = formats,
		.format_count = sizeof(formats) / sizeof(*formats),
		.workers = parallel_processors(),
	};
	float **values[METHODS] = { NULL };
	int ret = 0;

	for (uint64_t m = 0; m < METHODS && !ret; m++) {
		const char *method = m ? "random" : "magnitude";
		const struct prune_method_context context = {
			.graph = graph,
			.seed = m,
			.workers = 1,
		};

		values[m] = saliency_create(graph);
		scores[m] = (struct sensitivity_scores){
			method, (const float *const *)values[m]
		};
		ret = values[m] ? prune_method_find(method)->score(&context,
								   values[m]) :
				  -ENOMEM;
	}
	if (!ret)
		ret = measure(graph, name, data, check, &options);
	for (int m = 0; m < METHODS; m++)
		saliency_destroy(values[m], graph);
	return ret;
}

static int with_data(const struct graph *graph, const char *name)
{
	struct calibration_data data, check;
	int ret = calibration_data_sample(&data, graph, LATENTS, 0);

	if (ret)
		return ret;
	ret = calibration_data_sample(&check, graph, HELD_OUT_LATENTS, 1);
	if (!ret) {
		ret = with_scores(graph, name, &data, &check);
		calibration_data_release(&check);
	}
	calibration_data_release(&data);
	return ret;
}

static int run(const char *name)
{
	char *path = workload_path(name);
	struct graph *graph = NULL;
	int ret;

	if (!path) {
		printf("%-18s is not here\n", name);
		return 0;
	}
	ret = onnx_import(path, &graph);
	if (!ret)
		ret = with_data(graph, name);
	if (ret)
		fprintf(stderr, "%s: %s\n", name, accel_last_error());
	graph_destroy(graph);
	free(path);
	return ret;
}

int main(int count, char **arguments)
{
	int ret = 0;

	printf("%-18s %6s %10s %s\n", "network", "layers", "seconds", "losses");
	for (int i = 1; i < count && !ret; i++)
		ret = run(arguments[i]);
	for (size_t i = 0;
	     count < 2 && i < sizeof(defaults) / sizeof(*defaults) && !ret; i++)
		ret = run(defaults[i]);
	return ret ? 1 : 0;
}
