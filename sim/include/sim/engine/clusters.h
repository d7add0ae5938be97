/* SPDX-License-Identifier: MIT */
/*
 * The clusters in the engine: each takes the passes of its commands' tiles in order
 * through load, lanes and store, which overlap; the SRAM network between them sums up.
 */
#ifndef SIM_ENGINE_CLUSTERS_H
#define SIM_ENGINE_CLUSTERS_H

#include <sim/engine/command.h>

/* What a cluster does in a cycle; see engine.h for whose fault a wait is. */
enum engine_cluster_state {
	CLUSTER_NO_WORK,
	CLUSTER_COMPUTES,
	CLUSTER_WAITS_WEIGHTS,
	CLUSTER_WAITS_ACTIVATIONS,
	CLUSTER_WAITS_EPILOGUE,
	CLUSTER_WAITS_DRAM,
	CLUSTER_WAITS_PCIE,
	CLUSTER_WAITS_TILE, /* that another cluster stores */
};

#endif
