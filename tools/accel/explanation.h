/* SPDX-License-Identifier: MIT */
/* Where the time of a run went, layer by layer, and what follows from it. */
#ifndef TOOL_EXPLANATION_H
#define TOOL_EXPLANATION_H

#include "verdict.h"

#include <accel/device.h>
#include <accel/plan.h>
#include <plan/energy.h>

/**
 * struct explained_layer - one layer, or the total
 * @cost: on the device
 * @density: kept weights of the dense layer's, 0 without any
 * @device_seconds: its part of the device's time; 0 where no cycles are counted
 * @cpu_seconds: of the same arithmetic on this processor
 * @dense_seconds: of the dense float layer on it, 0 if not measured
 * @link_seconds: of its operands and results, were it alone on the device
 * @schedule: issue cycles of the bank schedule ÷ their optimum, 0 without one
 * @shares: of the lane-cycles
 * @energy: an estimate, of a device that counts cycles
 * @verdict: on it
 */
struct explained_layer {
	struct accel_layer_info cost;
	double density;
	double device_seconds;
	double cpu_seconds;
	double dense_seconds;
	double link_seconds;
	double schedule;
	int shares[ACCEL_STALL_CAUSES];
	struct energy energy;
	struct verdict verdict;
};

/**
 * struct explanation - a run
 * @model: its name
 * @device: that ran it
 * @batch: of it
 * @has_dense: the dense float network was measured, too
 * @table: that the energies are estimated by
 * @layers: transfers last
 * @count: of @layers
 * @total: of the run
 * @summary: a paragraph for people
 */
struct explanation {
	const char *model;
	struct accel_device_info device;
	uint32_t batch;
	bool has_dense;
	struct energy_table table;
	struct explained_layer *layers;
	uint32_t count;
	struct explained_layer total;
	char summary[1024];
};

/*
 * Derive all that follows from the costs and the times measured: densities, shares,
 * energies, verdicts and the summary.
 */
void explanation_conclude(struct explanation *explanation);

/* A layer's part of the run's time: 0 … 1, and 0 where none is counted. */
double explanation_part(const struct explanation *explanation,
			const struct explained_layer *layer);

/* To standard output. */
void explanation_print(const struct explanation *explanation);
int explanation_print_json(const struct explanation *explanation);

/* One page that needs nothing else; 0 or −errno, and then there is no file. */
int explanation_write_html(const struct explanation *explanation,
			   const char *path);

#endif
