/* SPDX-License-Identifier: MIT */
/*
 * The earliest clock of each command at each bank of one channel.
 *
 * Times are kept in 16 bits from a base that is moved up now and then, and looked at by
 * sixteen banks: a controller's time goes into comparing them.
 */
#ifndef SIM_DRAM_TIMING_H
#define SIM_DRAM_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/dram/lanes.h"
#include "sim/dram/standard.h"

#define DRAM_TIME_NEVER INT16_MAX

/* All but REF, which a rank gets and not a bank. */
#define DRAM_BANK_COMMANDS DRAM_REFRESH

/* Clocks that the base may be behind: with those of a gap less than NEVER. */
#define DRAM_BASE_BEHIND 8192

/* What is looked at in one go. */
#define DRAM_BLOCK_BANKS 16
#define DRAM_BLOCKS (DRAM_BANKS_MAX / DRAM_BLOCK_BANKS)

/* Vectors of two banks each; loops over them are unrolled. */
#define DRAM_BLOCK_PAIRS (DRAM_BLOCK_BANKS / 2)

struct dram_block {
	dram_lanes pair[DRAM_BLOCK_PAIRS];
};

/* A time for each command at each bank. */
union dram_times {
	int16_t bank[DRAM_BANKS_MAX][DRAM_BANK_COMMANDS];
	dram_lanes pair[DRAM_BANKS_MAX / 2];
	struct dram_block block[DRAM_BLOCKS];
};

/**
 * struct dram_gaps - how a command holds back others
 * @own: at its bank, by the bank's place in a pair and command
 * @refresh_bank: REF, for its bank's sake
 * @refresh_ranks: is there one of those below?
 * @refresh_rank: REF of its rank
 * @refresh_other_rank: REF of other ranks
 */
struct dram_gaps {
	dram_lanes own[2];
	int32_t refresh_bank;
	bool refresh_ranks;
	int32_t refresh_rank;
	int32_t refresh_other_rank;
};

/**
 * struct dram_timing - the state
 * @base: the clock from which all times count
 * @own: what follows from a bank's own commands
 * @shared: what follows from all others; of ACT the four-activate window too
 * @refresh_bank: REF, for the sake of a bank
 * @refresh_rank: likewise, of a rank
 * @activates: the last four of a rank
 * @in_rank: −1 for the ACT of a rank's banks
 * @blocks: of banks, the last one may have fewer
 * @shared_gaps: to each bank, by command, kind of bank and command held back
 * @kinds: of banks, as far as their commands' gaps to others go: the groups, or all
 *	banks where a gap leaves out the bank itself
 */
struct dram_timing {
	uint64_t base;
	union dram_times own;
	union dram_times shared;
	int32_t refresh_bank[DRAM_BANKS_MAX];
	int32_t refresh_rank[DRAM_RANKS_MAX];
	int32_t activates[DRAM_RANKS_MAX][4];
	uint32_t oldest_activate[DRAM_RANKS_MAX];
	int32_t activate_window;
	uint32_t ranks;
	uint32_t banks_per_rank;
	union dram_times in_rank[DRAM_RANKS_MAX];
	uint32_t blocks;
	uint32_t kinds;
	uint8_t kind_of[DRAM_BANKS_MAX];
	uint8_t rank_of[DRAM_BANKS_MAX];
	struct dram_gaps gaps[DRAM_COMMAND_COUNT];
	struct dram_block *shared_gaps;
};

int dram_timing_init(struct dram_timing *timing,
		     const struct dram_standard *standard);
void dram_timing_destroy(struct dram_timing *timing);

/* Must be true before a time at @clock is asked for or issued. */
static inline bool dram_timing_reaches(const struct dram_timing *timing,
				       uint64_t clock)
{
	return clock - timing->base < DRAM_BASE_BEHIND;
}

/* Moves the base to @clock; by how much, or by more than any time can be ahead. */
int16_t dram_timing_rebase(struct dram_timing *timing, uint64_t clock);

/* Subtracts from times, but for those that never come. */
void dram_times_move(union dram_times *times, int16_t by);

static inline int16_t dram_timing_relative(const struct dram_timing *timing,
					   uint64_t clock)
{
	return (int16_t)(clock - timing->base);
}

static inline uint64_t dram_timing_clock(const struct dram_timing *timing,
					 int32_t time)
{
	return timing->base + (uint64_t)(int64_t)time;
}

static inline int16_t dram_time_later(int16_t a, int16_t b)
{
	return a > b ? a : b;
}

/* When a bank may be precharged. */
static inline int16_t dram_timing_precharge(const struct dram_timing *timing,
					    uint32_t bank)
{
	return dram_time_later(timing->own.bank[bank][DRAM_PRECHARGE],
			       timing->shared.bank[bank][DRAM_PRECHARGE]);
}

/* When a rank may be refreshed, all banks of which are closed. */
int32_t dram_timing_refresh(const struct dram_timing *timing, uint32_t rank);

void dram_timing_issue(struct dram_timing *timing, enum dram_command command,
		       uint32_t bank, uint64_t clock);

#endif
