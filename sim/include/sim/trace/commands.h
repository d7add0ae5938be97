/* SPDX-License-Identifier: MIT */
/*
 * The latest commands, by sequence: what spans have to be shown with, and the flow
 * from a submission over what it announced to the completion that ends it.
 */
#ifndef SIM_TRACE_COMMANDS_H
#define SIM_TRACE_COMMANDS_H

#include <stdbool.h>

#include <sim/engine/command.h>

/**
 * struct trace_command - a command that was pushed
 * @sequence: of it
 * @flow: sequence of the first command that the same doorbell has announced
 * @label: see struct engine_command
 * @queue: it came from
 * @opcode: enum spmm_io_opcode
 * @ends_flow: it has a completion
 * @flow_began: of @flow's own: an arrow leaves from somewhere already
 */
struct trace_command {
	uint64_t sequence;
	uint64_t flow;
	uint32_t label;
	uint16_t queue;
	uint8_t opcode;
	bool ends_flow;
	bool flow_began;
};

struct trace_commands;

/* −ENOMEM */
int trace_commands_create(struct trace_commands **out);
void trace_commands_destroy(struct trace_commands *commands);

void trace_commands_add(struct trace_commands *commands,
			const struct engine_command *command);

/* NULL for one that is not known, or not any more. */
struct trace_command *trace_commands_find(struct trace_commands *commands,
					  uint64_t sequence);

/* "SPMM" and the like. */
const char *trace_opcode_text(uint8_t opcode);

#endif
