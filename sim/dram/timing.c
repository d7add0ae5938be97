/* SPDX-License-Identifier: MIT */
#include "sim/dram/timing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/integer.h"

/* Long ago, for the times of 32 bits. */
#define LONG_AGO (INT32_MIN / 2)

static int32_t later(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t same_bank_gap(const struct dram_standard *standard,
			     enum dram_command after, enum dram_command before)
{
	int32_t clocks = 0;

	for (uint32_t i = 0; i < standard->gap_count; i++) {
		const struct dram_gap *gap = &standard->gaps[i];

		if (gap->after == after && gap->before == before &&
		    gap->scope == DRAM_SAME_BANK)
			clocks = later(clocks, (int32_t)gap->clocks);
	}
	return clocks;
}

/*
 * Between precharges of other banks a gap may as well hold for the bank itself, whose
 * next precharge follows an activate that is later anyway.
 */
static bool holds_for_itself(const struct dram_standard *standard,
			     const struct dram_gap *gap)
{
	return gap->after == DRAM_PRECHARGE && gap->before == DRAM_PRECHARGE &&
	       (int32_t)gap->clocks <=
		       same_bank_gap(standard, DRAM_PRECHARGE, DRAM_ACTIVATE) +
			       same_bank_gap(standard, DRAM_ACTIVATE,
					     DRAM_PRECHARGE);
}

/* Does a gap after a command to @from hold back @to? */
static bool gap_covers(const struct dram_standard *standard,
		       const struct dram_gap *gap, uint32_t from, uint32_t to)
{
	uint32_t per_group = standard->banks_per_group;
	uint32_t per_rank = per_group * standard->groups_per_rank;
	bool same_rank = from / per_rank == to / per_rank;
	bool same_group = from / per_group == to / per_group;

	switch (gap->scope) {
	case DRAM_SAME_GROUP:
		return same_group;
	case DRAM_OTHER_GROUP:
		return same_rank && !same_group;
	case DRAM_SAME_RANK:
		return same_rank;
	case DRAM_SAME_RANK_OTHER_BANK:
		return same_rank &&
		       (from != to || holds_for_itself(standard, gap));
	case DRAM_OTHER_RANK:
		return !same_rank;
	default:
		return false;
	}
}

static void refresh_gap_add(struct dram_gaps *gaps, const struct dram_gap *gap)
{
	int32_t *clocks =
		gap->scope == DRAM_SAME_BANK  ? &gaps->refresh_bank :
		gap->scope == DRAM_OTHER_RANK ? &gaps->refresh_other_rank :
						&gaps->refresh_rank;

	*clocks = later(*clocks, (int32_t)gap->clocks);
	gaps->refresh_ranks |= gap->scope != DRAM_SAME_BANK;
}

/* Of a pair's. */
static uint32_t lane_of(uint32_t bank, enum dram_command command)
{
	return bank % 2 * DRAM_BANK_COMMANDS + command;
}

static void lane_raise(dram_lanes *lanes, uint32_t lane, uint32_t clocks)
{
	(*lanes)[lane] = dram_time_later((*lanes)[lane], (int16_t)clocks);
}

static dram_lanes *pair_of(struct dram_block *blocks, uint32_t bank)
{
	return &blocks[bank / DRAM_BLOCK_BANKS]
			.pair[bank % DRAM_BLOCK_BANKS / 2];
}

/* Of a kind of bank: to all. */
static struct dram_block *shared_gaps_of(const struct dram_timing *timing,
					 enum dram_command after, uint32_t kind)
{
	size_t row = after * (size_t)timing->kinds + kind;

	return &timing->shared_gaps[row * timing->blocks];
}

static void shared_gap_add(struct dram_timing *timing,
			   const struct dram_standard *standard,
			   const struct dram_gap *gap)
{
	uint32_t banks = dram_standard_banks(standard);
	uint32_t per_kind = banks / timing->kinds;

	for (uint32_t kind = 0; kind < timing->kinds; kind++) {
		struct dram_block *gaps =
			shared_gaps_of(timing, gap->after, kind);

		for (uint32_t to = 0; to < banks; to++)
			if (gap_covers(standard, gap, kind * per_kind, to))
				lane_raise(pair_of(gaps, to),
					   lane_of(to, gap->before),
					   gap->clocks);
	}
}

static void own_gap_add(struct dram_gaps *gaps, const struct dram_gap *gap)
{
	for (uint32_t bank = 0; bank < 2; bank++)
		lane_raise(&gaps->own[bank], lane_of(bank, gap->before),
			   gap->clocks);
}

static void gap_add(struct dram_timing *timing,
		    const struct dram_standard *standard,
		    const struct dram_gap *gap)
{
	struct dram_gaps *gaps = &timing->gaps[gap->after];

	if (gap->before == DRAM_REFRESH)
		refresh_gap_add(gaps, gap);
	else if (gap->scope == DRAM_SAME_BANK)
		own_gap_add(gaps, gap);
	else
		shared_gap_add(timing, standard, gap);
}

static bool leaves_itself_out(const struct dram_standard *standard)
{
	for (uint32_t i = 0; i < standard->gap_count; i++)
		if (standard->gaps[i].scope == DRAM_SAME_RANK_OTHER_BANK &&
		    !holds_for_itself(standard, &standard->gaps[i]))
			return true;
	return false;
}

static void geometry_set(struct dram_timing *timing,
			 const struct dram_standard *standard)
{
	uint32_t banks = dram_standard_banks(standard);

	timing->ranks = standard->ranks;
	timing->banks_per_rank =
		standard->groups_per_rank * standard->banks_per_group;
	timing->blocks = (uint32_t)divide_up(banks, DRAM_BLOCK_BANKS);
	timing->kinds = leaves_itself_out(standard) ?
				banks :
				dram_standard_groups(standard);
	for (uint32_t bank = 0; bank < banks; bank++) {
		timing->kind_of[bank] =
			(uint8_t)(bank / (banks / timing->kinds));
		timing->rank_of[bank] =
			(uint8_t)(bank / timing->banks_per_rank);
		timing->in_rank[timing->rank_of[bank]]
			.bank[bank][DRAM_ACTIVATE] = -1;
	}
}

int dram_timing_init(struct dram_timing *timing,
		     const struct dram_standard *standard)
{
	size_t size;

	memset(timing, 0, sizeof(*timing));
	geometry_set(timing, standard);
	timing->activate_window = (int32_t)standard->activate_window_clocks;
	for (uint32_t rank = 0; rank < DRAM_RANKS_MAX; rank++)
		for (unsigned int i = 0; i < 4; i++)
			timing->activates[rank][i] = LONG_AGO;
	size = sizeof(*timing->shared_gaps) * DRAM_COMMAND_COUNT *
	       timing->kinds * timing->blocks;
	timing->shared_gaps = aligned_alloc(sizeof(dram_lanes), size);
	if (!timing->shared_gaps)
		return accel_error(-ENOMEM, "no memory for a DRAM controller");
	memset(timing->shared_gaps, 0, size);
	for (uint32_t i = 0; i < standard->gap_count; i++)
		gap_add(timing, standard, &standard->gaps[i]);
	return 0;
}

void dram_timing_destroy(struct dram_timing *timing)
{
	free(timing->shared_gaps);
}

static dram_lanes moved(dram_lanes times, int16_t by)
{
	dram_lanes least = dram_lanes_set((int16_t)(INT16_MIN + by));

	return dram_lanes_max(times, least) - by;
}

void dram_times_move(union dram_times *times, int16_t by)
{
	for (uint32_t p = 0; p < DRAM_BANKS_MAX / 2; p++) {
		dram_lanes *at = &times->pair[p];
		dram_lanes never = *at == dram_lanes_set(DRAM_TIME_NEVER);

		*at = (*at & never) | (moved(*at, by) & ~never);
	}
}

static void long_times_move(int32_t *times, uint32_t count, int16_t by)
{
	for (uint32_t i = 0; i < count; i++)
		times[i] = later(times[i], LONG_AGO + by) - by;
}

int16_t dram_timing_rebase(struct dram_timing *timing, uint64_t clock)
{
	uint64_t behind = clock - timing->base;
	int16_t by = (int16_t)(behind < INT16_MAX ? behind : INT16_MAX);

	timing->base = clock;
	dram_times_move(&timing->own, by);
	dram_times_move(&timing->shared, by);
	long_times_move(timing->refresh_bank, DRAM_BANKS_MAX, by);
	long_times_move(timing->refresh_rank, DRAM_RANKS_MAX, by);
	long_times_move(timing->activates[0], DRAM_RANKS_MAX * 4, by);
	return by;
}

int32_t dram_timing_refresh(const struct dram_timing *timing, uint32_t rank)
{
	uint32_t first = rank * timing->banks_per_rank;
	int32_t latest = timing->refresh_rank[rank];

	for (uint32_t b = first; b < first + timing->banks_per_rank; b++)
		latest = later(latest, timing->refresh_bank[b]);
	return latest;
}

/* All commands, whether held back or not: which they are, nobody could predict. */
static void shared_raise(struct dram_timing *timing, enum dram_command command,
			 uint32_t bank, int16_t time)
{
	const struct dram_block *gaps =
		shared_gaps_of(timing, command, timing->kind_of[bank]);
	struct dram_block *times = timing->shared.block;

	for (uint32_t left = timing->blocks; left; left--, times++, gaps++)
		for (uint32_t p = 0; p < DRAM_BLOCK_PAIRS; p++)
			times->pair[p] = dram_lanes_max(times->pair[p],
							gaps->pair[p] + time);
}

static void refresh_raise(struct dram_timing *timing,
			  const struct dram_gaps *gaps, uint32_t rank,
			  int16_t time)
{
	for (uint32_t r = 0; r < timing->ranks; r++)
		timing->refresh_rank[r] =
			later(timing->refresh_rank[r],
			      time + (r == rank ? gaps->refresh_rank :
						  gaps->refresh_other_rank));
}

static void activate_note(struct dram_timing *timing, uint32_t rank,
			  int16_t time)
{
	const struct dram_block *in_rank = timing->in_rank[rank].block;
	struct dram_block *times = timing->shared.block;
	uint32_t *oldest = &timing->oldest_activate[rank];
	int16_t next;

	timing->activates[rank][*oldest] = time;
	*oldest = (*oldest + 1) % 4;
	next = (int16_t)later(timing->activates[rank][*oldest] +
				      timing->activate_window,
			      time);
	/* No harm to others: 0 is past. */
	for (uint32_t left = timing->blocks; left; left--, times++, in_rank++)
		for (uint32_t p = 0; p < DRAM_BLOCK_PAIRS; p++)
			times->pair[p] = dram_lanes_max(
				times->pair[p], in_rank->pair[p] & next);
}

/* A gap of 0 does no harm: nothing is issued before @clock any more. */
void dram_timing_issue(struct dram_timing *timing, enum dram_command command,
		       uint32_t bank, uint64_t clock)
{
	const struct dram_gaps *gaps = &timing->gaps[command];
	int16_t time = dram_timing_relative(timing, clock);
	dram_lanes *own = &timing->own.pair[bank / 2];

	/* The pair's other bank has a gap of 0. */
	*own = dram_lanes_max(*own, gaps->own[bank % 2] + time);
	timing->refresh_bank[bank] =
		later(timing->refresh_bank[bank], time + gaps->refresh_bank);
	shared_raise(timing, command, bank, time);
	if (gaps->refresh_ranks)
		refresh_raise(timing, gaps, timing->rank_of[bank], time);
	if (command == DRAM_ACTIVATE)
		activate_note(timing, timing->rank_of[bank], time);
}
