/* SPDX-License-Identifier: MIT */
#include "sim/dram/refresh.h"

#include <core/integer.h>

#include "sim/dram/schedule.h"

static bool bank_close(struct dram_controller *controller, uint64_t clock,
		       bool *closed)
{
	int16_t now = dram_timing_relative(&controller->timing, clock);
	uint32_t per_rank = controller->timing.banks_per_rank;
	uint32_t first = controller->refresh_rank * per_rank;

	*closed = true;
	for (uint32_t b = first; b < first + per_rank; b++) {
		struct dram_bank *bank = &controller->banks[b];
		struct dram_address address = { .bank = b,
						.row = bank->open_row };

		if (bank->open_row == DRAM_ROW_CLOSED)
			continue;
		*closed = false;
		if (dram_timing_precharge(&controller->timing, b) > now)
			continue;
		dram_command_send(controller, DRAM_PRECHARGE, &address, clock);
		dram_bank_set(bank, DRAM_ROW_CLOSED);
		dram_schedule_update(controller, b);
		return true;
	}
	return false;
}

static bool rank_refresh(struct dram_controller *controller, uint64_t clock,
			 enum dram_command *command)
{
	int16_t now = dram_timing_relative(&controller->timing, clock);
	struct dram_address address = {
		.bank = controller->refresh_rank *
			controller->timing.banks_per_rank,
	};
	bool closed;

	*command = DRAM_PRECHARGE;
	if (bank_close(controller, clock, &closed))
		return true;
	if (!closed || dram_timing_refresh(&controller->timing,
					   controller->refresh_rank) > now)
		return false;
	*command = DRAM_REFRESH;
	dram_command_send(controller, DRAM_REFRESH, &address, clock);
	dram_schedule_block(controller, controller->refresh_rank, false);
	controller->refresh_rank =
		(controller->refresh_rank + 1) % controller->standard->ranks;
	if (--controller->refresh_due)
		dram_schedule_block(controller, controller->refresh_rank, true);
	return true;
}

bool dram_refresh(struct dram_controller *controller, uint64_t clock,
		  enum dram_command *command)
{
	if (clock >= controller->next_refresh) {
		controller->next_refresh +=
			controller->standard->refresh_interval_clocks;
		if (!controller->refresh_due++)
			dram_schedule_block(controller,
					    controller->refresh_rank, true);
	}
	return controller->refresh_due &&
	       rank_refresh(controller, clock, command);
}

uint64_t dram_refresh_next(const struct dram_controller *controller)
{
	const struct dram_timing *timing = &controller->timing;
	uint32_t first = controller->refresh_rank * timing->banks_per_rank;
	int32_t best = DRAM_TIME_NEVER;

	for (uint32_t b = first; b < first + timing->banks_per_rank; b++) {
		int16_t time = dram_timing_precharge(timing, b);

		if (controller->banks[b].open_row != DRAM_ROW_CLOSED &&
		    time < best)
			best = time;
	}
	if (best == DRAM_TIME_NEVER)
		best = dram_timing_refresh(timing, controller->refresh_rank);
	return min_u64(dram_timing_clock(timing, best),
		       controller->next_refresh);
}
