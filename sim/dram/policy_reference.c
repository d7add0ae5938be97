/* SPDX-License-Identifier: MIT */
/*
 * Round robin over the banks, in each the oldest request whose command can go out; one
 * request a clock moves to its bank's queue; a drain moves as many writes as there were
 * when it began, among reads that are still in the banks.
 */
#include "sim/dram/policy.h"
#include "sim/dram/queue.h"
#include "sim/dram/schedule.h"

static struct dram_wants
reference_wants(const struct dram_controller *controller,
		const struct dram_bank *bank)
{
	uint32_t none = DRAM_NO_POSITION;
	uint32_t cap = controller->standard->row_hit_cap;
	bool closed = bank->open_row == DRAM_ROW_CLOSED;
	bool close = bank->count && !(bank->hit & 1) &&
		     (!bank->hit || bank->columns >= cap);

	return dram_wants(
		closed && bank->count ? 0 : none, !closed && close ? 0 : none,
		dram_bank_first(bank->hit & ~bank->write),
		bank->hit & bank->write ? dram_bank_write_hit(bank) : none);
}

/* The commands of the first bank in round robin after the last one that has any. */
static uint32_t commands_next(const struct dram_controller *controller,
			      int16_t now, uint32_t *bank)
{
	uint32_t blocks = controller->timing.blocks;
	uint32_t after = controller->schedule.pointer + 1;
	uint32_t first = after / DRAM_BLOCK_BANKS % blocks;
	uint32_t shift = after % DRAM_BLOCK_BANKS * DRAM_BANK_COMMANDS;
	uint64_t ready = dram_schedule_ready(controller, first, now);
	uint64_t found = ready & UINT64_MAX << shift;
	uint32_t block = first;

	for (uint32_t i = 1; i < blocks && !found; i++) {
		block = (first + i) % blocks;
		found = dram_schedule_ready(controller, block, now);
	}
	block = found ? block : first;
	found = found ? found : ready;
	shift = (uint32_t)__builtin_ctzll(found) & ~3u;
	*bank = block * DRAM_BLOCK_BANKS + shift / DRAM_BANK_COMMANDS;
	return found >> shift & 15;
}

/* Of the commands that can go out at a bank that of the oldest entry. */
static void oldest_choose(const struct dram_controller *controller,
			  uint32_t commands, struct dram_choice *choice)
{
	const uint8_t *position = controller->schedule.position[choice->bank];
	uint32_t oldest = UINT32_MAX;

	for (uint32_t c = 0; c < DRAM_BANK_COMMANDS; c++) {
		/* All ones if it cannot: a branch could not be predicted. */
		uint32_t late = (commands >> c & 1) - 1;
		uint32_t key = (position[c] * DRAM_BANK_COMMANDS + c) | late;

		oldest = key < oldest ? key : oldest;
	}
	choice->command = (enum dram_command)(oldest % DRAM_BANK_COMMANDS);
	choice->position = oldest / DRAM_BANK_COMMANDS;
}

/* The pointer moves even if a second command does not go with the first. */
static bool reference_choose(struct dram_controller *controller, int16_t now,
			     const enum dram_command *first,
			     struct dram_choice *choice)
{
	oldest_choose(controller, commands_next(controller, now, &choice->bank),
		      choice);
	controller->schedule.pointer = choice->bank;
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

/* Until a request enters or issues. */
static bool nothing_left(const struct dram_controller *controller)
{
	return !controller->drain && !controller->reads.count &&
	       controller->writes.count < controller->standard->drain_full;
}

static bool reference_move(struct dram_controller *controller)
{
	bool moved;

	drain_start(controller);
	moved = controller->drain ? write_move(controller) :
				    read_move(controller);
	controller->move_stuck = !moved || nothing_left(controller);
	return !controller->move_stuck;
}

const struct dram_policy_rules dram_policy_reference = {
	.wants = reference_wants,
	.choose = reference_choose,
	.move = reference_move,
};
