/* SPDX-License-Identifier: MIT */
/* What a controller consists of; for its own parts alone. */
#ifndef SIM_DRAM_CONTROLLER_STATE_H
#define SIM_DRAM_CONTROLLER_STATE_H

#include "sim/dram/lanes.h"
#include "sim/dram/bank.h"
#include "sim/dram/pending.h"
#include "sim/dram/timing.h"

/**
 * struct dram_queue - requests that have not been moved to a bank, oldest first
 * @bank: of each entry
 * @in_bank: how many of a bank
 * @banks: those that have any
 */
struct dram_queue {
	uint16_t entry[DRAM_QUEUE_MAX];
	uint8_t bank[DRAM_QUEUE_MAX];
	uint16_t in_bank[DRAM_BANKS_MAX];
	uint64_t banks;
	uint32_t count;
	uint32_t capacity;
};

/**
 * struct dram_schedule - which commands are waited for
 * @wanted: when a bank itself allows what it wants, as struct dram_timing counts;
 *	DRAM_TIME_NEVER: not wanted
 * @position: of the request that wants it in the bank's queue
 * @first: the earliest of a group's @wanted, and not before @blocked
 * @blocked: of a group, DRAM_TIME_NEVER while its rank waits for a refresh
 * @ready: when a bank of the group can issue; as @next
 * @next: when the next command can go out
 * @stale: @ready and @next must be found anew
 * @pointer: bank that issued last
 */
struct dram_schedule {
	dram_lanes wanted[DRAM_BANKS_MAX + 3]; /* read in fours */
	dram_lanes position[DRAM_BANKS_MAX];
	dram_lanes first[DRAM_GROUPS_MAX];
	int32_t blocked[DRAM_GROUPS_MAX];
	dram_lanes ready[DRAM_GROUPS_MAX];
	int32_t next;
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
