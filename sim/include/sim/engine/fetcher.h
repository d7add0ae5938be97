/* SPDX-License-Identifier: MIT */
/*
 * The parts of the fetcher, for fetch.c and completion.c: commands on their way in,
 * and completions on their way out.
 */
#ifndef SIM_ENGINE_FETCHER_H
#define SIM_ENGINE_FETCHER_H

#include <sim/engine/fetch.h>
#include <spmm/registers.h>

struct fetch_item;
struct completion;

/**
 * struct fetch_queue - what is known of a submission queue
 * @pushed: commands
 * @retired: of these
 * @silent: doorbells that have not rung
 * @blocks: of entries, pushed
 * @blocks_come: of these
 */
struct fetch_queue {
	uint64_t pushed;
	uint64_t retired;
	uint32_t silent;
	uint64_t blocks;
	uint64_t blocks_come;
};

/**
 * struct engine_fetcher
 * @first: the command at the front; then in the arbiter's order
 * @dropped: reads under way that go to nobody
 * @waiting: commands from @first on
 * @check_end: of the one that is being checked, or ENGINE_NEVER
 * @completion_first: in order of posting
 */
struct engine_fetcher {
	uint32_t prefetch;
	uint32_t command_cycles;
	struct engine_memory *memory;
	struct engine_link *link;
	const struct engine_observer *observer;
	struct fetch_queue queues[SPMM_IO_QUEUES_MAX + 1];
	struct fetch_item *first;
	struct fetch_item *last;
	struct fetch_item *dropped;
	uint32_t waiting;
	uint64_t check_end;
	struct completion *completion_first;
	struct completion *completion_last;
};

/* Completions of a queue are not reported; those under way go on. */
void completion_drop(struct engine_fetcher *fetcher, uint16_t queue);

/* Frees them all. */
void completion_clear(struct engine_fetcher *fetcher);

#endif
