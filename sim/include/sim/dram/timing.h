/* SPDX-License-Identifier: MIT */
/*
 * The earliest clock of each command at each bank of one channel.
 *
 * Clocks are kept in 32 bits from a base that is moved up now and then, those of ACT,
 * PRE, READ and WRITE side by side in one vector: a controller's time goes into
 * comparing them.
 */
#ifndef SIM_DRAM_TIMING_H
#define SIM_DRAM_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/dram/lanes.h"
#include "sim/dram/standard.h"

#define DRAM_TIME_NEVER INT32_MAX
#define DRAM_TIME_PAST (INT32_MIN / 2)

/**
 * struct dram_gaps - how a command holds back others
 * @bank: at its own bank
 * @group: at the banks of its group
 * @rank: at those of its rank's other groups
 * @other_rank: at those of other ranks
 * @other_bank: at the other banks of its rank, where no other member can say it
 * @any_rank: is there a gap of @rank?
 * @any_other_bank: is there one of @other_bank?
 * @refresh_bank: REF, for its bank's sake
 * @refresh_rank: REF of its rank
 * @refresh_other_rank: REF of other ranks
 */
struct dram_gaps {
	dram_lanes bank;
	dram_lanes group;
	dram_lanes rank;
	dram_lanes other_rank;
	dram_lanes other_bank;
	bool any_rank;
	bool any_other_bank;
	int32_t refresh_bank;
	int32_t refresh_rank;
	int32_t refresh_other_rank;
};

/**
 * struct dram_timing - the state
 * @base: the clock from which all times count
 * @bank: what follows from a bank's own commands
 * @group: what follows from all others; of ACT the four-activate window too
 * @refresh_bank: REF, for the sake of a bank
 * @refresh_rank: likewise, of a rank
 * @activates: the last four of a rank
 */
struct dram_timing {
	uint64_t base;
	dram_lanes bank[DRAM_BANKS_MAX];
	dram_lanes group[DRAM_GROUPS_MAX];
	int32_t refresh_bank[DRAM_BANKS_MAX];
	int32_t refresh_rank[DRAM_RANKS_MAX];
	int32_t activates[DRAM_RANKS_MAX][4];
	uint32_t oldest_activate[DRAM_RANKS_MAX];
	int32_t activate_window;
	uint32_t ranks;
	uint32_t groups;
	uint32_t groups_per_rank;
	uint32_t banks_per_rank;
	uint8_t group_of[DRAM_BANKS_MAX];
	uint8_t rank_of[DRAM_BANKS_MAX];
	struct dram_gaps gaps[DRAM_COMMAND_COUNT];
};

void dram_timing_init(struct dram_timing *timing,
		      const struct dram_standard *standard);

/* Must be true before a time at @clock is asked for or issued. */
static inline bool dram_timing_reaches(const struct dram_timing *timing,
				       uint64_t clock)
{
	return clock - timing->base < 1u << 29;
}

/* Moves the base to @clock; by how much. */
int32_t dram_timing_rebase(struct dram_timing *timing, uint64_t clock);

/* Subtracts from times, but for those that never come. */
void dram_times_move(dram_lanes *times, uint32_t count, int32_t by);

static inline int32_t dram_timing_relative(const struct dram_timing *timing,
					   uint64_t clock)
{
	return (int32_t)(clock - timing->base);
}

static inline uint64_t dram_timing_clock(const struct dram_timing *timing,
					 int32_t time)
{
	return timing->base + (uint64_t)(int64_t)time;
}

/* When a bank may be precharged. */
static inline int32_t dram_timing_precharge(const struct dram_timing *timing,
					    uint32_t bank)
{
	int32_t own = timing->bank[bank][DRAM_PRECHARGE];
	int32_t group = timing->group[timing->group_of[bank]][DRAM_PRECHARGE];

	return own > group ? own : group;
}

/* When a rank may be refreshed, all banks of which are closed. */
int32_t dram_timing_refresh(const struct dram_timing *timing, uint32_t rank);

void dram_timing_issue(struct dram_timing *timing, enum dram_command command,
		       uint32_t bank, uint64_t clock);

#endif
