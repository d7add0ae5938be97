/* SPDX-License-Identifier: MIT */
/*
 * Commands between their execution and their retirement: pushed to the engine, which
 * gives them their time.
 */
#ifndef SIM_FLIGHT_H
#define SIM_FLIGHT_H

#include <sim/execution.h>
#include <sim/lower.h>

/**
 * struct sim_flight - one command of the engine
 * @lowering: has it
 * @queue: it came from
 * @context: of the queue
 * @entry: that was lowered to it, for a LIST one of its entries
 * @ticket: of the queue's entry
 * @id: likewise
 * @list_index: of @entry
 * @in_list: the queue's entry is a LIST
 * @ends_entry: the last one that @entry was lowered to; @work is set
 * @completes: the last one of the queue's entry
 * @deadline: of the queue's entry, in cycles
 * @list_stats: address of its statistics if it is a LIST, or 0
 */
struct sim_flight {
	struct lowering *lowering;
	uint16_t queue;
	uint16_t context;
	struct spmm_sqe entry;
	uint64_t ticket;
	uint16_t id;
	uint32_t list_index;
	bool in_list;
	bool ends_entry;
	bool completes;
	uint64_t deadline;
	uint64_t list_stats;
	struct sim_work work;
	struct sim_flight *previous, *next;
};

/*
 * Pushes what an entry was lowered to, and lets time go on as far as it may.
 * @completes: it is the queue's, or the last one of a LIST. Fails the execution.
 */
void flights_launch(struct sim_execution *execution, bool completes);

/* The entry of the queue that is a LIST, before its first entry is executed. */
void flight_launch_list(struct sim_execution *execution);

/* Lets time go on until all have retired; false: there were none. */
bool flights_retire(struct sim_device *device);

/* Nobody is told of them any more; they end in the engine. */
void flights_drop(struct sim_device *device);

/* The controller's state is fatal: nothing is executed before a reset. */
void flights_fail(struct sim_device *device);

/* Frees them and the engine. */
void flights_forget(struct sim_device *device);

/*
 * Lets all retire, brings the engine to rest and forgets what commands to come would
 * have waited for: a device that goes on from a checkpoint knows of none.
 */
void flights_settle(struct sim_device *device);

/* A new engine, at cycle 0. device->engine is NULL if there is no memory. */
int flights_restart(struct sim_device *device);

/* Time that passes while queues only wait. */
void flights_wait(struct sim_device *device, uint64_t cycles);

void flight_free(struct sim_device *device, struct sim_flight *flight);

#endif
