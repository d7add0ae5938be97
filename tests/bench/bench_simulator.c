/* SPDX-License-Identifier: MIT */
/*
 * How fast one core simulates whole networks, results and time together, with either
 * engine; how fast it packs weights; and how near the bank schedules are to their
 * optimum. Each beside its bar.
 */
#include "utilization.h"

#include <accel/error.h>
#include <pack/stream.h>
#include <runtime/object.h>

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAST_BAR 2e9
#define REFERENCE_BAR 200e3
#define SCHEDULE_BAR 1.05
#define PACK_BAR 10e6

#define FAST "sim:"
#define REFERENCE "sim:?engine=reference"

/* The first run touches memory for the first time. */
#define RUNS 3

static int fail(const char *name)
{
	fprintf(stderr, "bench_simulator: %s: %s\n", name, accel_last_error());
	return -1;
}

/* The device's thread takes over the processor from the one that waits for it. */
static void pin(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		printf("(not pinned to one core)\n");
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const struct workload *workload_find(const char *name)
{
	for (size_t i = 0; i < workload_count; i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}

/* 1; 0 if the network is not there; -1. */
static int simulate(const char *uri, const char *name, uint32_t runs,
		    struct utilization *out)
{
	const struct utilization_options options = { uri, runs };
	char *path = workload_path(name);
	int ret = 0;

	if (path)
		ret = utilization_measure(&options, workload_find(name), path,
					  &prunings[0], out);
	free(path);
	if (!path)
		printf("%-24s skipped: neither ../shared/models nor the tree has it\n",
		       name);
	return ret < 0 ? fail(name) : ret;
}

static int bench_fast(const char *name)
{
	struct utilization run;
	double rate;
	int ret = simulate(FAST, name, RUNS, &run);

	if (ret <= 0)
		return ret;
	rate = (double)run.total.macs / run.seconds;
	printf("%-24s fast engine: %8.2f G useful MAC/s (bar %.0f G), %10.0f cycles/s\n",
	       name, rate / 1e9, FAST_BAR / 1e9,
	       (double)run.with_transfers / run.seconds);
	utilization_free(&run);
	return 0;
}

static int bench_reference(const char *name)
{
	struct utilization fast, reference;
	int ret = simulate(FAST, name, 1, &fast);

	if (ret <= 0)
		return ret;
	ret = simulate(REFERENCE, name, 1, &reference);
	if (ret > 0) {
		printf("%-24s reference engine: %8.0f cycles/s (bar %.0f); %s as the fast one's: %" PRIu64
		       "\n",
		       name,
		       (double)reference.with_transfers / reference.seconds,
		       REFERENCE_BAR,
		       reference.with_transfers == fast.with_transfers ?
			       "as many" :
			       "NOT as many",
		       reference.with_transfers);
		utilization_free(&reference);
	}
	utilization_free(&fast);
	return ret < 0 ? -1 : 0;
}

/**
 * struct packing - of the layers of all networks
 * @nonzeros: packed
 * @seconds: that it took
 * @ratio: sum of cycles ÷ optimum
 * @matrices: how many
 */
struct packing {
	double nonzeros;
	double seconds;
	double ratio;
	double matrices;
};

static int pack_matrix(const struct model_csr *csr, uint64_t columns,
		       uint32_t kernel_width, const struct geometry *geometry,
		       struct packing *sum)
{
	const struct mapping_layer layer = {
		.rows = csr->rows,
		.inner = csr->columns,
		.columns = columns,
		.nonzeros = (uint64_t)model_csr_nonzeros(csr),
		.kernel_width = kernel_width,
	};
	const struct mapping mapping = mapping_choose(geometry, &layer);
	double start = cpu_seconds();
	struct stream stream;

	if (stream_pack(csr, geometry, &mapping, &stream))
		return -1;
	sum->seconds += cpu_seconds() - start;
	sum->nonzeros += (double)stream.nonzeros;
	if (stream.optimal_cycles) {
		sum->ratio += (double)stream.issue_cycles /
			      (double)stream.optimal_cycles;
		sum->matrices++;
	}
	stream_free(&stream);
	return 0;
}

/* N of every layer as of the first: near enough for a mapping. */
static int pack_model(const struct workload *workload,
		      const struct model *model,
		      const struct geometry *geometry, struct packing *sum)
{
	const struct accel_plan_options *sizes = &workload->options;
	uint64_t n = (uint64_t)sizes->batch *
		     (sizes->height ? sizes->height * sizes->width : 1);
	int ret = 0;

	for (uint32_t l = 0; l < model->layer_count && !ret; l++) {
		const struct model_layer *layer = &model->layers[l];

		if (layer->op == MODEL_SPMM)
			ret = pack_matrix(&layer->spmm.weights, n,
					  layer->spmm.window.kernel_width,
					  geometry, sum);
		if (layer->op == MODEL_LSTM || layer->op == MODEL_GRU)
			ret = pack_matrix(&layer->recurrent.hidden_weights, n,
					  1, geometry, sum);
	}
	return ret;
}

static int pack_workload(const struct workload *workload,
			 const struct geometry *geometry, struct packing *sum)
{
	char *path = workload_path(workload->name);
	int ret = 0;

	for (size_t p = 0; path && p < pruning_count && !ret; p++) {
		struct accel_model *model;

		ret = workload_load(path, &prunings[p], &model);
		if (!ret && model)
			ret = pack_model(workload, model->model, geometry, sum);
		accel_model_free(model);
	}
	free(path);
	return ret ? fail(workload->name) : 0;
}

static int bench_packing(void)
{
	struct packing sum = { 0 };
	struct accel_device *device;
	int ret = accel_device_open(FAST, NULL, &device);

	if (ret)
		return fail(FAST);
	for (size_t i = 0; i < workload_count && !ret; i++)
		ret = pack_workload(&workloads[i], device->geometry, &sum);
	accel_device_close(device);
	if (ret || !sum.matrices)
		return ret;
	printf("%-24s %8.1f M non-zeros/s (bar %.0f M)\n", "packing",
	       sum.nonzeros / sum.seconds / 1e6, PACK_BAR / 1e6);
	printf("%-24s %8.4f × the optimum's cycles, mean of %.0f matrices (bar %.2f)\n",
	       "bank schedules", sum.ratio / sum.matrices, sum.matrices,
	       SCHEDULE_BAR);
	return 0;
}

int main(void)
{
	pin();
	if (bench_fast("esrgan_medium_x4") ||
	    bench_fast("esrgan_medium_x4_sp80") ||
	    bench_reference("esrgan_slim_x2_sp80") || bench_packing())
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
