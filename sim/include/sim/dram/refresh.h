/* SPDX-License-Identifier: MIT */
/* Refresh of a controller's ranks in turn. */
#ifndef SIM_DRAM_REFRESH_H
#define SIM_DRAM_REFRESH_H

#include "sim/dram/controller_state.h"

/* Closes the banks of a rank that is due one by one, then refreshes it. */
bool dram_refresh(struct dram_controller *controller, uint64_t clock,
		  enum dram_command *command);

/* When a refresh that is due goes on, or the next becomes due. */
uint64_t dram_refresh_next(const struct dram_controller *controller);

#endif
