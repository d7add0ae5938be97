/* SPDX-License-Identifier: MIT */
/*
 * What compressing saves and costs for each of the known networks, with the zeros
 * that they have: a row of a table for each.
 */
#include <measure.h>

#include <accel/error.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void print_psnr(const struct figures *figures)
{
	const char *before = "";

	for (int i = 0; i < NETWORK_PROBES; i++) {
		if (isnan(figures->psnr[i]))
			continue;
		printf("%s%.2f", before, figures->psnr[i]);
		before = ", ";
	}
	printf(" dB");
}

static void print_figures(const struct network *network,
			  const struct compressed *compressed,
			  const struct figures *figures)
{
	const struct accel_model_info *info = &compressed->info;

	printf("%-22s %5.1f%% %9" PRIu64 " %8" PRIu64 " %5.1f %6.2f %8" PRIu64
	       " %5.1f%% %8" PRIu64 " %6" PRIu64 "  ",
	       network->name,
	       100 - 100 * (double)info->nonzeros / (double)info->weights,
	       info->dense_bytes, compressed->file_bytes,
	       (double)info->dense_bytes / (double)compressed->file_bytes,
	       compressed->seconds, figures->cycles, 100 * figures->utilization,
	       figures->values, figures->differing);
	print_psnr(figures);
	if (network->in_tree)
		printf(" against itself in binary32");
	if (network->kind == NETWORK_CLASSIFIER)
		printf(", accuracy %.4f (dense %.4f)", figures->accuracy,
		       network->accuracy);
	if (network->kind == NETWORK_SKETCH)
		printf(", nats per step %.3f (dense %.3f), on its own sketches %.3f (dense %.3f)",
		       figures->nll.compressed, figures->nll.dense,
		       figures->sampled.compressed, figures->sampled.dense);
	printf("\n");
	fflush(stdout);
}

static int bench(const struct network *network)
{
	const char *missing = network_missing(network);
	struct compressed compressed;
	struct figures figures;
	int ret;

	if (missing) {
		printf("%-22s skipped: %s\n", network->name, missing);
		return 0;
	}
	ret = network_compress(network, &compressed);
	if (ret)
		return ret;
	ret = measure(network, &compressed, &figures);
	if (!ret)
		print_figures(network, &compressed, &figures);
	compressed_destroy(&compressed);
	return ret;
}

int main(void)
{
	printf("%-22s %6s %9s %8s %5s %6s %8s %6s %8s %6s  %s\n", "network",
	       "zeros", "fp32", "bytes", "ratio", "s", "cycles", "roof",
	       "values", "differ", "quality");
	for (size_t i = 0; i < network_count; i++) {
		if (bench(&networks[i])) {
			fprintf(stderr, "bench_models: %s: %s\n",
				networks[i].name, accel_last_error());
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
