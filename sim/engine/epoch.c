/* SPDX-License-Identifier: MIT */
#include <sim/engine/clock.h>
#include <sim/engine/epoch.h>

static void on_command(void *owner, const struct engine_command *command)
{
	const struct engine_epoch *epoch = owner;

	if (epoch->outside->command)
		epoch->outside->command(epoch->outside->owner, command);
}

static void on_span(void *owner, const struct engine_span *span)
{
	const struct engine_epoch *epoch = owner;
	struct engine_span shifted = *span;

	shifted.begin += epoch->before.cycles;
	shifted.end += epoch->before.cycles;
	epoch->outside->span(epoch->outside->owner, &shifted);
}

static void on_change(void *owner, enum engine_signal signal, uint32_t unit,
		      uint64_t now, uint64_t value)
{
	const struct engine_epoch *epoch = owner;

	epoch->outside->change(epoch->outside->owner, signal, unit,
			       epoch->before.cycles + now, value);
}

void epoch_init(struct engine_epoch *epoch,
		const struct engine_observer *observer)
{
	*epoch = (struct engine_epoch){ .outside = observer };
	if (!observer)
		return;
	/* What nobody listens to is not computed. */
	epoch->inside = (struct engine_observer){
		.command = on_command,
		.span = observer->span ? on_span : NULL,
		.change = observer->change ? on_change : NULL,
		.owner = epoch,
	};
}

const struct engine_observer *epoch_observer(const struct engine_epoch *epoch)
{
	return epoch->outside ? &epoch->inside : NULL;
}

static void time_shift(uint64_t *cycle, uint64_t by)
{
	if (*cycle != ENGINE_NEVER)
		*cycle += by;
}

void epoch_shift(const struct engine_epoch *epoch,
		 struct engine_command *command)
{
	time_shift(&command->fetch_cycle, epoch->before.cycles);
	time_shift(&command->start_cycle, epoch->before.cycles);
	time_shift(&command->work_cycle, epoch->before.cycles);
	time_shift(&command->end_cycle, epoch->before.cycles);
}

void epoch_add(const struct engine_epoch *epoch, struct engine_totals *totals)
{
	const struct engine_totals *before = &epoch->before;

	totals->cycles += before->cycles;
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		totals->lane_cycles[i] += before->lane_cycles[i];
	totals->memory.read_bytes += before->memory.read_bytes;
	totals->memory.write_bytes += before->memory.write_bytes;
	totals->memory.walks += before->memory.walks;
	totals->memory.activates += before->memory.activates;
	totals->memory.refreshes += before->memory.refreshes;
	totals->memory.busy_cycles += before->memory.busy_cycles;
	totals->link.read_bytes += before->link.read_bytes;
	totals->link.write_bytes += before->link.write_bytes;
	totals->link.packets_up += before->link.packets_up;
	totals->link.packets_down += before->link.packets_down;
	totals->link.doorbells += before->link.doorbells;
	totals->link.interrupts += before->link.interrupts;
	totals->port_bytes += before->port_bytes;
}
