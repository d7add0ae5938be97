/* SPDX-License-Identifier: MIT */
/* The earliest clock of each command at each bank of one channel. */
#ifndef SIM_DRAM_TIMING_H
#define SIM_DRAM_TIMING_H

#include "sim/dram/standard.h"

/*
 * Gaps of a group or a rank are kept by group, those of a bank by bank, so that
 * issuing a command touches a handful of words.
 */
struct dram_timing {
	const struct dram_standard *standard;
	uint64_t bank[DRAM_COMMAND_COUNT][DRAM_BANKS_MAX];
	uint64_t group[DRAM_COMMAND_COUNT][DRAM_GROUPS_MAX];
	uint64_t activates[DRAM_RANKS_MAX][4]; /* the last four, + 1 */
	uint32_t oldest_activate[DRAM_RANKS_MAX];
	uint8_t group_of[DRAM_BANKS_MAX];
	uint8_t rank_of[DRAM_BANKS_MAX];
	uint8_t gap_order[DRAM_COMMAND_COUNT][DRAM_GAPS_MAX];
	uint32_t gap_count[DRAM_COMMAND_COUNT];
};

void dram_timing_init(struct dram_timing *timing,
		      const struct dram_standard *standard);

uint64_t dram_timing_earliest(const struct dram_timing *timing,
			      enum dram_command command, uint32_t bank);

void dram_timing_issue(struct dram_timing *timing, enum dram_command command,
		       uint32_t bank, uint64_t clock);

#endif
