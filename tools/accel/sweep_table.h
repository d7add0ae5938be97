/* SPDX-License-Identifier: MIT */
/* What a model cost at each point of a grid of configurations. */
#ifndef TOOL_SWEEP_TABLE_H
#define TOOL_SWEEP_TABLE_H

#include "grid.h"

#include <stdio.h>

/**
 * struct sweep_result - one point
 * @refusal: why there is nothing else, or NULL
 * @cycles: of the run, copies over the link included
 * @roof_hard_cycles: lower bound for any machine of this size
 * @roof_structural_cycles: for this array
 * @utilization: hard roof / cycles
 * @bytes_dram: read from and written to device memory
 * @bytes_pcie: over the link
 * @device_seconds: cycles at the configuration's clock
 * @energy_joules: an estimate
 * @host_seconds: that the simulation took
 */
struct sweep_result {
	char *refusal;
	uint64_t cycles;
	uint64_t roof_hard_cycles;
	uint64_t roof_structural_cycles;
	double utilization;
	uint64_t bytes_dram;
	uint64_t bytes_pcie;
	double device_seconds;
	double energy_joules;
	double host_seconds;
};

/**
 * struct sweep_table - all points
 * @model: its name, UTF-8
 * @grid: with at least one axis
 * @results: one for each point, in their order; zero until the point has run
 */
struct sweep_table {
	const char *model;
	const struct grid *grid;
	struct sweep_result *results;
};

uint32_t sweep_table_refused(const struct sweep_table *table);

/* As CSV: a line of names, then one for each point. */
void sweep_table_print_names(const struct sweep_table *table, FILE *stream);
void sweep_table_print_row(const struct sweep_table *table, uint32_t point,
			   FILE *stream);

#endif
