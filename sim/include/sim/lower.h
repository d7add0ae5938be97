/* SPDX-License-Identifier: MIT */
/*
 * Lowering: from a command that is executed to what the engine times. A builder collects
 * what traffic.c finds to move, until it is made the weights' or a tile's.
 */
#ifndef SIM_LOWER_H
#define SIM_LOWER_H

#include <sim/execution.h>
#include <sim/hazard.h>

struct range_list {
	struct memory_range *ranges;
	uint32_t count;
	uint32_t capacity;
};

/**
 * struct lowering - a command that is being lowered
 * @command: its engine command; ranges are set when it is complete
 * @record: its operands
 * @memory: all ranges of the command
 * @link: likewise
 * @reads: found since the last tile, likewise the following
 */
struct lowering {
	struct engine_command command;
	struct hazard_record record;
	struct range_list memory;
	struct range_list link;
	struct range_list reads;
	struct range_list writes;
	struct range_list host_reads;
	struct range_list host_writes;
	uint32_t tile_capacity;
	uint32_t pass_capacity;
	struct lowering *next;
};

/* The command that the entry is lowered to; more may follow. Fails the execution. */
struct lowering *lower_begin(struct sim_execution *execution,
			     enum engine_unit unit);

/* The one in work. */
struct lowering *lower_current(const struct sim_execution *execution);

/* What was found so far is read for the weights. */
void lower_weights(struct sim_execution *execution);

/* Index of a new pass. */
uint32_t lower_pass(struct sim_execution *execution,
		    const struct engine_pass *pass);

/* Takes what was found since the last one; *tile has the rest but for its ranges. */
void lower_tile(struct sim_execution *execution,
		const struct engine_tile *tile);

/* An operand's rows under the tile that comes next: see hazard_touch(). */
void lower_touch(struct sim_execution *execution, uint32_t operand,
		 struct hazard_rows rows, struct engine_tile *tile);

/* Parameters are read before any tile: what writes them must have ended. */
void lower_parameters(struct sim_execution *execution, uint64_t address,
		      uint64_t length);

/* One piece of DRAM or of the bus; @walks as in struct memory_range. */
void range_list_add(struct sim_execution *execution, struct range_list *list,
		    uint64_t address, uint32_t length, uint32_t walks);

/* The execution failed: nothing becomes of it. */
void lower_drop(struct sim_execution *execution);
void lowering_free(struct lowering *lowering);

#endif
