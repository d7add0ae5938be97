/* SPDX-License-Identifier: MIT */
/*
 * The clusters in the engine: each takes the passes of its commands' tiles in order
 * through load, lanes and store, which overlap; the SRAM network between them sums up.
 */
#ifndef SIM_ENGINE_CLUSTERS_H
#define SIM_ENGINE_CLUSTERS_H

#include <sim/config.h>
#include <sim/engine/account.h>
#include <sim/engine/dispatch.h>
#include <sim/engine/observer.h>

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

struct engine_clusters;

/*
 * @every: look at every cluster in every cycle, whether or not anything is due, as the
 * reference engine does. @observer may be NULL. −ENOMEM.
 */
int engine_clusters_create(const struct sim_config *config,
			   struct dispatch *dispatch,
			   const struct engine_observer *observer, bool every,
			   struct engine_clusters **out);
void engine_clusters_destroy(struct engine_clusters *clusters);

/* A command has been dispatched; clusters that have no work take it up. */
void clusters_offer(struct engine_clusters *clusters,
		    struct dispatch_entry *entry);

/* @wake: something changed in the window. */
bool clusters_step(struct engine_clusters *clusters, bool wake, uint64_t now);
uint64_t clusters_next(const struct engine_clusters *clusters, uint64_t now);

/* To whom the clusters without work are charged from @now on. */
void clusters_set_idle(struct engine_clusters *clusters,
		       const struct lane_charge *idle, uint64_t now);

/* Charges all up to @now. */
void clusters_settle(struct engine_clusters *clusters, uint64_t now);

/* After clusters_settle(); −EIO if an account does not close. */
int clusters_check(const struct engine_clusters *clusters, uint64_t now);

/* Lane-cycles by cause, and bytes through the ports. */
void clusters_count(const struct engine_clusters *clusters,
		    uint64_t lane_cycles[SPMM_STALL_COUNT],
		    uint64_t *port_bytes);

#endif
