/* SPDX-License-Identifier: MIT */
/* Performance counters, 64 bits each, per context. */
#ifndef SIM_COUNTERS_H
#define SIM_COUNTERS_H

#include <sim/state.h>

void counters_add(struct sim_device *device, uint16_t context,
		  enum spmm_counter counter, uint64_t amount);

/* What one command cost its context. */
void counters_add_command(struct sim_device *device, uint16_t context,
			  const struct spmm_command_stats *stats);

/* Lane-cycles that it was charged with, by enum spmm_stall. */
void counters_add_lanes(struct sim_device *device, uint16_t context,
			const uint64_t *lane_cycles);

void counters_clear(struct sim_device *device, uint16_t context);

#endif
