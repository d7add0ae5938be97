/* SPDX-License-Identifier: MIT */
/* What networks reach of their roofs on the simulated device. */
#ifndef UTILIZATION_H
#define UTILIZATION_H

#include "workload.h"

#include <stdbool.h>

/**
 * struct layer_utilization - one layer of a run
 * @info: as accel_plan_get_layer() gives it; its name is the caller's to free
 * @cycles: its lane-cycles ÷ lanes, but for @waits
 * @waits: for the host's copies: for the link, and in the first layer for the copies'
 *	engine, too
 * @hard: of its hard roof
 * @structural: of its structural roof
 * @cause: the largest of its stalls, enum spmm_stall
 */
struct layer_utilization {
	struct accel_layer_info info;
	double cycles;
	double waits;
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
 * @roof: of the network, without its input and output, which the host's copies bring
 *	to the chip and take from it
 * @makespan: from the first activity of the first layer to the last store of any, but
 *	for cycles that wait for the host's copies: those of layers, and those in which
 *	the clusters have no layer yet that could
 * @hard: @roof ÷ @makespan
 * @with_transfers: from the first copy of the host to the last one
 * @hard_with_transfers: the network's whole roof ÷ @with_transfers
 * @clock_hz: of the device
 * @seconds: that simulating took
 */
struct utilization {
	const struct workload *workload;
	const struct pruning *pruning;
	struct layer_utilization *layers;
	uint32_t layer_count;
	struct accel_layer_info total;
	uint64_t roof;
	uint64_t makespan;
	double hard;
	uint64_t with_transfers;
	double hard_with_transfers;
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
