/* SPDX-License-Identifier: MIT */
/*
 * A command goes out when its bank and its group allow it. The bank's part changes
 * with the bank's own commands alone, so it is kept for each bank, and the earliest of
 * a group's banks for each group: what is next is then found from a few numbers.
 */
#include "sim/dram/schedule.h"

void dram_schedule_init(struct dram_controller *controller)
{
	struct dram_schedule *schedule = &controller->schedule;

	for (uint32_t b = 0; b < DRAM_BANKS_MAX; b++)
		schedule->wanted[b] = dram_lanes_set(DRAM_TIME_NEVER);
	for (uint32_t g = 0; g < DRAM_GROUPS_MAX; g++)
		schedule->first[g] = dram_lanes_set(DRAM_TIME_NEVER);
	schedule->stale = true;
}

void dram_schedule_block(struct dram_controller *controller, uint32_t rank,
			 bool blocked)
{
	uint32_t per_rank = controller->timing.groups_per_rank;

	for (uint32_t g = rank * per_rank; g < (rank + 1) * per_rank; g++)
		controller->schedule.blocked[g] = blocked ? DRAM_TIME_NEVER :
							    DRAM_TIME_PAST;
	controller->schedule.stale = true;
}

void dram_schedule_rebase(struct dram_controller *controller, int32_t by)
{
	struct dram_schedule *schedule = &controller->schedule;

	dram_times_move(schedule->wanted, DRAM_BANKS_MAX, by);
	dram_times_move(schedule->first, DRAM_GROUPS_MAX, by);
	schedule->stale = true;
}

/* As the oracle's reference: hits, or the oldest when it may. */
static void bank_wants(const struct dram_controller *controller,
		       const struct dram_bank *bank,
		       union dram_positions *position)
{
	position->lanes = dram_lanes_set(DRAM_NO_POSITION);
	if (!bank->count)
		return;
	if (bank->open_row == DRAM_ROW_CLOSED) {
		position->of[DRAM_ACTIVATE] = 0;
		return;
	}
	if (!(bank->hit & 1) &&
	    (!bank->hit || bank->columns >= controller->standard->row_hit_cap))
		position->of[DRAM_PRECHARGE] = 0;
	position->of[DRAM_READ] = dram_bank_first(bank->hit & ~bank->write);
	if (bank->write)
		position->of[DRAM_WRITE] = dram_bank_write_hit(bank);
}

static void group_update(struct dram_controller *controller, uint32_t group)
{
	struct dram_schedule *schedule = &controller->schedule;
	uint32_t per_group = controller->standard->banks_per_group;
	const dram_lanes *wanted = &schedule->wanted[group * per_group];
	dram_lanes first = wanted[0];

	for (uint32_t b = 1; b < per_group; b++)
		first = dram_lanes_min(first, wanted[b]);
	schedule->first[group] = first;
	schedule->stale = true;
}

void dram_schedule_update(struct dram_controller *controller, uint32_t bank)
{
	struct dram_schedule *schedule = &controller->schedule;
	union dram_positions *position = &schedule->position[bank];

	bank_wants(controller, &controller->banks[bank], position);
	schedule->wanted[bank] = dram_lanes_select(
		position->lanes == dram_lanes_set(DRAM_NO_POSITION),
		dram_lanes_set(DRAM_TIME_NEVER), controller->timing.bank[bank]);
	group_update(controller, controller->timing.group_of[bank]);
}

void dram_schedule_pushed(struct dram_controller *controller, uint32_t bank)
{
	const struct dram_bank *at = &controller->banks[bank];

	/* The youngest of several is not seen before it hits. */
	if (at->count == 1 || at->hit >> (at->count - 1) & 1)
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

		ready = dram_lanes_max(ready,
				       dram_lanes_set(schedule->blocked[g]));
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

/* Banks for which a command can go out. No branches: nobody could predict them. */
static uint64_t banks_ready(const struct dram_controller *controller,
			    int32_t now)
{
	const struct dram_schedule *schedule = &controller->schedule;
	uint32_t per_group = controller->standard->banks_per_group;
	uint64_t banks = 0;
	uint32_t b = 0;

	for (uint32_t g = 0; g < controller->timing.groups; g++) {
		uint32_t commands = dram_lanes_at_most(schedule->ready[g], now);

		for (uint32_t i = 0; i < per_group; i++, b++)
			banks |= (uint64_t) !!(
					 dram_lanes_at_most(schedule->wanted[b],
							    now) &
					 commands)
				 << b;
	}
	return banks;
}

/* The first in round robin after the pointer; @banks is not empty. */
static uint32_t bank_after(uint64_t banks, uint32_t pointer)
{
	uint64_t after = pointer < 63 ? banks & (UINT64_MAX << (pointer + 1)) :
					0;

	return (uint32_t)__builtin_ctzll(after ? after : banks);
}

/* Of the commands that can go out at a bank that of the oldest entry. */
static void oldest_choose(const struct dram_controller *controller, int32_t now,
			  struct dram_choice *choice)
{
	const struct dram_schedule *schedule = &controller->schedule;
	uint32_t group = controller->timing.group_of[choice->bank];
	dram_lanes position = schedule->position[choice->bank].lanes;
	dram_lanes late =
		(schedule->ready[group] > dram_lanes_set(now)) |
		(schedule->wanted[choice->bank] > dram_lanes_set(now));
	dram_lanes key = position * DRAM_LANES + (dram_lanes){ 0, 1, 2, 3 };
	int32_t oldest = dram_lanes_least(
		dram_lanes_select(late, dram_lanes_set(DRAM_TIME_NEVER), key));

	choice->command = (enum dram_command)(oldest % DRAM_LANES);
	choice->position = (uint32_t)(oldest / DRAM_LANES);
}

bool dram_schedule_choose(struct dram_controller *controller, uint64_t clock,
			  struct dram_choice *choice)
{
	struct dram_schedule *schedule = &controller->schedule;
	int32_t now = dram_timing_relative(&controller->timing, clock);

	if (dram_schedule_next(controller) > clock)
		return false;
	choice->bank =
		bank_after(banks_ready(controller, now), schedule->pointer);
	oldest_choose(controller, now, choice);
	schedule->pointer = choice->bank;
	return true;
}
