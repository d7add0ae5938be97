/* SPDX-License-Identifier: MIT */
/*
 * A command goes out when its bank and its group allow it. The bank's part changes
 * with the bank's own commands alone, so it is kept for each bank, and the earliest of
 * a group's banks for each group: what is next is then found from a few numbers.
 */
#include "sim/dram/schedule.h"

#include "sim/dram/policy.h"

void dram_schedule_init(struct dram_controller *controller)
{
	struct dram_schedule *schedule = &controller->schedule;

	for (uint32_t b = 0; b < DRAM_BANKS_MAX; b++)
		schedule->wanted[b] = dram_lanes_set(DRAM_TIME_NEVER);
	for (uint32_t g = 0; g < DRAM_GROUPS_MAX; g++) {
		schedule->first[g] = dram_lanes_set(DRAM_TIME_NEVER);
		schedule->blocked[g] = DRAM_TIME_PAST;
	}
	schedule->stale = true;
}

void dram_schedule_rebase(struct dram_controller *controller, int32_t by)
{
	struct dram_schedule *schedule = &controller->schedule;

	dram_times_move(schedule->wanted, DRAM_BANKS_MAX, by);
	dram_times_move(schedule->first, DRAM_GROUPS_MAX, by);
	schedule->stale = true;
}

static void group_update(struct dram_controller *controller, uint32_t group)
{
	struct dram_schedule *schedule = &controller->schedule;
	uint32_t per_group = controller->standard->banks_per_group;
	const dram_lanes *wanted = &schedule->wanted[group * per_group];
	dram_lanes first = wanted[0];

	for (uint32_t b = 1; b < per_group; b++)
		first = dram_lanes_min(first, wanted[b]);
	schedule->first[group] =
		dram_lanes_max(first, dram_lanes_set(schedule->blocked[group]));
	schedule->stale = true;
}

void dram_schedule_block(struct dram_controller *controller, uint32_t rank,
			 bool blocked)
{
	uint32_t per_rank = controller->timing.groups_per_rank;

	for (uint32_t g = rank * per_rank; g < (rank + 1) * per_rank; g++) {
		controller->schedule.blocked[g] = blocked ? DRAM_TIME_NEVER :
							    DRAM_TIME_PAST;
		group_update(controller, g);
	}
}

void dram_schedule_update(struct dram_controller *controller, uint32_t bank)
{
	struct dram_schedule *schedule = &controller->schedule;
	dram_lanes position =
		controller->rules->wants(controller, &controller->banks[bank]);

	schedule->position[bank] = position;
	schedule->wanted[bank] = dram_lanes_select(
		position == dram_lanes_set(DRAM_NO_POSITION),
		dram_lanes_set(DRAM_TIME_NEVER), controller->timing.bank[bank]);
	group_update(controller, controller->timing.group_of[bank]);
}

void dram_schedule_pushed(struct dram_controller *controller, uint32_t bank)
{
	const struct dram_bank *at = &controller->banks[bank];
	uint64_t youngest = 1ull << (at->count - 1);
	uint64_t older = youngest - 1;
	uint64_t same_kind = at->write & youngest ? at->write : ~at->write;

	/* It is not seen behind others of its kind before it hits. */
	if (at->hit & youngest || !(same_kind & older))
		dram_schedule_update(controller, bank);
}

static void ready_find(struct dram_controller *controller)
{
	struct dram_schedule *schedule = &controller->schedule;
	const struct dram_timing *timing = &controller->timing;
	dram_lanes next = dram_lanes_set(DRAM_TIME_NEVER);

	for (uint32_t g = 0; g < timing->groups; g++) {
		dram_lanes ready =
			dram_lanes_max(schedule->first[g], timing->group[g]);

		schedule->ready[g] = ready;
		next = dram_lanes_min(next, ready);
	}
	schedule->next = dram_lanes_least(next);
	schedule->stale = false;
}

uint64_t dram_schedule_next(struct dram_controller *controller)
{
	struct dram_schedule *schedule = &controller->schedule;

	if (schedule->stale)
		ready_find(controller);
	return schedule->next == DRAM_TIME_NEVER ?
		       DRAM_NEVER :
		       dram_timing_clock(&controller->timing, schedule->next);
}

uint32_t dram_schedule_commands(const struct dram_controller *controller,
				int32_t now)
{
	const struct dram_schedule *schedule = &controller->schedule;
	uint32_t commands = 0;

	for (uint32_t g = 0; g < controller->timing.groups; g++)
		commands |= dram_lanes_at_most(schedule->ready[g], now);
	return commands;
}

/*
 * Without branches, which nobody could predict. Four banks at a time; those beyond a
 * smaller group are masked off.
 */
uint64_t dram_schedule_banks(const struct dram_controller *controller,
			     uint32_t commands, int32_t now)
{
	const struct dram_schedule *schedule = &controller->schedule;
	uint32_t per_group = controller->standard->banks_per_group;
	dram_lanes wanted = ((dram_lanes){ 1, 2, 4, 8 } &
			     dram_lanes_set((int32_t)commands)) != 0;
	uint64_t in_group = (1ull << per_group) - 1;
	uint64_t banks = 0;
	uint32_t first = 0;

	for (uint32_t g = 0; g < controller->timing.groups; g++) {
		dram_lanes ready = schedule->ready[g] <= dram_lanes_set(now);
		uint64_t found = 0;

		for (uint32_t b = 0; b < per_group; b += 4)
			found |= (uint64_t)dram_lanes_any(
					 &schedule->wanted[first + b],
					 ready & wanted, now)
				 << b;
		banks |= (found & in_group) << first;
		first += per_group;
	}
	return banks;
}
