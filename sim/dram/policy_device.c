/* SPDX-License-Identifier: MIT */
/*
 * First ready, first come, first served, in one direction at a time: column commands
 * before row commands, of each kind that of the oldest request. Reads move to their
 * banks at once, and writes when they are drained, so that row commands see all that
 * waits. The banks' queues share their entries: a bank may have those that others leave.
 */
#include "sim/dram/policy.h"
#include "sim/dram/queue.h"
#include "sim/dram/schedule.h"

/* Requests that have come since, when hits must no longer pass. */
#define STARVED_AGE 1024

/* Requests in a turn while others wait, for each write that starts a drain. */
#define READ_TURN 4
#define WRITE_TURN 8

static uint64_t all_positions(const struct dram_bank *bank)
{
	return bank->count ? UINT64_MAX >> (64 - bank->count) : 0;
}

static bool direction_changes(const struct dram_controller *controller)
{
	return controller->writing != controller->writes_go;
}

/*
 * A bank without requests of the present direction makes ready for the other. While
 * the direction changes, rows that either still needs stay open, and both have their
 * column commands.
 */
static struct dram_wants
open_bank_wants(const struct dram_controller *controller,
		const struct dram_bank *bank, uint64_t served)
{
	uint32_t none = DRAM_NO_POSITION;
	bool changes = direction_changes(controller);
	uint64_t keep = changes ? bank->hit : bank->hit & served;
	uint32_t oldest = dram_bank_first(served);
	uint32_t age = controller->age - bank->queue[oldest].age;
	uint32_t read = dram_bank_first(bank->hit & ~bank->write);
	uint32_t write = dram_bank_first(bank->hit & bank->write);

	if (!(bank->hit >> oldest & 1) && (!keep || age > STARVED_AGE))
		return dram_wants(none, oldest, none, none);
	return dram_wants(none, none,
			  changes || !controller->writing ? read : none,
			  changes || controller->writing ? write : none);
}

static struct dram_wants device_wants(const struct dram_controller *controller,
				      const struct dram_bank *bank)
{
	uint32_t none = DRAM_NO_POSITION;
	uint64_t all = all_positions(bank);
	uint64_t now = controller->writing ? bank->write : all & ~bank->write;
	uint64_t served = now ? now : all;

	if (!all)
		return dram_wants(none, none, none, none);
	if (bank->open_row == DRAM_ROW_CLOSED)
		return dram_wants(dram_bank_first(served), none, none, none);
	return open_bank_wants(controller, bank, served);
}

struct ready {
	uint64_t block[DRAM_BLOCKS];
};

static struct ready ready_now(const struct dram_controller *controller,
			      int16_t now)
{
	struct ready ready;

	for (uint32_t i = 0; i < controller->timing.blocks; i++)
		ready.block[i] = dram_schedule_ready(controller, i, now);
	return ready;
}

/* Of those of @commands that can go out that of the oldest request. */
static bool oldest_choose(const struct dram_controller *controller,
			  const struct ready *ready, uint64_t commands,
			  struct dram_choice *choice)
{
	const struct dram_bank *banks = controller->banks;
	uint32_t oldest = 0;

	for (uint32_t i = 0; i < controller->timing.blocks; i++) {
		uint64_t left = ready->block[i] & commands;

		for (; left; left &= left - 1) {
			uint32_t bit = (uint32_t)__builtin_ctzll(left);
			uint32_t command = bit % DRAM_BANK_COMMANDS;
			uint32_t b =
				i * DRAM_BLOCK_BANKS + bit / DRAM_BANK_COMMANDS;
			uint32_t position =
				controller->schedule.position[b][command];
			uint32_t age =
				controller->age - banks[b].queue[position].age;

			if (age <= oldest)
				continue;
			oldest = age;
			choice->bank = b;
			choice->command = (enum dram_command)command;
			choice->position = position;
		}
	}
	return oldest > 0;
}

/* Is a row open for it, so that it only waits for the bus? */
static bool direction_prepared(const struct dram_controller *controller,
			       int16_t now)
{
	uint64_t column =
		DRAM_EVERY(controller->writing ? DRAM_WRITE : DRAM_READ);

	for (uint32_t i = 0; i < controller->timing.blocks; i++)
		if (dram_schedule_prepared(controller, i, now) & column)
			return true;
	return false;
}

static void banks_update(struct dram_controller *controller)
{
	for (uint32_t b = 0; b < controller->bank_count; b++)
		if (controller->banks[b].count)
			dram_schedule_update(controller, b);
}

/* The former direction goes on until the bus is all that the new one waits for. */
static bool column_choose(struct dram_controller *controller, int16_t now,
			  const struct ready *ready, struct dram_choice *choice)
{
	bool writing = controller->writing;
	uint64_t present = DRAM_EVERY(writing ? DRAM_WRITE : DRAM_READ);
	uint64_t former = DRAM_EVERY(writing ? DRAM_READ : DRAM_WRITE);

	if (!oldest_choose(controller, ready, present, choice))
		return oldest_choose(controller, ready, former, choice) &&
		       !direction_prepared(controller, now);
	if (direction_changes(controller)) {
		controller->writes_go = writing;
		controller->streak = 0;
		banks_update(controller);
	}
	return true;
}

static bool device_choose(struct dram_controller *controller, int16_t now,
			  const enum dram_command *first,
			  struct dram_choice *choice)
{
	uint64_t rows = DRAM_EVERY(DRAM_ACTIVATE) | DRAM_EVERY(DRAM_PRECHARGE);
	struct ready ready = ready_now(controller, now);
	bool column = !first || !dram_command_is_column(*first);
	bool row = !first || dram_command_is_column(*first);

	return (column && column_choose(controller, now, &ready, choice)) ||
	       (row && oldest_choose(controller, &ready, rows, choice));
}

/* Reads leave so many entries to writes as these need for a drain. */
static bool pool_has_room(const struct dram_controller *controller, bool write)
{
	uint32_t entries = controller->bank_count *
			   controller->standard->bank_queue_entries;
	uint32_t reads = controller->queued - controller->queued_writes;
	uint32_t kept = controller->writes.capacity;

	if (write)
		return controller->queued < entries;
	return reads < (entries > 2 * kept ? entries - kept : entries / 2) &&
	       controller->queued < entries;
}

static void reads_move(struct dram_controller *controller)
{
	struct dram_queue *reads = &controller->reads;

	while (pool_has_room(controller, false)) {
		uint32_t position = dram_queue_find(controller, reads);

		if (position == DRAM_NO_POSITION)
			break;
		dram_queue_move(controller, reads, position);
	}
}

/* All but those that a pending read of their address precedes. */
static void writes_move(struct dram_controller *controller)
{
	struct dram_queue *writes = &controller->writes;
	uint32_t position = 0;

	while (position < writes->count && pool_has_room(controller, true)) {
		if (controller->room >>
				    dram_queue_slot(writes, position)->bank &
			    1 &&
		    !dram_queue_read_pending(controller, writes, position))
			dram_queue_move(controller, writes, position);
		else
			position++;
	}
}

static void direction_set(struct dram_controller *controller, bool writing)
{
	if (controller->writing == writing)
		return;
	controller->writing = writing;
	banks_update(controller);
}

static uint32_t reads_waiting(const struct dram_controller *controller)
{
	return controller->reads.count + controller->queued -
	       controller->queued_writes;
}

static uint32_t writes_waiting(const struct dram_controller *controller)
{
	return controller->writes.count + controller->queued_writes;
}

static bool turn_is_over(const struct dram_controller *controller)
{
	uint32_t turn = controller->writing ? WRITE_TURN : READ_TURN;

	return controller->streak >= turn * controller->standard->drain_full;
}

/*
 * A drain goes on until few writes are left, or as long as there are no reads. When
 * there are enough writes for one, reads still have a turn of their own: changing the
 * direction costs more than either side's waiting. So have writes from when reads wait:
 * there are always more when they come as fast as they go.
 */
static bool drain_goes_on(const struct dram_controller *controller)
{
	const struct dram_standard *standard = controller->standard;
	uint32_t writes = writes_waiting(controller);

	if (controller->writing)
		return !reads_waiting(controller) ||
		       (writes > standard->drain_idle &&
			!(controller->writes_go && turn_is_over(controller)));
	if (!reads_waiting(controller))
		return writes > standard->drain_idle ||
		       controller->queued_writes;
	return writes >= standard->drain_full && turn_is_over(controller);
}

static bool device_move(struct dram_controller *controller)
{
	bool drain, only_writes;

	if (controller->writes_go && !reads_waiting(controller))
		controller->streak = 0;
	drain = drain_goes_on(controller);
	if (drain)
		writes_move(controller);
	reads_move(controller);
	/*
	 * Writes that are left may all wait for reads; and reads for writes, if these have
	 * taken all entries of their banks: no turn of reads would ever end then.
	 */
	only_writes = controller->queued == controller->queued_writes;
	direction_set(controller,
		      (drain || only_writes) && controller->queued_writes);
	controller->move_stuck = true;
	return false;
}

const struct dram_policy_rules dram_policy_device = {
	.wants = device_wants,
	.choose = device_choose,
	.move = device_move,
};
