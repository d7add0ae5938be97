/* SPDX-License-Identifier: MIT */
/* Which command of which bank goes out next. */
#ifndef SIM_DRAM_SCHEDULE_H
#define SIM_DRAM_SCHEDULE_H

#include "sim/dram/controller_state.h"

void dram_schedule_init(struct dram_controller *controller);

/* After a change of a bank's queue or row. */
void dram_schedule_update(struct dram_controller *controller, uint32_t bank);

/* After a request has joined a bank's queue. */
void dram_schedule_pushed(struct dram_controller *controller, uint32_t bank);

/* A rank begins or ends to wait for its refresh: it gets no other commands. */
void dram_schedule_block(struct dram_controller *controller, uint32_t rank,
			 bool blocked);

/* When the base of the timing has moved. */
void dram_schedule_rebase(struct dram_controller *controller, int16_t by);

/* Finds when banks can issue, and the first of them. */
void dram_schedule_find(struct dram_controller *controller);

/* The clock at which the next command can go out, if nothing changes; or DRAM_NEVER. */
static inline uint64_t dram_schedule_next(struct dram_controller *controller)
{
	if (controller->schedule.stale)
		dram_schedule_find(controller);
	return controller->schedule.next == DRAM_TIME_NEVER ?
		       DRAM_NEVER :
		       dram_timing_clock(&controller->timing,
					 controller->schedule.next);
}

/*
 * Of the commands of a block of banks there is a bit for each, four for each bank. One
 * command at all banks:
 */
#define DRAM_EVERY(command) (0x1111111111111111ull << (command))

/* Those of @times that are at most @now. */
static inline uint64_t dram_schedule_due(const union dram_times *times,
					 uint32_t block, int16_t now)
{
	const dram_lanes *pair = times->block[block].pair;
	dram_lanes limit = dram_lanes_set(now);
	uint64_t due = 0;

	for (uint32_t p = 0; p < DRAM_BLOCK_PAIRS; p += 2)
		due |= dram_lanes_at_most(pair[p], pair[p + 1], limit)
		       << p * DRAM_LANES;
	return due;
}

/* Commands that can go out. */
static inline uint64_t
dram_schedule_ready(const struct dram_controller *controller, uint32_t block,
		    int16_t now)
{
	return dram_schedule_due(&controller->schedule.ready, block, now);
}

/* Commands that could if they were their banks' own affair. */
static inline uint64_t
dram_schedule_prepared(const struct dram_controller *controller, uint32_t block,
		       int16_t now)
{
	return dram_schedule_due(&controller->schedule.wanted, block, now);
}

#endif
