/* SPDX-License-Identifier: MIT */
/*
 * An estimate of a layer's energy: so many actions, each at a published figure.
 * The figures are of other chips than this one, and leave out clock trees, wires
 * between clusters and the host: they rank layers and show where energy goes, and
 * are no measurement. Documentation/accel.rst has the table with what is known of
 * each figure.
 */
#ifndef PLAN_ENERGY_H
#define PLAN_ENERGY_H

#include <stdint.h>

/* What is counted, in the order of struct energy_table. */
enum energy_kind {
	ENERGY_MAC, /* int8 multiply, int32 add */
	ENERGY_BUFFER_BYTE, /* of a cluster's activation buffer */
	ENERGY_SRAM_BYTE, /* of the shared SRAM */
	ENERGY_DRAM_BYTE, /* column accesses and transfer */
	ENERGY_DRAM_ACTIVATE, /* of a row, and its precharge */
	ENERGY_PCIE_BYTE,
	ENERGY_CHIP_IDLE, /* leakage and idle clocks, per multiplier and ns */
	ENERGY_DRAM_IDLE, /* standby and refresh, per byte that could have moved */
	ENERGY_KINDS,
};

/**
 * struct energy_action - one kind of action
 * @name: for people
 * @key: for programs
 * @picojoules: of one
 * @source: the publication, and what was made of its figure
 */
struct energy_action {
	const char *name;
	const char *key;
	double picojoules;
	const char *source;
};

/**
 * struct energy_table - the figures for one standard of device memory
 * @memory: the standard that they are for
 * @actions: in the order of enum energy_kind
 */
struct energy_table {
	const char *memory;
	struct energy_action actions[ENERGY_KINDS];
};

/*
 * The table for a standard by its name, as in struct accel_device_info. For one that
 * has no figures, or NULL, LPDDR5X stands in: @memory tells.
 */
void energy_table_for(const char *memory, struct energy_table *table);

/**
 * struct energy_counts - what happened
 * @macs: performed
 * @sram_bytes: between SRAM and clusters
 * @dram_bytes: read and written
 * @dram_activates: rows opened
 * @pcie_bytes: over the link
 * @seconds: that the device was on for it
 * @multipliers: that the chip has
 * @dram_bandwidth: bytes per second that its memory has
 */
struct energy_counts {
	uint64_t macs;
	uint64_t sram_bytes;
	uint64_t dram_bytes;
	uint64_t dram_activates;
	uint64_t pcie_bytes;
	double seconds;
	uint64_t multipliers;
	uint64_t dram_bandwidth;
};

/**
 * struct energy - an estimate
 * @joules: by kind
 * @total: their sum
 */
struct energy {
	double joules[ENERGY_KINDS];
	double total;
};

/*
 * Each MAC reads one byte of its cluster's buffer, since a lane multiplies one weight
 * with a vector of activations; and what crosses a cluster's port is written into a
 * buffer or read from one.
 */
struct energy energy_estimate(const struct energy_table *table,
			      const struct energy_counts *counts);

#endif
