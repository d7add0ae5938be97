/* SPDX-License-Identifier: MIT */
/*
 * Round robin over the banks, in each the oldest request whose command can go out; one
 * request a clock moves to its bank's queue; a drain moves as many writes as there were
 * when it began, among reads that are still in the banks.
 */
#include "sim/dram/policy.h"
#include "sim/dram/queue.h"
#include "sim/dram/schedule.h"

static dram_lanes reference_wants(const struct dram_controller *controller,
				  const struct dram_bank *bank)
{
	uint32_t none = DRAM_NO_POSITION;
	uint32_t cap = controller->standard->row_hit_cap;
	bool close = bank->count && !(bank->hit & 1) &&
		     (!bank->hit || bank->columns >= cap);

	if (bank->open_row == DRAM_ROW_CLOSED)
		return dram_positions(bank->count ? 0 : none, none, none, none);
	return dram_positions(none, close ? 0 : none,
			      dram_bank_first(bank->hit & ~bank->write),
			      bank->write ? dram_bank_write_hit(bank) : none);
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
	dram_lanes position = schedule->position[choice->bank];
	dram_lanes late =
		(schedule->ready[group] > dram_lanes_set(now)) |
		(schedule->wanted[choice->bank] > dram_lanes_set(now));
	dram_lanes key = position * DRAM_LANES + (dram_lanes){ 0, 1, 2, 3 };
	int32_t oldest = dram_lanes_least(
		dram_lanes_select(late, dram_lanes_set(DRAM_TIME_NEVER), key));

	choice->command = (enum dram_command)(oldest % DRAM_LANES);
	choice->position = (uint32_t)(oldest / DRAM_LANES);
}

/* The pointer moves even if a second command does not go with the first. */
static bool reference_choose(struct dram_controller *controller, int32_t now,
			     const enum dram_command *first,
			     struct dram_choice *choice)
{
	struct dram_schedule *schedule = &controller->schedule;

	choice->bank = bank_after(dram_schedule_banks(controller,
						      DRAM_ANY_COMMAND, now),
				  schedule->pointer);
	oldest_choose(controller, now, choice);
	schedule->pointer = choice->bank;
	return !first || dram_command_is_column(*first) !=
				 dram_command_is_column(choice->command);
}

static bool read_move(struct dram_controller *controller)
{
	uint32_t position = dram_queue_find(controller, &controller->reads);

	if (position == DRAM_NO_POSITION)
		return false;
	dram_queue_move(controller, &controller->reads, position);
	return true;
}

/* A write that a pending read of its address precedes ends the drain. */
static bool write_move(struct dram_controller *controller)
{
	struct dram_queue *writes = &controller->writes;
	uint32_t position = dram_queue_find(controller, writes);

	if (position == DRAM_NO_POSITION)
		return false;
	if (dram_queue_read_pending(controller, writes, position)) {
		controller->drain = 0;
		/*
		 * With all bank queues empty that read is still in the read
		 * queue, and the drain would begin again at once, for ever (the
		 * reference locks up here): let the read pass.
		 */
		return controller->queued ? true : read_move(controller);
	}
	controller->drain--;
	dram_queue_move(controller, writes, position);
	return true;
}

static void drain_start(struct dram_controller *controller)
{
	const struct dram_standard *standard = controller->standard;
	uint32_t writes = controller->writes.count;

	if (!controller->drain &&
	    (writes >= standard->drain_full ||
	     (writes > standard->drain_idle && !controller->queued)))
		controller->drain = writes;
}

static bool reference_move(struct dram_controller *controller)
{
	bool moved;

	drain_start(controller);
	moved = controller->drain ? write_move(controller) :
				    read_move(controller);
	controller->move_stuck = !moved;
	return moved;
}

const struct dram_policy_rules dram_policy_reference = {
	.wants = reference_wants,
	.choose = reference_choose,
	.move = reference_move,
};
