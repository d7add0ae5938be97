/* SPDX-License-Identifier: MIT */
#include "sim/dram/timing.h"

#include <string.h>

#include <core/integer.h>

void dram_timing_init(struct dram_timing *timing,
		      const struct dram_standard *standard)
{
	memset(timing, 0, sizeof(*timing));
	timing->standard = standard;
	for (uint32_t bank = 0; bank < dram_standard_banks(standard); bank++) {
		uint32_t group = bank / standard->banks_per_group;

		timing->group_of[bank] = (uint8_t)group;
		timing->rank_of[bank] =
			(uint8_t)(group / standard->groups_per_rank);
	}
	for (uint32_t i = 0; i < standard->gap_count; i++) {
		enum dram_command after = standard->gaps[i].after;

		timing->gap_order[after][timing->gap_count[after]++] =
			(uint8_t)i;
	}
}

static uint64_t activate_window(const struct dram_timing *timing, uint32_t rank)
{
	uint64_t fourth =
		timing->activates[rank][timing->oldest_activate[rank]];

	/* Stored + 1, so that 0 means "never". */
	return fourth ? fourth - 1 + timing->standard->activate_window_clocks :
			0;
}

uint64_t dram_timing_earliest(const struct dram_timing *timing,
			      enum dram_command command, uint32_t bank)
{
	uint64_t clock =
		max_u64(timing->bank[command][bank],
			timing->group[command][timing->group_of[bank]]);

	if (command == DRAM_ACTIVATE)
		clock = max_u64(clock,
				activate_window(timing, timing->rank_of[bank]));
	return clock;
}

static void raise_bank(struct dram_timing *timing, const struct dram_gap *gap,
		       uint32_t bank, uint64_t clock)
{
	timing->bank[gap->before][bank] =
		max_u64(timing->bank[gap->before][bank], clock + gap->clocks);
}

static void raise_groups(struct dram_timing *timing, const struct dram_gap *gap,
			 uint32_t first, uint32_t count, uint64_t clock)
{
	uint64_t *group = timing->group[gap->before];

	for (uint32_t g = first; g < first + count; g++)
		group[g] = max_u64(group[g], clock + gap->clocks);
}

static void raise_other_banks(struct dram_timing *timing,
			      const struct dram_gap *gap, uint32_t bank,
			      uint64_t clock)
{
	const struct dram_standard *standard = timing->standard;
	uint32_t per_rank =
		standard->groups_per_rank * standard->banks_per_group;
	uint32_t first = timing->rank_of[bank] * per_rank;

	for (uint32_t b = first; b < first + per_rank; b++)
		if (b != bank)
			raise_bank(timing, gap, b, clock);
}

static void raise_gap(struct dram_timing *timing, const struct dram_gap *gap,
		      uint32_t bank, uint64_t clock)
{
	uint32_t per_rank = timing->standard->groups_per_rank;
	uint32_t group = timing->group_of[bank];
	uint32_t first = timing->rank_of[bank] * per_rank;
	uint32_t end = dram_standard_groups(timing->standard);

	switch (gap->scope) {
	case DRAM_SAME_BANK:
		raise_bank(timing, gap, bank, clock);
		break;
	case DRAM_SAME_GROUP:
		raise_groups(timing, gap, group, 1, clock);
		break;
	case DRAM_OTHER_GROUP:
		raise_groups(timing, gap, first, group - first, clock);
		raise_groups(timing, gap, group + 1,
			     first + per_rank - group - 1, clock);
		break;
	case DRAM_SAME_RANK:
		raise_groups(timing, gap, first, per_rank, clock);
		break;
	case DRAM_OTHER_RANK:
		raise_groups(timing, gap, 0, first, clock);
		raise_groups(timing, gap, first + per_rank,
			     end - first - per_rank, clock);
		break;
	case DRAM_SAME_RANK_OTHER_BANK:
		raise_other_banks(timing, gap, bank, clock);
		break;
	case DRAM_SCOPE_COUNT:
		break;
	}
}

void dram_timing_issue(struct dram_timing *timing, enum dram_command command,
		       uint32_t bank, uint64_t clock)
{
	for (uint32_t i = 0; i < timing->gap_count[command]; i++) {
		uint32_t index = timing->gap_order[command][i];

		raise_gap(timing, &timing->standard->gaps[index], bank, clock);
	}
	if (command == DRAM_ACTIVATE) {
		uint32_t rank = timing->rank_of[bank];

		timing->activates[rank][timing->oldest_activate[rank]] =
			clock + 1;
		timing->oldest_activate[rank] =
			(timing->oldest_activate[rank] + 1) % 4;
	}
}
