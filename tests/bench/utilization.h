/* SPDX-License-Identifier: MIT */
/* What networks reach of their roofs on the simulated device. */
#ifndef UTILIZATION_H
#define UTILIZATION_H

#include "workload.h"

#include <stdbool.h>

/**
 * struct layer_utilization - one layer of a run
 * @info: as accel_plan_get_layer() gives it; its name is the caller's to free
 * @cycles: its lane-cycles ÷ lanes
 * @hard: of its hard roof
 * @structural: of its structural roof
 * @cause: the largest of its stalls, enum spmm_stall
 */
struct layer_utilization {
	struct accel_layer_info info;
	double cycles;
	double hard;
	double structural;
	int cause;
};

/**
 * struct utilization - of one run of a network
 * @workload: which
 * @pruning: of it
 * @layers: all but the transfers
 * @layer_count: of @layers
 * @total: of the run
 * @stall: lane-cycles of all layers and transfers, by cause
 * @makespan: from the first activity of the first layer to the last store of any
 * @with_transfers: the host's copies before and behind it included
 * @hard: network roof ÷ @makespan
 * @clock_hz: of the device
 * @seconds: that simulating took
 */
struct utilization {
	const struct workload *workload;
	const struct pruning *pruning;
	struct layer_utilization *layers;
	uint32_t layer_count;
	struct accel_layer_info total;
	uint64_t makespan;
	uint64_t with_transfers;
	double hard;
	uint32_t clock_hz;
	double seconds;
};

/**
 * struct utilization_options - how to measure
 * @uri: of the device
 * @runs: the last one counts
 */
struct utilization_options {
	const char *uri;
	uint32_t runs;
};

/*
 * One run on a device of its own, with inputs of zeros. Return: 1; 0 if the network
 * has as many zeros already; −errno.
 */
int utilization_measure(const struct utilization_options *options,
			const struct workload *workload, const char *path,
			const struct pruning *pruning, struct utilization *out);
void utilization_free(struct utilization *utilization);

#endif
