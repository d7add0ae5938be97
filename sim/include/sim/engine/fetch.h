/* SPDX-License-Identifier: MIT */
/*
 * The front and the end of the command processor: entries and descriptors on their way
 * to the window, and completions on their way to the host.
 */
#ifndef SIM_ENGINE_FETCH_H
#define SIM_ENGINE_FETCH_H

#include <sim/engine/command.h>

struct engine_fetcher;

int engine_fetcher_create(const struct sim_config *config,
			  struct engine_memory *memory,
			  struct engine_link *link,
			  const struct engine_observer *observer,
			  struct engine_fetcher **out);
void engine_fetcher_destroy(struct engine_fetcher *fetcher);

/*
 * The next command in the arbiter's order. A doorbell rings when all that its queue
 * had announced before has retired. Entries of a block and their descriptors are read
 * ahead, up to command_prefetch commands beyond the one at the front. −ENOMEM.
 */
int fetch_push(struct engine_fetcher *fetcher, struct engine_command *command,
	       uint64_t now);

/* A command that was taken has retired; of all of them the engine says so. */
void fetch_retired(struct engine_fetcher *fetcher,
		   const struct engine_command *command, uint64_t now);

/* How many have been pushed and not taken. */
uint32_t fetch_waiting(const struct engine_fetcher *fetcher);

/* The one at the front, fetched and checked, or NULL. */
struct engine_command *fetch_ready(const struct engine_fetcher *fetcher);

/* The one at the front, or NULL; none as long as its doorbell has not rung. */
struct engine_command *fetch_front(const struct engine_fetcher *fetcher);

/* Takes the one at the front, which is ready. */
void fetch_take(struct engine_fetcher *fetcher);

/*
 * Forgets what a queue has not had dispatched, and its completions; reads and writes
 * under way go to nobody. What it had dispatched counts as retired.
 */
void fetch_drop(struct engine_fetcher *fetcher, uint16_t queue);

/* Completion entry and interrupt of a command whose last write is done. −ENOMEM. */
int completion_post(struct engine_fetcher *fetcher,
		    struct engine_command *command, uint64_t now);

/* A command whose completion the host has seen, in order of posting, or NULL. */
struct engine_command *completion_take(struct engine_fetcher *fetcher,
				       uint64_t now);

bool fetch_step(struct engine_fetcher *fetcher, uint64_t now);
uint64_t fetch_next(const struct engine_fetcher *fetcher, uint64_t now);

#endif
