/* SPDX-License-Identifier: MIT */
/*
 * The engine: command processor, DMA engines, link, memory and clusters in one time.
 * Commands go in, in the order in which the arbiter chose them; they come out retired,
 * with their times and the account of the lane-cycles.
 *
 * Every lane-cycle belongs to one command or to idleness: to the command whose pass the
 * cluster computes or waits for; else, while others still work, to the oldest command
 * that has been dispatched (TAIL of one on the array, DRAM or PCIE if only its writes are
 * left; DMA, DRAM or PCIE of a copy); else to the
 * command that is being fetched (COMMAND); else to nobody (IDLE). A cluster waits
 * because of what its next load waits for: memory (DRAM), the link (PCIE), the port or
 * the buffer's write side (ACTIVATIONS), the decoder or its port (WEIGHTS), a tile that
 * another cluster has to store (TAIL); or because results wait for the epilogue or the
 * port out (EPILOGUE).
 *
 * Not safe for threads: the device's thread owns it.
 */
#ifndef SIM_ENGINE_ENGINE_H
#define SIM_ENGINE_ENGINE_H

#include <sim/config.h>
#include <sim/engine/command.h>
#include <sim/engine/observer.h>

/**
 * enum engine_mode - how time goes on
 * @ENGINE_FAST: to the next event
 * @ENGINE_REFERENCE: cycle by cycle
 */
enum engine_mode {
	ENGINE_FAST,
	ENGINE_REFERENCE,
};

/**
 * struct engine_options
 * @retired: called for each command at the cycle at which its completion has reached
 *	the host (@completes) or its last write is done. Commands of a queue retire
 *	in order. It may call engine_drop().
 * @dropped: called for each command that engine_drop() has given up, as soon as
 *	nothing under way refers to it: its memory is the caller's again. Not from
 *	within engine_drop(). May be NULL.
 * @observer: may be NULL
 */
struct engine_options {
	enum engine_mode mode;
	void (*retired)(void *owner, struct engine_command *command);
	void (*dropped)(void *owner, struct engine_command *command);
	void *owner;
	const struct engine_observer *observer;
};

/* What the device did so far. */
struct engine_totals {
	uint64_t cycles;
	uint64_t lane_cycles[SPMM_STALL_COUNT]; /* they sum to lanes × cycles */
	struct memory_counts memory;
	struct link_counts link;
	uint64_t port_bytes; /* between SRAM and clusters */
};

struct engine;

int engine_create(const struct sim_config *config,
		  const struct engine_options *options, struct engine **out);
void engine_destroy(struct engine *engine);

/*
 * When a command is dispatched, those more than so many before it have stored all their
 * results: it need not name them among what it comes after.
 */
uint32_t engine_reach(const struct sim_config *config);

/* How many commands must wait for their dispatch before time may go on. */
#define ENGINE_AHEAD 8

/*
 * The next command in the arbiter's order, which gets its sequence. −ENOMEM, or −EIO if
 * it contradicts itself: it was not taken.
 */
int engine_push(struct engine *engine, struct engine_command *command);

/*
 * Lets time go on while at least ENGINE_AHEAD commands wait to be dispatched, so that
 * what is still to come cannot matter; with @drain, until all have retired. −EIO with
 * a text if an account does not close or nothing can move any more (a dependency on
 * what does not come): both are errors of the simulator.
 */
int engine_run(struct engine *engine, bool drain);

/*
 * Forgets the commands of a queue that have not retired (a reset): none of them retires.
 * What has been dispatched of them ends as if nothing had happened; see @dropped.
 */
void engine_drop(struct engine *engine, uint16_t queue);

/* Time in which nothing happens: a host that waits. */
void engine_idle(struct engine *engine, uint64_t cycles);

/**
 * struct engine_state - what is left of an engine at rest
 * @sequence: of the last command
 * @totals: so far; the cycles are its time
 */
struct engine_state {
	uint64_t sequence;
	struct engine_totals totals;
};

/*
 * Brings an engine whose commands have all retired into a defined state, that of a new
 * one but for struct engine_state: lets time go on until nothing is under way; then
 * banks are closed and were just refreshed, buffers and credits are free. −EBUSY if it
 * is at work; −EIO if a tag or a credit does not return, or other bytes were moved than
 * transfers had; −ENOMEM. After the latter two it can only be destroyed.
 */
int engine_rest(struct engine *engine);

/* Of an engine at rest, and for a new one: the two go on alike. */
void engine_state_get(struct engine *engine, struct engine_state *out);
void engine_state_set(struct engine *engine, const struct engine_state *state);

uint64_t engine_now(const struct engine *engine);
void engine_totals(struct engine *engine, struct engine_totals *out);

#endif
