/* SPDX-License-Identifier: MIT */
#include "sim/dram/timing.h"

#include <string.h>

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

static void lane_raise(dram_lanes *lanes, enum dram_command lane,
		       uint32_t clocks)
{
	(*lanes)[lane] = later((*lanes)[lane], (int32_t)clocks);
}

static void refresh_gap_add(struct dram_gaps *gaps, const struct dram_gap *gap)
{
	int32_t *clocks =
		gap->scope == DRAM_SAME_BANK  ? &gaps->refresh_bank :
		gap->scope == DRAM_OTHER_RANK ? &gaps->refresh_other_rank :
						&gaps->refresh_rank;

	*clocks = later(*clocks, (int32_t)gap->clocks);
}

static void gap_add(struct dram_gaps *gaps,
		    const struct dram_standard *standard,
		    const struct dram_gap *gap)
{
	switch (gap->scope) {
	case DRAM_SAME_BANK:
		lane_raise(&gaps->bank, gap->before, gap->clocks);
		break;
	case DRAM_SAME_GROUP:
		lane_raise(&gaps->group, gap->before, gap->clocks);
		break;
	case DRAM_OTHER_GROUP:
		lane_raise(&gaps->rank, gap->before, gap->clocks);
		gaps->any_rank = true;
		break;
	case DRAM_OTHER_RANK:
		lane_raise(&gaps->other_rank, gap->before, gap->clocks);
		break;
	case DRAM_SAME_RANK_OTHER_BANK:
		if (!holds_for_itself(standard, gap)) {
			lane_raise(&gaps->other_bank, gap->before, gap->clocks);
			gaps->any_other_bank = true;
			break;
		}
		__attribute__((fallthrough));
	default:
		lane_raise(&gaps->group, gap->before, gap->clocks);
		lane_raise(&gaps->rank, gap->before, gap->clocks);
		gaps->any_rank = true;
		break;
	}
}

void dram_timing_init(struct dram_timing *timing,
		      const struct dram_standard *standard)
{
	memset(timing, 0, sizeof(*timing));
	timing->ranks = standard->ranks;
	timing->groups = dram_standard_groups(standard);
	timing->groups_per_rank = standard->groups_per_rank;
	timing->banks_per_rank =
		standard->groups_per_rank * standard->banks_per_group;
	timing->activate_window = (int32_t)standard->activate_window_clocks;
	for (uint32_t rank = 0; rank < DRAM_RANKS_MAX; rank++)
		for (unsigned int i = 0; i < 4; i++)
			timing->activates[rank][i] = DRAM_TIME_PAST;
	for (uint32_t bank = 0; bank < dram_standard_banks(standard); bank++) {
		uint32_t group = bank / standard->banks_per_group;

		timing->group_of[bank] = (uint8_t)group;
		timing->rank_of[bank] =
			(uint8_t)(group / standard->groups_per_rank);
	}
	for (uint32_t i = 0; i < standard->gap_count; i++) {
		const struct dram_gap *gap = &standard->gaps[i];
		struct dram_gaps *gaps = &timing->gaps[gap->after];

		if (gap->before == DRAM_REFRESH)
			refresh_gap_add(gaps, gap);
		else
			gap_add(gaps, standard, gap);
	}
}

void dram_times_move(dram_lanes *times, uint32_t count, int32_t by)
{
	for (uint32_t i = 0; i < count; i++) {
		dram_lanes moved =
			dram_lanes_max(times[i],
				       dram_lanes_set(DRAM_TIME_PAST + by)) -
			by;

		times[i] = dram_lanes_select(
			times[i] == dram_lanes_set(DRAM_TIME_NEVER), times[i],
			moved);
	}
}

static void scalars_move(int32_t *times, uint32_t count, int32_t by)
{
	for (uint32_t i = 0; i < count; i++)
		times[i] = later(times[i], DRAM_TIME_PAST + by) - by;
}

int32_t dram_timing_rebase(struct dram_timing *timing, uint64_t clock)
{
	/* After a longer time all is past, whatever the distance. */
	uint64_t most = 1u << 30;
	int32_t by = (int32_t)(clock - timing->base < most ?
				       clock - timing->base :
				       most);

	timing->base = clock;
	dram_times_move(timing->bank, DRAM_BANKS_MAX, by);
	dram_times_move(timing->group, DRAM_GROUPS_MAX, by);
	scalars_move(timing->refresh_bank, DRAM_BANKS_MAX, by);
	scalars_move(timing->refresh_rank, DRAM_RANKS_MAX, by);
	scalars_move(timing->activates[0], DRAM_RANKS_MAX * 4, by);
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

static void group_raise(struct dram_timing *timing, uint32_t group,
			dram_lanes times)
{
	timing->group[group] = dram_lanes_max(timing->group[group], times);
}

static void other_ranks_raise(struct dram_timing *timing,
			      const struct dram_gaps *gaps, uint32_t rank,
			      int32_t time)
{
	for (uint32_t g = 0; g < timing->groups; g++)
		if (g / timing->groups_per_rank != rank)
			group_raise(timing, g, time + gaps->other_rank);
	for (uint32_t r = 0; r < timing->ranks; r++)
		timing->refresh_rank[r] =
			later(timing->refresh_rank[r],
			      time + (r == rank ? gaps->refresh_rank :
						  gaps->refresh_other_rank));
}

static void other_banks_raise(struct dram_timing *timing,
			      const struct dram_gaps *gaps, uint32_t bank,
			      int32_t time)
{
	uint32_t first = timing->rank_of[bank] * timing->banks_per_rank;

	for (uint32_t b = first; b < first + timing->banks_per_rank; b++)
		if (b != bank)
			timing->bank[b] = dram_lanes_max(
				timing->bank[b], time + gaps->other_bank);
}

static void activate_note(struct dram_timing *timing, uint32_t rank,
			  int32_t time)
{
	uint32_t *oldest = &timing->oldest_activate[rank];
	uint32_t first = rank * timing->groups_per_rank;
	dram_lanes window = dram_lanes_set(DRAM_TIME_PAST);

	timing->activates[rank][*oldest] = time;
	*oldest = (*oldest + 1) % 4;
	window[DRAM_ACTIVATE] =
		timing->activates[rank][*oldest] + timing->activate_window;
	for (uint32_t g = first; g < first + timing->groups_per_rank; g++)
		group_raise(timing, g, window);
}

/* A gap of 0 does no harm: nothing is issued before @clock any more. */
void dram_timing_issue(struct dram_timing *timing, enum dram_command command,
		       uint32_t bank, uint64_t clock)
{
	const struct dram_gaps *gaps = &timing->gaps[command];
	int32_t time = dram_timing_relative(timing, clock);
	uint32_t rank = timing->rank_of[bank];
	uint32_t first = rank * timing->groups_per_rank;
	uint32_t group = timing->group_of[bank];
	dram_lanes own =
		dram_lanes_max(timing->group[group], time + gaps->group);

	timing->bank[bank] =
		dram_lanes_max(timing->bank[bank], time + gaps->bank);
	timing->refresh_bank[bank] =
		later(timing->refresh_bank[bank], time + gaps->refresh_bank);
	if (gaps->any_rank)
		for (uint32_t g = first; g < first + timing->groups_per_rank;
		     g++)
			group_raise(timing, g, time + gaps->rank);
	timing->group[group] = own;
	timing->refresh_rank[rank] =
		later(timing->refresh_rank[rank], time + gaps->refresh_rank);
	if (timing->ranks > 1)
		other_ranks_raise(timing, gaps, rank, time);
	if (gaps->any_other_bank)
		other_banks_raise(timing, gaps, bank, time);
	if (command == DRAM_ACTIVATE)
		activate_note(timing, rank, time);
}
