/* SPDX-License-Identifier: MIT */
/*
 * The order of events in one clock is that of the reference controller, of which
 * the oracle's notes give the rules: refresh timer, refresh work, arbitration,
 * second command, move of one request to its bank queue.
 */
#include "sim/dram/controller.h"

#include <errno.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/integer.h"
#include "sim/dram/controller_state.h"
#include "sim/dram/policy.h"
#include "sim/dram/queue.h"
#include "sim/dram/refresh.h"
#include "sim/dram/schedule.h"

static const struct dram_policy_rules *rules_of(enum dram_policy policy)
{
	return policy == DRAM_POLICY_REFERENCE ? &dram_policy_reference :
						 &dram_policy_device;
}

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
	if (!ret) {
		ret = dram_timing_init(&controller->timing, standard);
		if (ret)
			dram_pending_destroy(&controller->pending);
	}
	if (ret) {
		free(controller);
		return ret;
	}
	controller->standard = standard;
	controller->observer = *observer;
	dram_schedule_init(controller);
	controller->reads.capacity = standard->read_queue_entries;
	controller->writes.capacity = standard->write_queue_entries;
	controller->bank_count = banks;
	controller->rules = rules_of(standard->policy);
	controller->bank_capacity = standard->policy == DRAM_POLICY_REFERENCE ?
					    standard->bank_queue_entries :
					    DRAM_BANK_QUEUE_MAX;
	controller->room = banks < 64 ? (1ull << banks) - 1 : UINT64_MAX;
	controller->next_refresh = standard->refresh_interval_clocks;
	for (uint32_t b = 0; b < banks; b++)
		controller->banks[b].open_row = DRAM_ROW_CLOSED;
	*out = controller;
	return 0;
}

void dram_controller_destroy(struct dram_controller *controller)
{
	if (!controller)
		return;
	dram_pending_destroy(&controller->pending);
	dram_timing_destroy(&controller->timing);
	free(controller);
}

bool dram_controller_has_room(const struct dram_controller *controller,
			      bool write)
{
	const struct dram_queue *queue = write ? &controller->writes :
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
	struct dram_queue *queue = request->write ? &controller->writes :
						    &controller->reads;

	if (request_merge(controller, request, clock))
		return;
	dram_queue_push(queue,
			dram_pending_add(&controller->pending, request,
					 controller->age++),
			request->address.bank);
	controller->move_stuck = false;
}

void dram_command_send(struct dram_controller *controller,
		       enum dram_command command,
		       const struct dram_address *address, uint64_t clock)
{
	const struct dram_observer *observer = &controller->observer;

	dram_timing_issue(&controller->timing, command, address->bank, clock);
	controller->schedule.stale = true;
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

static void command_issue(struct dram_controller *controller,
			  const struct dram_choice *choice, uint64_t clock)
{
	struct dram_bank *bank = &controller->banks[choice->bank];
	uint16_t entry = bank->queue[choice->position].entry;

	dram_command_send(controller, choice->command,
			  &controller->pending.entries[entry].address, clock);
	if (dram_command_is_column(choice->command)) {
		bank->columns++;
		dram_bank_remove(bank, choice->position);
		controller->queued--;
		controller->streak++;
		controller->queued_writes -= choice->command == DRAM_WRITE;
		controller->room |= 1ull << choice->bank;
		controller->move_stuck = false;
		request_complete(controller, entry, clock);
	} else {
		dram_bank_set(bank, choice->command == DRAM_ACTIVATE ?
					    bank->queue[choice->position].row :
					    DRAM_ROW_CLOSED);
	}
	dram_schedule_update(controller, choice->bank);
}

/* @first: that has gone out in this clock, or NULL. False if none goes out. */
static bool command_choose(struct dram_controller *controller, uint64_t clock,
			   const enum dram_command *first,
			   enum dram_command *command)
{
	int16_t now = dram_timing_relative(&controller->timing, clock);
	struct dram_choice choice;

	if (dram_schedule_next(controller) > clock ||
	    !controller->rules->choose(controller, now, first, &choice))
		return false;
	command_issue(controller, &choice, clock);
	*command = choice.command;
	return true;
}

static bool all_closed(const struct dram_controller *controller)
{
	for (uint32_t b = 0; b < controller->bank_count; b++)
		if (controller->banks[b].open_row != DRAM_ROW_CLOSED)
			return false;
	return true;
}

uint64_t dram_controller_skip(struct dram_controller *controller,
			      uint64_t *next, uint64_t clock)
{
	uint64_t interval = controller->standard->refresh_interval_clocks;
	uint32_t ranks = controller->standard->ranks;
	/* The last of every rank, whose time may still hold back an ACT. */
	uint64_t kept = 2ull * ranks;
	uint64_t count = *next < clock ? (clock - *next) / interval : 0;

	if (count <= kept || *next != controller->next_refresh ||
	    controller->refresh_due || dram_controller_busy(controller) ||
	    !all_closed(controller))
		return 0;
	count -= kept;
	controller->next_refresh += count * interval;
	controller->refresh_rank =
		(uint32_t)((controller->refresh_rank + count) % ranks);
	*next = controller->next_refresh;
	return count;
}

uint64_t dram_controller_clock(struct dram_controller *controller,
			       uint64_t clock)
{
	enum dram_command first, second;
	uint64_t next;
	bool issued;

	if (!dram_timing_reaches(&controller->timing, clock))
		dram_schedule_rebase(controller,
				     dram_timing_rebase(&controller->timing,
							clock));
	issued = (controller->refresh_due ||
		  clock >= controller->next_refresh) &&
		 dram_refresh(controller, clock, &first);
	if (!issued)
		issued = command_choose(controller, clock, NULL, &first);
	if (issued && controller->standard->second_command)
		command_choose(controller, clock, &first, &second);
	if (!controller->move_stuck && controller->rules->move(controller))
		return clock + 1;
	next = dram_schedule_next(controller);
	next = min_u64(next, controller->refresh_due ?
				     dram_refresh_next(controller) :
				     controller->next_refresh);
	return max_u64(next, clock + 1);
}
