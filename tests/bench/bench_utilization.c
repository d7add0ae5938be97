/* SPDX-License-Identifier: MIT */
/*
 * How much of its roofs each public network reaches on the simulated device, as
 * dense as it is and pruned: a row for each, the geometric mean, and by name every
 * layer and network below its bar, with the stall that takes most.
 *
 * usage: bench_utilization [-v] [--json] [--device URI] [--network NAME]
 *	[--pruning NAME]; -v prints every layer
 */
#include "utilization.h"

#include <accel/error.h>
#include <spmm/queue.h>
#include <stall.h>

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK_BAR 0.90
#define MEAN_BAR 0.92
#define HARD_BAR 0.90
#define STRUCTURAL_BAR 0.95
#define RESIDENT_BAR 0.85

/* Layers that are shorter, in seconds, or narrower have no bar. */
#define HARD_SECONDS_MIN 2e-6
#define HARD_COLUMNS_MIN 32
#define STRUCTURAL_SECONDS_MIN 5e-6

/* A sequence of one drawing: one column, the weights as few cycles as possible. */
static const struct workload single = {
	"sketchrnn_bird",
	{ .size = sizeof(struct accel_plan_options), .batch = 1, .steps = 64 },
};

/**
 * struct bench - what is measured, and what came of it
 * @uri: of the device
 * @network: only this one, or NULL
 * @pruning: likewise
 * @verbose: print every layer
 * @json: print as JSON, and nothing else
 * @rows: each network with each pruning
 * @count: of @rows
 * @resident: one sequence's recurrent layer, when the plan ran before
 * @resident_count: of @resident
 */
struct bench {
	const char *uri;
	const char *network;
	const char *pruning;
	bool verbose;
	bool json;
	struct utilization *rows;
	size_t count;
	struct utilization *resident;
	size_t resident_count;
};

static double seconds_of(const struct utilization *row, double cycles)
{
	return row->clock_hz ? cycles / row->clock_hz : 0;
}

static bool below_hard(const struct utilization *row,
		       const struct layer_utilization *layer)
{
	double roof = (double)layer->info.roof_hard_cycles;

	return seconds_of(row, roof) >= HARD_SECONDS_MIN &&
	       layer->info.n >= HARD_COLUMNS_MIN && layer->hard < HARD_BAR;
}

static bool below_structural(const struct utilization *row,
			     const struct layer_utilization *layer)
{
	return seconds_of(row, layer->cycles) >= STRUCTURAL_SECONDS_MIN &&
	       layer->structural < STRUCTURAL_BAR;
}

/* ---- measuring ---- */

static bool is_wanted(const char *only, const char *name)
{
	return !only || !strcmp(only, name);
}

static void print_head(void)
{
	printf("%-22s %-8s %9s %8s %8s %6s %8s %8s %6s %6s\n", "network",
	       "zeros", "MMAC", "roof", "cycles", "of it", "roof I/O",
	       "with I/O", "of it", "s");
}

static void print_layer(const struct layer_utilization *layer)
{
	const struct accel_layer_info *info = &layer->info;

	printf("  %-28.28s %6" PRIu64 " x%6" PRIu64 " x%8" PRIu64
	       " hard %8" PRIu64 " structural %8" PRIu64
	       " cycles %8.0f %5.1f%% %5.1f%% %s\n",
	       info->name, info->m, info->k, info->n, info->roof_hard_cycles,
	       info->roof_structural_cycles, layer->cycles, 100 * layer->hard,
	       100 * layer->structural, stall_causes()[layer->cause].name);
}

static void print_row(const struct bench *bench, const struct utilization *row)
{
	printf("%-22s %-8s %9.1f %8" PRIu64 " %8" PRIu64 " %5.1f%% %8" PRIu64
	       " %8" PRIu64 " %5.1f%% %6.2f\n",
	       row->workload->name, row->pruning->name,
	       (double)row->total.macs / 1e6, row->roof, row->makespan,
	       100 * row->hard, row->total.roof_hard_cycles,
	       row->with_transfers, 100 * row->hard_with_transfers,
	       row->seconds);
	if (bench->verbose)
		for (uint32_t i = 0; i < row->layer_count; i++)
			print_layer(&row->layers[i]);
	fflush(stdout);
}

static int measure_prunings(struct bench *bench,
			    const struct workload *workload, uint32_t runs,
			    struct utilization *rows, size_t *count)
{
	const struct utilization_options options = { bench->uri, runs };
	char *path = workload_path(workload->name);
	int ret = 0;

	if (!path) {
		fprintf(stderr,
			"%s: skipped, neither ../shared/models nor the tree has it\n",
			workload->name);
		return 0;
	}
	for (size_t p = 0; p < pruning_count && ret >= 0; p++) {
		if (!is_wanted(bench->pruning, prunings[p].name))
			continue;
		ret = utilization_measure(&options, workload, path,
					  &prunings[p], &rows[*count]);
		if (ret <= 0)
			continue;
		if (!bench->json)
			print_row(bench, &rows[*count]);
		(*count)++;
	}
	free(path);
	return ret < 0 ? ret : 0;
}

static int measure_all(struct bench *bench)
{
	int ret = 0;

	if (!bench->json)
		print_head();
	for (size_t i = 0; i < workload_count && !ret; i++)
		if (is_wanted(bench->network, workloads[i].name))
			ret = measure_prunings(bench, &workloads[i], 1,
					       bench->rows, &bench->count);
	if (ret || !is_wanted(bench->network, single.name))
		return ret;
	if (!bench->json)
		printf("one sequence, weights resident: run again\n");
	return measure_prunings(bench, &single, 2, bench->resident,
				&bench->resident_count);
}

/* ---- conclusions ---- */

static double geometric_mean(const struct bench *bench, bool transfers)
{
	double sum = 0;

	for (size_t i = 0; i < bench->count; i++)
		sum += log(transfers ? bench->rows[i].hard_with_transfers :
				       bench->rows[i].hard);
	return bench->count ? exp(sum / (double)bench->count) : 0;
}

static const struct layer_utilization *
recurrent_layer(const struct utilization *row)
{
	for (uint32_t i = 0; i < row->layer_count; i++)
		if (!strcmp(row->layers[i].info.op, "lstm") ||
		    !strcmp(row->layers[i].info.op, "gru"))
			return &row->layers[i];
	return NULL;
}

static void print_exception(const struct utilization *row,
			    const struct layer_utilization *layer,
			    const char *roof, double ratio)
{
	const uint64_t *stall = layer->info.stall;
	int shares[ACCEL_STALL_CAUSES];

	stall_shares(stall, shares);
	printf("  %-22s %-8s %-28.28s %5.1f%% of its %s roof, %8.0f cycles; %s %.1f%%\n",
	       row->workload->name, row->pruning->name, layer->info.name,
	       100 * ratio, roof, layer->cycles,
	       stall_causes()[layer->cause].name, shares[layer->cause] / 10.0);
}

typedef bool (*bar_function)(const struct utilization *row,
			     const struct layer_utilization *layer);

static size_t print_exceptions(const struct bench *bench, const char *title,
			       bar_function below, bool structural)
{
	size_t layers = 0, count = 0;

	printf("\n%s:\n", title);
	for (size_t i = 0; i < bench->count; i++) {
		const struct utilization *row = &bench->rows[i];

		layers += row->layer_count;
		for (uint32_t l = 0; l < row->layer_count; l++) {
			const struct layer_utilization *layer = &row->layers[l];

			if (!below(row, layer))
				continue;
			count++;
			print_exception(
				row, layer, structural ? "structural" : "hard",
				structural ? layer->structural : layer->hard);
		}
	}
	printf("  %zu of %zu layers\n", count, layers);
	return count;
}

static void print_resident(const struct bench *bench)
{
	size_t below = 0;

	printf("\nrecurrent layers of one sequence below %.0f %% of the structural roof, weights resident:\n",
	       100 * RESIDENT_BAR);
	for (size_t i = 0; i < bench->resident_count; i++) {
		const struct layer_utilization *layer =
			recurrent_layer(&bench->resident[i]);

		if (!layer || layer->structural >= RESIDENT_BAR)
			continue;
		below++;
		print_exception(&bench->resident[i], layer, "structural",
				layer->structural);
	}
	printf("  %zu of %zu\n", below, bench->resident_count);
}

static void print_networks(const struct bench *bench)
{
	size_t below = 0;

	printf("\nnetworks below %.0f %% of their roof:\n", 100 * NETWORK_BAR);
	for (size_t i = 0; i < bench->count; i++) {
		const struct utilization *row = &bench->rows[i];

		if (row->hard >= NETWORK_BAR)
			continue;
		below++;
		printf("  %-22s %-8s %5.1f%%\n", row->workload->name,
		       row->pruning->name, 100 * row->hard);
	}
	printf("  %zu of %zu; geometric mean of all %.1f %% (bar %.0f %%), with the host's copies %.1f %%\n",
	       below, bench->count, 100 * geometric_mean(bench, false),
	       100 * MEAN_BAR, 100 * geometric_mean(bench, true));
}

static void print_conclusions(const struct bench *bench)
{
	print_exceptions(
		bench,
		"layers with a hard roof of 2 µs or more and N ≥ 32, below 90 % of it",
		below_hard, false);
	print_exceptions(
		bench,
		"layers of 5 µs or more below 95 % of the structural roof",
		below_structural, true);
	print_resident(bench);
	print_networks(bench);
}

/* ---- JSON ---- */

static json_t *layer_json(const struct utilization *row,
			  const struct layer_utilization *layer)
{
	const struct accel_layer_info *info = &layer->info;
	json_t *stall = json_object();

	for (int i = 0; i < ACCEL_STALL_CAUSES; i++)
		if (info->stall[i])
			json_object_set_new(
				stall, stall_causes()[i].key,
				json_integer((json_int_t)info->stall[i]));
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:s, s:b, s:b, s:o}",
		"name", info->name, "op", info->op, "m", (json_int_t)info->m,
		"k", (json_int_t)info->k, "n", (json_int_t)info->n, "nnz",
		(json_int_t)info->nnz, "roof_hard_cycles",
		(json_int_t)info->roof_hard_cycles, "roof_structural_cycles",
		(json_int_t)info->roof_structural_cycles, "issue_cycles",
		(json_int_t)info->issue_cycles, "optimal_cycles",
		(json_int_t)info->optimal_cycles, "cycles", layer->cycles,
		"hard", layer->hard, "structural", layer->structural, "cause",
		stall_causes()[layer->cause].key, "below_hard",
		below_hard(row, layer), "below_structural",
		below_structural(row, layer), "stall", stall);
}

static json_t *row_json(const struct utilization *row)
{
	json_t *layers = json_array();

	for (uint32_t i = 0; i < row->layer_count; i++)
		json_array_append_new(layers, layer_json(row, &row->layers[i]));
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:f, s:f, s:o}",
		"network", row->workload->name, "pruning", row->pruning->name,
		"macs", (json_int_t)row->total.macs, "roof_cycles",
		(json_int_t)row->roof, "makespan", (json_int_t)row->makespan,
		"hard", row->hard, "roof_cycles_with_transfers",
		(json_int_t)row->total.roof_hard_cycles,
		"makespan_with_transfers", (json_int_t)row->with_transfers,
		"hard_with_transfers", row->hard_with_transfers, "seconds",
		row->seconds, "layers", layers);
}

static json_t *rows_json(const struct utilization *rows, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, row_json(&rows[i]));
	return array;
}

static int print_json(const struct bench *bench)
{
	json_t *root =
		json_pack("{s:f, s:o, s:o}", "geometric_mean",
			  geometric_mean(bench, false), "networks",
			  rows_json(bench->rows, bench->count), "resident",
			  rows_json(bench->resident, bench->resident_count));
	int ret = root ? json_dumpf(root, stdout, JSON_INDENT(1)) : -1;

	json_decref(root);
	printf("\n");
	return ret;
}

/* ---- the program ---- */

static int arguments_parse(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "device", required_argument, NULL, 'd' },
		{ "network", required_argument, NULL, 'n' },
		{ "pruning", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		switch (option) {
		case 'v':
			bench->verbose = true;
			break;
		case 'j':
			bench->json = true;
			break;
		case 'd':
			bench->uri = optarg;
			break;
		case 'n':
			bench->network = optarg;
			break;
		case 'p':
			bench->pruning = optarg;
			break;
		default:
			return -1;
		}
	}
	return 0;
}

static void rows_free(struct utilization *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		utilization_free(&rows[i]);
	free(rows);
}

static int run(struct bench *bench)
{
	if (!bench->rows || !bench->resident) {
		fprintf(stderr, "bench_utilization: out of memory\n");
		return -1;
	}
	if (measure_all(bench)) {
		fprintf(stderr, "bench_utilization: %s\n", accel_last_error());
		return -1;
	}
	if (bench->json)
		return print_json(bench);
	print_conclusions(bench);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench bench = { .uri = "sim:" };
	int ret;

	if (arguments_parse(argc, argv, &bench))
		return EXIT_FAILURE;
	/* A row more, which a network that is left out writes to. */
	bench.rows =
		calloc(workload_count * pruning_count + 1, sizeof(*bench.rows));
	bench.resident = calloc(pruning_count + 1, sizeof(*bench.resident));
	ret = run(&bench);
	if (bench.rows)
		rows_free(bench.rows, bench.count);
	if (bench.resident)
		rows_free(bench.resident, bench.resident_count);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
