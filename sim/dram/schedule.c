/* SPDX-License-Identifier: MIT */
/*
 * A command goes out when its bank, all others and the rank's refresh allow it. The
 * bank's part changes with the bank's own commands alone, so it is found when these go
 * out; what is next is then found from tables, by sixteen banks at a time and without
 * branches, which nobody could predict.
 */
#include "sim/dram/schedule.h"

#include <string.h>

#include "sim/dram/policy.h"

void dram_schedule_init(struct dram_controller *controller)
{
	struct dram_schedule *schedule = &controller->schedule;

	for (uint32_t p = 0; p < DRAM_BANKS_MAX / 2; p++)
		schedule->wanted.pair[p] = dram_lanes_set(DRAM_TIME_NEVER);
	memset(schedule->position, DRAM_NO_POSITION,
	       sizeof(schedule->position));
	schedule->stale = true;
}

void dram_schedule_rebase(struct dram_controller *controller, int16_t by)
{
	dram_times_move(&controller->schedule.wanted, by);
	controller->schedule.stale = true;
}

void dram_schedule_block(struct dram_controller *controller, uint32_t rank,
			 bool blocked)
{
	uint32_t per_rank = controller->timing.banks_per_rank;

	for (uint32_t b = rank * per_rank; b < (rank + 1) * per_rank; b++)
		for (uint32_t c = 0; c < DRAM_BANK_COMMANDS; c++)
			controller->schedule.blocked.bank[b][c] =
				blocked ? DRAM_TIME_NEVER : 0;
	controller->schedule.stale = true;
}

void dram_schedule_update(struct dram_controller *controller, uint32_t bank)
{
	struct dram_schedule *schedule = &controller->schedule;
	dram_lanes own = controller->timing.own.pair[bank / 2];
	struct dram_wants wants =
		controller->rules->wants(controller, &controller->banks[bank]);

	memcpy(schedule->position[bank], wants.position,
	       sizeof(wants.position));
	dram_lanes_put(&schedule->wanted.pair[bank / 2], bank % 2,
		       dram_lanes_where(wants.position, DRAM_NO_POSITION,
					DRAM_TIME_NEVER, own));
	schedule->stale = true;
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

static dram_lanes block_ready(struct dram_controller *controller,
			      uint32_t block)
{
	struct dram_schedule *schedule = &controller->schedule;
	const dram_lanes *shared = controller->timing.shared.block[block].pair;
	const dram_lanes *wanted = schedule->wanted.block[block].pair;
	const dram_lanes *blocked = schedule->blocked.block[block].pair;
	dram_lanes *ready = schedule->ready.block[block].pair;
	dram_lanes next = dram_lanes_set(DRAM_TIME_NEVER);

	for (uint32_t p = 0; p < DRAM_BLOCK_PAIRS; p++) {
		ready[p] = dram_lanes_max(dram_lanes_max(wanted[p], shared[p]),
					  blocked[p]);
		next = dram_lanes_min(next, ready[p]);
	}
	return next;
}

void dram_schedule_find(struct dram_controller *controller)
{
	dram_lanes next = block_ready(controller, 0);

	for (uint32_t i = 1; i < controller->timing.blocks; i++)
		next = dram_lanes_min(next, block_ready(controller, i));
	controller->schedule.next = dram_lanes_least(next);
	controller->schedule.stale = false;
}
