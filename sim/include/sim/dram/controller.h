/* SPDX-License-Identifier: MIT */
/*
 * The controller of one DRAM channel: read and write queues, one queue for each
 * bank, round-robin arbitration with row hits before precharges, write drain and
 * refresh.
 *
 * The caller owns the clock. It offers requests at clock t, calls
 * dram_controller_clock(t), and may then skip to the clock that the call
 * returns: nothing can happen in between unless a request enters.
 */
#ifndef SIM_DRAM_CONTROLLER_H
#define SIM_DRAM_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/dram/standard.h"

#define DRAM_NEVER UINT64_MAX

struct dram_address {
	uint32_t bank; /* (rank · groups + group) · banks_per_group + bank */
	uint32_t row;
	uint32_t column; /* in bursts */
};

struct dram_request {
	struct dram_address address;
	bool write;
	uint64_t id; /* the caller's */
};

/**
 * struct dram_observer - what the controller tells its owner
 * @issued: a request's column command went out at @clock
 * @done: a request completed; for a write that is its acceptance + 1
 * @command: any command went out; may be NULL
 *
 * A request that was merged with an earlier one gets both calls with that one's
 * clock. A read that a pending write answers gets only @done.
 */
struct dram_observer {
	void (*issued)(void *owner, uint64_t id, uint64_t clock);
	void (*done)(void *owner, uint64_t id, uint64_t clock);
	void (*command)(void *owner, enum dram_command command,
			const struct dram_address *address, uint64_t clock);
	void *owner;
};

struct dram_controller;

/* @standard must outlive the controller. */
int dram_controller_create(const struct dram_standard *standard,
			   const struct dram_observer *observer,
			   struct dram_controller **out);
void dram_controller_destroy(struct dram_controller *controller);

bool dram_controller_has_room(const struct dram_controller *controller,
			      bool write);

/* Takes a request at @clock; there must be room. */
void dram_controller_accept(struct dram_controller *controller,
			    const struct dram_request *request, uint64_t clock);

/* One clock. Return: the next clock at which anything can change. */
uint64_t dram_controller_clock(struct dram_controller *controller,
			       uint64_t clock);

/*
 * Leaves out the refreshes of a controller that has had nothing to do for long, up to
 * some before @clock: nothing can be seen of them then. @next is what the last call
 * returned and moves with them. Return: how many.
 */
uint64_t dram_controller_skip(struct dram_controller *controller,
			      uint64_t *next, uint64_t clock);

/* Reads not yet issued, and writes beyond those that may stay for ever. */
bool dram_controller_busy(const struct dram_controller *controller);

/* Requests that wait for their column command. */
uint32_t dram_controller_waiting(const struct dram_controller *controller);

#endif
