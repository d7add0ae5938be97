/* SPDX-License-Identifier: MIT */
#include "utilization.h"

#include <core/error.h>
#include <spmm/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_NS (3600ll * 1000000000)

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_transfer(const struct accel_layer_info *info)
{
	return !strcmp(info->op, "copy");
}

static void layer_conclude(struct layer_utilization *layer, bool first,
			   uint64_t lanes)
{
	const struct accel_layer_info *info = &layer->info;
	uint64_t sum = 0, waits = 0;

	layer->cause = SPMM_STALL_BANK;
	for (int i = 0; i < ACCEL_STALL_CAUSES; i++) {
		if (i == SPMM_STALL_PCIE || (i == SPMM_STALL_DMA && first)) {
			waits += info->stall[i];
			continue;
		}
		sum += info->stall[i];
		if (i != SPMM_STALL_ISSUE &&
		    info->stall[i] > info->stall[layer->cause])
			layer->cause = i;
	}
	layer->cycles = (double)sum / (double)lanes;
	layer->waits = (double)waits / (double)lanes;
	if (!sum)
		return;
	layer->hard = (double)info->roof_hard_cycles / layer->cycles;
	layer->structural =
		(double)info->roof_structural_cycles / layer->cycles;
}

/**
 * struct makespan - of a network, from its first layer's first activity on
 * @first: cycle of that
 * @last: of the last layer's last activity
 * @waits: of these cycles, those that wait for the host's copies
 */
struct makespan {
	uint64_t first;
	uint64_t last;
	double waits;
};

static void makespan_add(struct makespan *makespan,
			 const struct layer_utilization *layer)
{
	const struct accel_layer_info *info = &layer->info;

	makespan->waits += layer->waits;
	if (info->last_cycle > makespan->last)
		makespan->last = info->last_cycle;
	if (info->first_cycle < makespan->first)
		makespan->first = info->first_cycle;
}

/*
 * While clusters have nothing to do, the oldest command has their cycles: an input's
 * copy, when the first layer is fetched beside it.
 */
static double inputs_waits(const struct accel_layer_info *info, uint64_t lanes)
{
	return (double)(info->stall[SPMM_STALL_PCIE] +
			info->stall[SPMM_STALL_DMA]) /
	       (double)lanes;
}

static int layers_read(const struct accel_plan *plan, uint32_t count,
		       uint64_t lanes, struct utilization *out)
{
	struct makespan makespan = { .first = UINT64_MAX };

	out->layers = calloc((size_t)count + 1, sizeof(*out->layers));
	if (!out->layers)
		return accel_error(-ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		struct layer_utilization *layer =
			&out->layers[out->layer_count];
		int ret;

		layer->info.size = sizeof(layer->info);
		ret = accel_plan_get_layer(plan, i, &layer->info);
		if (ret)
			return ret;
		if (is_transfer(&layer->info)) {
			if (!strcmp(layer->info.name, "inputs"))
				makespan.waits +=
					inputs_waits(&layer->info, lanes);
			continue;
		}
		layer->info.name = strdup(layer->info.name);
		out->layer_count++;
		layer_conclude(layer, out->layer_count == 1, lanes);
		makespan_add(&makespan, layer);
	}
	if (makespan.last > makespan.first)
		out->makespan = makespan.last - makespan.first -
				(uint64_t)makespan.waits;
	return 0;
}

/* The bytes of input and output are in the roof's one part, but not in the other. */
static uint64_t roof_without_transfers(const struct accel_device_info *info,
				       const struct accel_layer_info *total)
{
	uint64_t width =
		(uint64_t)info->clusters * info->lanes * info->vector_width;
	uint64_t macs = (total->macs + width - 1) / width;
	unsigned __int128 bytes =
		(unsigned __int128)(total->bytes_input + total->bytes_output);
	uint64_t cycles =
		(uint64_t)(bytes * info->clock_hz / info->memory_bandwidth);
	uint64_t roof = total->roof_hard_cycles;

	roof = roof > cycles ? roof - cycles : 0;
	return roof > macs ? roof : macs;
}

static int plan_read(const struct accel_plan *plan, struct accel_device *device,
		     struct utilization *out)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_plan_info plan_info = { .size = sizeof(plan_info) };
	int ret = accel_device_get_info(device, &info);

	if (!ret)
		ret = accel_plan_get_info(plan, &plan_info);
	if (!ret)
		ret = layers_read(plan, plan_info.layer_count,
				  (uint64_t)info.clusters * info.lanes, out);
	out->total.size = sizeof(out->total);
	if (!ret)
		ret = accel_plan_get_total(plan, &out->total);
	if (ret)
		return ret;
	out->clock_hz = info.clock_hz;
	out->roof = roof_without_transfers(&info, &out->total);
	if (out->makespan)
		out->hard = (double)out->roof / (double)out->makespan;
	out->with_transfers = out->total.cycles;
	if (out->with_transfers)
		out->hard_with_transfers = (double)out->total.roof_hard_cycles /
					   (double)out->with_transfers;
	return 0;
}

static int model_measure(const struct utilization_options *options,
			 struct accel_model *model, struct utilization *out)
{
	struct accel_device *device = NULL;
	struct accel_plan *plan = NULL;
	int ret = accel_device_open(options->uri, NULL, &device);

	if (!ret)
		ret = accel_plan_create(device, model, &out->workload->options,
					&plan);
	for (uint32_t i = 0; i < options->runs && !ret; i++) {
		double start = cpu_seconds();

		ret = accel_run(plan, NULL, 0, NULL, 0, TIMEOUT_NS);
		out->seconds = cpu_seconds() - start;
	}
	if (!ret)
		ret = plan_read(plan, device, out);
	accel_plan_destroy(plan);
	accel_device_close(device);
	return ret;
}

int utilization_measure(const struct utilization_options *options,
			const struct workload *workload, const char *path,
			const struct pruning *pruning, struct utilization *out)
{
	struct accel_model *model;
	int ret = workload_load(path, pruning, &model);

	*out = (struct utilization){ .workload = workload, .pruning = pruning };
	if (ret || !model)
		return ret;
	ret = model_measure(options, model, out);
	accel_model_free(model);
	if (ret)
		utilization_free(out);
	return ret ? ret : 1;
}

void utilization_free(struct utilization *utilization)
{
	for (uint32_t i = 0; i < utilization->layer_count; i++)
		free((char *)utilization->layers[i].info.name);
	free(utilization->layers);
	utilization->layers = NULL;
	utilization->layer_count = 0;
}
