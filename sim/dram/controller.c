/* SPDX-License-Identifier: MIT */
/*
 * The order of events in one clock is that of the reference controller, of which
 * the oracle's notes give the rules: refresh timer, refresh work, arbitration,
 * second command, move of one request to its bank queue.
 */
#include "sim/dram/controller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "sim/dram/pending.h"
#include "sim/dram/timing.h"

#define ROW_CLOSED UINT32_MAX
#define NO_POSITION UINT32_MAX
#define NO_RANK UINT32_MAX

struct bank {
	uint16_t queue[DRAM_BANK_QUEUE_MAX]; /* oldest first */
	uint32_t count;
	uint32_t open_row;
	uint32_t hits; /* column commands since its ACT */
	/* Positions in @queue that could issue by the state of the row. */
	uint32_t read_hit;
	uint32_t write_hit;
	bool may_precharge; /* for the oldest entry */
};

struct queue {
	uint16_t entry[DRAM_QUEUE_MAX]; /* oldest first */
	uint32_t count;
	uint32_t capacity;
};

struct dram_controller {
	const struct dram_standard *standard;
	struct dram_observer observer;
	struct dram_timing timing;
	struct dram_pending pending;
	struct queue reads;
	struct queue writes;
	struct bank banks[DRAM_BANKS_MAX];
	/* Lower bound of the clock at which a bank can issue; DRAM_NEVER: idle. */
	uint64_t ready[DRAM_BANKS_MAX];
	uint32_t bank_count;
	uint32_t banks_per_rank;
	uint32_t queued; /* requests in all bank queues */
	uint32_t pointer; /* bank that issued last */
	uint32_t drain; /* writes still to be moved by the present drain */
	bool move_stuck; /* nothing can move until a request enters or issues */
	uint64_t next_refresh;
	uint32_t refresh_due; /* ranks waiting, oldest: refresh_rank */
	uint32_t refresh_rank;
};

/* What a bank could issue now. */
struct choice {
	enum dram_command command;
	uint32_t position; /* of the entry in the bank queue */
};

int dram_controller_create(const struct dram_standard *standard,
			   const struct dram_observer *observer,
			   struct dram_controller **out)
{
	struct dram_controller *controller = calloc(1, sizeof(*controller));
	uint32_t banks = dram_standard_banks(standard);
	int ret;

	if (!controller)
		return accel_error(-ENOMEM, "no memory for a DRAM controller");
	ret = dram_pending_init(&controller->pending,
				standard->read_queue_entries +
					standard->write_queue_entries +
					banks * standard->bank_queue_entries);
	if (ret) {
		free(controller);
		return ret;
	}
	controller->standard = standard;
	controller->observer = *observer;
	dram_timing_init(&controller->timing, standard);
	controller->reads.capacity = standard->read_queue_entries;
	controller->writes.capacity = standard->write_queue_entries;
	controller->bank_count = banks;
	controller->banks_per_rank = banks / standard->ranks;
	controller->next_refresh = standard->refresh_interval_clocks;
	for (uint32_t b = 0; b < banks; b++) {
		controller->banks[b].open_row = ROW_CLOSED;
		controller->ready[b] = DRAM_NEVER;
	}
	*out = controller;
	return 0;
}

void dram_controller_destroy(struct dram_controller *controller)
{
	if (!controller)
		return;
	dram_pending_destroy(&controller->pending);
	free(controller);
}

bool dram_controller_has_room(const struct dram_controller *controller,
			      bool write)
{
	const struct queue *queue = write ? &controller->writes :
					    &controller->reads;

	return queue->count < queue->capacity &&
	       dram_pending_may_merge(&controller->pending);
}

uint32_t dram_controller_waiting(const struct dram_controller *controller)
{
	return controller->reads.count + controller->writes.count +
	       controller->queued;
}

bool dram_controller_busy(const struct dram_controller *controller)
{
	return controller->reads.count || controller->queued ||
	       controller->drain ||
	       controller->writes.count > controller->standard->drain_idle;
}

/* Merges a request with a pending one of its address; true if it needs no entry. */
static bool request_merge(struct dram_controller *controller,
			  const struct dram_request *request, uint64_t clock)
{
	const struct dram_observer *observer = &controller->observer;
	struct dram_pending *pending = &controller->pending;
	uint16_t same = dram_pending_find(pending, &request->address, true);

	if (request->write || same != DRAM_NO_ENTRY)
		observer->done(observer->owner, request->id, clock + 1);
	if (same != DRAM_NO_ENTRY) {
		if (request->write)
			dram_pending_merge(pending, same, request->id);
		return true;
	}
	if (request->write)
		return false;
	same = dram_pending_find(pending, &request->address, false);
	if (same == DRAM_NO_ENTRY)
		return false;
	dram_pending_merge(pending, same, request->id);
	return true;
}

void dram_controller_accept(struct dram_controller *controller,
			    const struct dram_request *request, uint64_t clock)
{
	struct queue *queue = request->write ? &controller->writes :
					       &controller->reads;

	if (request_merge(controller, request, clock))
		return;
	queue->entry[queue->count++] =
		dram_pending_add(&controller->pending, request);
	controller->move_stuck = false;
}

static const struct dram_entry *
entry_at(const struct dram_controller *controller, const struct bank *bank,
	 uint32_t position)
{
	return &controller->pending.entries[bank->queue[position]];
}

/* A write waits for an older read of the same address in its bank queue. */
static bool write_blocked(const struct dram_controller *controller,
			  const struct bank *bank, uint32_t position)
{
	const struct dram_entry *write = entry_at(controller, bank, position);

	for (uint32_t i = 0; i < position; i++) {
		const struct dram_entry *older = entry_at(controller, bank, i);

		if (!older->write && older->address.row == write->address.row &&
		    older->address.column == write->address.column)
			return true;
	}
	return false;
}

static void bank_find_hits(struct dram_controller *controller,
			   struct bank *bank)
{
	bool any_hit = false;

	bank->read_hit = NO_POSITION;
	bank->write_hit = NO_POSITION;
	for (uint32_t i = 0; i < bank->count; i++) {
		const struct dram_entry *entry = entry_at(controller, bank, i);

		if (entry->address.row != bank->open_row)
			continue;
		any_hit = true;
		if (!entry->write && bank->read_hit == NO_POSITION)
			bank->read_hit = i;
		if (entry->write && bank->write_hit == NO_POSITION &&
		    !write_blocked(controller, bank, i))
			bank->write_hit = i;
	}
	bank->may_precharge =
		bank->count &&
		entry_at(controller, bank, 0)->address.row != bank->open_row &&
		(!any_hit || bank->hits >= controller->standard->row_hit_cap);
}

static uint64_t bank_earliest(const struct dram_controller *controller,
			      uint32_t index)
{
	const struct dram_timing *timing = &controller->timing;
	const struct bank *bank = &controller->banks[index];
	uint64_t best = DRAM_NEVER;
	uint64_t clock;

	if (!bank->count)
		return DRAM_NEVER;
	if (bank->open_row == ROW_CLOSED)
		return dram_timing_earliest(timing, DRAM_ACTIVATE, index);
	if (bank->read_hit != NO_POSITION)
		best = dram_timing_earliest(timing, DRAM_READ, index);
	if (bank->write_hit != NO_POSITION) {
		clock = dram_timing_earliest(timing, DRAM_WRITE, index);
		best = clock < best ? clock : best;
	}
	if (bank->may_precharge) {
		clock = dram_timing_earliest(timing, DRAM_PRECHARGE, index);
		best = clock < best ? clock : best;
	}
	return best;
}

/* After a change of its queue or its row. */
static void bank_update(struct dram_controller *controller, uint32_t index)
{
	struct bank *bank = &controller->banks[index];

	if (bank->open_row != ROW_CLOSED)
		bank_find_hits(controller, bank);
	controller->ready[index] = bank_earliest(controller, index);
}

static void choose(struct choice *choice, enum dram_command command,
		   uint32_t position, uint64_t earliest, uint64_t clock)
{
	if (position < choice->position && earliest <= clock) {
		choice->command = command;
		choice->position = position;
	}
}

/* The oldest entry of a bank for which a command can go out now. */
static struct choice bank_choose(const struct dram_controller *controller,
				 uint32_t index, uint64_t clock)
{
	const struct dram_timing *timing = &controller->timing;
	const struct bank *bank = &controller->banks[index];
	struct choice choice = { .position = NO_POSITION };

	if (bank->open_row == ROW_CLOSED) {
		choose(&choice, DRAM_ACTIVATE, 0,
		       dram_timing_earliest(timing, DRAM_ACTIVATE, index),
		       clock);
		return choice;
	}
	if (bank->may_precharge)
		choose(&choice, DRAM_PRECHARGE, 0,
		       dram_timing_earliest(timing, DRAM_PRECHARGE, index),
		       clock);
	if (bank->read_hit != NO_POSITION)
		choose(&choice, DRAM_READ, bank->read_hit,
		       dram_timing_earliest(timing, DRAM_READ, index), clock);
	if (bank->write_hit != NO_POSITION)
		choose(&choice, DRAM_WRITE, bank->write_hit,
		       dram_timing_earliest(timing, DRAM_WRITE, index), clock);
	return choice;
}

static void command_send(struct dram_controller *controller,
			 enum dram_command command,
			 const struct dram_address *address, uint64_t clock)
{
	const struct dram_observer *observer = &controller->observer;

	dram_timing_issue(&controller->timing, command, address->bank, clock);
	if (observer->command)
		observer->command(observer->owner, command, address, clock);
}

static void request_complete(struct dram_controller *controller, uint16_t index,
			     uint64_t clock)
{
	const struct dram_observer *observer = &controller->observer;
	const struct dram_entry *entry = &controller->pending.entries[index];
	uint64_t done = clock + controller->standard->read_done_clocks;

	observer->issued(observer->owner, entry->id, clock);
	if (!entry->write)
		observer->done(observer->owner, entry->id, done);
	for (uint32_t i = entry->merged; i != DRAM_NO_MERGED;
	     i = controller->pending.merged[i].next) {
		uint64_t id = controller->pending.merged[i].id;

		observer->issued(observer->owner, id, clock);
		if (!entry->write)
			observer->done(observer->owner, id, done);
	}
	dram_pending_remove(&controller->pending, index);
}

static void column_command(struct dram_controller *controller,
			   struct bank *bank, const struct choice *choice,
			   uint64_t clock)
{
	uint16_t entry = bank->queue[choice->position];

	command_send(controller, choice->command,
		     &controller->pending.entries[entry].address, clock);
	bank->hits++;
	bank->count--;
	memmove(&bank->queue[choice->position],
		&bank->queue[choice->position + 1],
		(bank->count - choice->position) * sizeof(bank->queue[0]));
	controller->queued--;
	controller->move_stuck = false;
	request_complete(controller, entry, clock);
}

static void bank_issue(struct dram_controller *controller, uint32_t index,
		       const struct choice *choice, uint64_t clock)
{
	struct bank *bank = &controller->banks[index];
	struct dram_address address =
		entry_at(controller, bank, choice->position)->address;

	switch (choice->command) {
	case DRAM_ACTIVATE:
		command_send(controller, DRAM_ACTIVATE, &address, clock);
		bank->open_row = address.row;
		bank->hits = 0;
		break;
	case DRAM_PRECHARGE:
		command_send(controller, DRAM_PRECHARGE, &address, clock);
		bank->open_row = ROW_CLOSED;
		break;
	default:
		column_command(controller, bank, choice, clock);
		break;
	}
	bank_update(controller, index);
}

static uint32_t blocked_rank(const struct dram_controller *controller)
{
	return controller->refresh_due ? controller->refresh_rank : NO_RANK;
}

/* Round robin over the banks, from the one after the last that issued. */
static bool arbitrate(struct dram_controller *controller, uint64_t clock,
		      uint32_t *bank, struct choice *choice)
{
	uint32_t blocked = blocked_rank(controller);
	uint32_t count = controller->bank_count;
	uint32_t b = controller->pointer;

	for (uint32_t i = 0; i < count; i++) {
		b = b + 1 == count ? 0 : b + 1;
		if (controller->ready[b] > clock ||
		    controller->timing.rank_of[b] == blocked)
			continue;
		*choice = bank_choose(controller, b, clock);
		if (choice->position != NO_POSITION) {
			controller->pointer = b;
			*bank = b;
			return true;
		}
		/* Other banks' commands have moved the bound. */
		controller->ready[b] = bank_earliest(controller, b);
	}
	return false;
}

static bool is_column(enum dram_command command)
{
	return command == DRAM_READ || command == DRAM_WRITE;
}

static bool refresh_precharge(struct dram_controller *controller,
			      uint32_t first, uint64_t clock, bool *closed)
{
	*closed = true;
	for (uint32_t b = first; b < first + controller->banks_per_rank; b++) {
		struct bank *bank = &controller->banks[b];
		struct dram_address address = { .bank = b,
						.row = bank->open_row };

		if (bank->open_row == ROW_CLOSED)
			continue;
		*closed = false;
		if (dram_timing_earliest(&controller->timing, DRAM_PRECHARGE,
					 b) > clock)
			continue;
		command_send(controller, DRAM_PRECHARGE, &address, clock);
		bank->open_row = ROW_CLOSED;
		bank_update(controller, b);
		return true;
	}
	return false;
}

static uint64_t refresh_earliest(const struct dram_controller *controller,
				 uint32_t first)
{
	uint64_t latest = 0;

	for (uint32_t b = first; b < first + controller->banks_per_rank; b++) {
		uint64_t clock = dram_timing_earliest(&controller->timing,
						      DRAM_REFRESH, b);

		latest = clock > latest ? clock : latest;
	}
	return latest;
}

/* Closes the rank's banks one by one, then refreshes it. */
static bool refresh_work(struct dram_controller *controller, uint64_t clock,
			 enum dram_command *command)
{
	uint32_t first = controller->refresh_rank * controller->banks_per_rank;
	struct dram_address address = { .bank = first };
	bool closed;

	*command = DRAM_PRECHARGE;
	if (refresh_precharge(controller, first, clock, &closed))
		return true;
	if (!closed || refresh_earliest(controller, first) > clock)
		return false;
	*command = DRAM_REFRESH;
	command_send(controller, DRAM_REFRESH, &address, clock);
	controller->refresh_due--;
	controller->refresh_rank =
		(controller->refresh_rank + 1) % controller->standard->ranks;
	return true;
}

static bool arbitrate_and_issue(struct dram_controller *controller,
				uint64_t clock, enum dram_command *command)
{
	struct choice choice;
	uint32_t bank;

	if (!arbitrate(controller, clock, &bank, &choice))
		return false;
	*command = choice.command;
	bank_issue(controller, bank, &choice, clock);
	return true;
}

/* A row and a column command may share a clock; the pointer moves anyway. */
static void second_command(struct dram_controller *controller, uint64_t clock,
			   enum dram_command first)
{
	struct choice choice;
	uint32_t bank;

	if (arbitrate(controller, clock, &bank, &choice) &&
	    is_column(choice.command) != is_column(first))
		bank_issue(controller, bank, &choice, clock);
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

static bool bank_has_room(const struct dram_controller *controller,
			  uint16_t entry)
{
	uint32_t bank = controller->pending.entries[entry].address.bank;

	return controller->banks[bank].count <
	       controller->standard->bank_queue_entries;
}

/* The oldest request whose bank queue has room, or NO_POSITION. */
static uint32_t queue_find_movable(const struct dram_controller *controller,
				   const struct queue *queue)
{
	for (uint32_t i = 0; i < queue->count; i++)
		if (bank_has_room(controller, queue->entry[i]))
			return i;
	return NO_POSITION;
}

static void queue_move(struct dram_controller *controller, struct queue *queue,
		       uint32_t position)
{
	uint16_t entry = queue->entry[position];
	uint32_t b = controller->pending.entries[entry].address.bank;
	struct bank *bank = &controller->banks[b];

	queue->count--;
	memmove(&queue->entry[position], &queue->entry[position + 1],
		(queue->count - position) * sizeof(queue->entry[0]));
	bank->queue[bank->count++] = entry;
	controller->queued++;
	bank_update(controller, b);
}

static bool read_move(struct dram_controller *controller)
{
	uint32_t position = queue_find_movable(controller, &controller->reads);

	if (position == NO_POSITION)
		return false;
	queue_move(controller, &controller->reads, position);
	return true;
}

/* A write that a pending read of its address precedes ends the drain. */
static bool write_move(struct dram_controller *controller)
{
	uint32_t position = queue_find_movable(controller, &controller->writes);
	const struct dram_address *address;
	uint16_t entry;

	if (position == NO_POSITION)
		return false;
	entry = controller->writes.entry[position];
	address = &controller->pending.entries[entry].address;
	if (dram_pending_find(&controller->pending, address, false) !=
	    DRAM_NO_ENTRY) {
		controller->drain = 0;
		/*
		 * With all bank queues empty that read is still in the read
		 * queue, and the drain would begin again at once, for ever (the
		 * reference locks up here): let the read pass.
		 */
		return controller->queued ? true : read_move(controller);
	}
	controller->drain--;
	queue_move(controller, &controller->writes, position);
	return true;
}

static bool request_move(struct dram_controller *controller)
{
	bool moved;

	if (controller->move_stuck)
		return false;
	drain_start(controller);
	moved = controller->drain ? write_move(controller) :
				    read_move(controller);
	controller->move_stuck = !moved;
	return moved;
}

static uint64_t refresh_next(const struct dram_controller *controller)
{
	uint32_t first = controller->refresh_rank * controller->banks_per_rank;
	uint64_t best = DRAM_NEVER;

	if (!controller->refresh_due)
		return DRAM_NEVER;
	for (uint32_t b = first; b < first + controller->banks_per_rank; b++) {
		uint64_t clock;

		if (controller->banks[b].open_row == ROW_CLOSED)
			continue;
		clock = dram_timing_earliest(&controller->timing,
					     DRAM_PRECHARGE, b);
		best = clock < best ? clock : best;
	}
	return best == DRAM_NEVER ? refresh_earliest(controller, first) : best;
}

static uint64_t next_event(const struct dram_controller *controller)
{
	uint32_t blocked = blocked_rank(controller);
	uint64_t best = refresh_next(controller);

	if (controller->next_refresh < best)
		best = controller->next_refresh;
	for (uint32_t b = 0; b < controller->bank_count; b++)
		if (controller->ready[b] < best &&
		    controller->timing.rank_of[b] != blocked)
			best = controller->ready[b];
	return best;
}

uint64_t dram_controller_clock(struct dram_controller *controller,
			       uint64_t clock)
{
	enum dram_command command = DRAM_COMMAND_COUNT;
	bool issued = false;
	uint64_t next;

	if (clock >= controller->next_refresh) {
		controller->next_refresh +=
			controller->standard->refresh_interval_clocks;
		controller->refresh_due++;
	}
	if (controller->refresh_due)
		issued = refresh_work(controller, clock, &command);
	if (!issued)
		issued = arbitrate_and_issue(controller, clock, &command);
	if (issued && controller->standard->second_command)
		second_command(controller, clock, command);
	if (request_move(controller))
		return clock + 1;
	next = next_event(controller);
	return next > clock ? next : clock + 1;
}
