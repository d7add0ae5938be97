/* SPDX-License-Identifier: MIT */
/* What a controller consists of; for its own parts alone. */
#ifndef SIM_DRAM_CONTROLLER_STATE_H
#define SIM_DRAM_CONTROLLER_STATE_H

#include "sim/dram/bank.h"
#include "sim/dram/pending.h"
#include "sim/dram/timing.h"

/* So that what is left moves to the front only now and then. */
#define DRAM_QUEUE_SLOTS (4 * DRAM_QUEUE_MAX)

struct dram_slot {
	uint16_t entry; /* of the pending requests */
	uint16_t bank;
};

/**
 * struct dram_queue - requests that have not been moved to a bank, oldest first
 * @first: of the slots that are in use
 * @in_bank: how many of a bank
 * @banks: those that have any
 */
struct dram_queue {
	struct dram_slot slots[DRAM_QUEUE_SLOTS];
	uint32_t first;
	uint16_t in_bank[DRAM_BANKS_MAX];
	uint64_t banks;
	uint32_t count;
	uint32_t capacity;
};

static inline const struct dram_slot *
dram_queue_slot(const struct dram_queue *queue, uint32_t position)
{
	return &queue->slots[queue->first + position];
}

/**
 * struct dram_schedule - which commands are waited for
 * @wanted: when a bank itself allows what it wants, as struct dram_timing counts;
 *	DRAM_TIME_NEVER: not wanted
 * @position: of the request that wants it in the bank's queue, by command
 * @blocked: DRAM_TIME_NEVER while the bank's rank waits for a refresh, else 0
 * @ready: when a bank can issue each command; as @next
 * @next: when the next command can go out
 * @stale: @ready and @next must be found anew
 * @pointer: bank that issued last
 */
struct dram_schedule {
	union dram_times wanted;
	uint8_t position[DRAM_BANKS_MAX][DRAM_BANK_COMMANDS];
	union dram_times blocked;
	union dram_times ready;
	int16_t next;
	bool stale;
	uint32_t pointer;
};

struct dram_policy_rules;

struct dram_controller {
	const struct dram_standard *standard;
	const struct dram_policy_rules *rules;
	struct dram_observer observer;
	struct dram_timing timing;
	struct dram_pending pending;
	struct dram_queue reads;
	struct dram_queue writes;
	struct dram_bank banks[DRAM_BANKS_MAX];
	struct dram_schedule schedule;
	uint64_t room; /* banks whose queue has room */
	uint32_t bank_count;
	uint32_t bank_capacity; /* requests in one bank queue */
	uint32_t queued; /* requests in all bank queues */
	uint32_t queued_writes; /* of these */
	uint32_t age; /* of the next request */
	uint32_t drain; /* the reference's writes still to be moved by a drain */
	bool writing; /* the device's direction */
	bool writes_go; /* its last column command's */
	uint32_t streak; /* column commands since it changed */
	bool move_stuck; /* nothing can move until a request enters or issues */
	uint64_t next_refresh;
	uint32_t refresh_due; /* ranks waiting, oldest: refresh_rank */
	uint32_t refresh_rank;
};

void dram_command_send(struct dram_controller *controller,
		       enum dram_command command,
		       const struct dram_address *address, uint64_t clock);

#endif
