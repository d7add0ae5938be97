/* SPDX-License-Identifier: MIT */
/* Which command of which bank goes out next. */
#ifndef SIM_DRAM_SCHEDULE_H
#define SIM_DRAM_SCHEDULE_H

#include "sim/dram/controller_state.h"

#define DRAM_ANY_COMMAND 15u

void dram_schedule_init(struct dram_controller *controller);

/* After a change of a bank's queue or row. */
void dram_schedule_update(struct dram_controller *controller, uint32_t bank);

/* After a request has joined a bank's queue. */
void dram_schedule_pushed(struct dram_controller *controller, uint32_t bank);

/* A rank begins or ends to wait for its refresh: it gets no other commands. */
void dram_schedule_block(struct dram_controller *controller, uint32_t rank,
			 bool blocked);

/* When the base of the timing has moved. */
void dram_schedule_rebase(struct dram_controller *controller, int32_t by);

/* The clock at which the next command can go out, if nothing changes; or DRAM_NEVER. */
uint64_t dram_schedule_next(struct dram_controller *controller);

/* The commands that can go out at some bank, a bit for each. */
uint32_t dram_schedule_commands(const struct dram_controller *controller,
				int32_t now);

/* Banks for which one of the commands, a bit for each, can go out. */
uint64_t dram_schedule_banks(const struct dram_controller *controller,
			     uint32_t commands, int32_t now);

#endif
