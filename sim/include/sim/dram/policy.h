/* SPDX-License-Identifier: MIT */
/* What a controller decides, as opposed to what a standard lays down. */
#ifndef SIM_DRAM_POLICY_H
#define SIM_DRAM_POLICY_H

#include "sim/dram/controller_state.h"

struct dram_choice {
	enum dram_command command;
	uint32_t bank;
	uint32_t position; /* of the entry in the bank's queue */
};

static inline bool dram_command_is_column(enum dram_command command)
{
	return command == DRAM_READ || command == DRAM_WRITE;
}

/**
 * struct dram_policy_rules - one policy
 * @wants: the commands that a bank asks for, and for which of its requests
 * @choose: one of those that can go out now; @first is the one that has gone out in
 *	this clock or NULL: at most one of the two may be a column command, and one a
 *	row command. False if none suits
 * @move: requests to the banks' queues; true if the next clock may bring more
 */
struct dram_policy_rules {
	void (*wants)(const struct dram_controller *controller,
		      const struct dram_bank *bank,
		      union dram_positions *position);
	bool (*choose)(struct dram_controller *controller, int32_t now,
		       const enum dram_command *first,
		       struct dram_choice *choice);
	bool (*move)(struct dram_controller *controller);
};

/* As the oracle's notes have it. */
extern const struct dram_policy_rules dram_policy_reference;

/* The device's own. */
extern const struct dram_policy_rules dram_policy_device;

#endif
