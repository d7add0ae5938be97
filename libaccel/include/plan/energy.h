/* SPDX-License-Identifier: MIT */
/*
 * An estimate of a layer's energy: so many actions, each at a published figure.
 * The figures are of other chips than this one, and leave out clocks, leakage,
 * wires between clusters and what the host does: they rank layers and show
 * where energy goes, and are no measurement.
 */
#ifndef PLAN_ENERGY_H
#define PLAN_ENERGY_H

#include <stdint.h>

/* What is counted, in the order of energy_actions(). */
enum energy_kind {
	ENERGY_MAC, /* int8 multiply, int32 add */
	ENERGY_BUFFER_BYTE, /* of a cluster's activation buffer */
	ENERGY_SRAM_BYTE, /* of the shared SRAM */
	ENERGY_DRAM_BYTE,
	ENERGY_PCIE_BYTE,
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

/* ENERGY_KINDS of them. */
const struct energy_action *energy_actions(void);

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
 * Estimate from the actions' counts. Each MAC reads one byte of its cluster's
 * buffer: lanes multiply one weight with a vector of activations.
 */
struct energy energy_estimate(uint64_t macs, uint64_t sram_bytes,
			      uint64_t dram_bytes, uint64_t pcie_bytes);

#endif
