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

/* What a bank wants: positions in its queue by command, or DRAM_NO_POSITION. */
struct dram_wants {
	uint8_t position[DRAM_BANK_COMMANDS];
};

static inline struct dram_wants
dram_wants(uint32_t activate, uint32_t precharge, uint32_t read, uint32_t write)
{
	return (struct dram_wants){ { (uint8_t)activate, (uint8_t)precharge,
				      (uint8_t)read, (uint8_t)write } };
}

/**
 * struct dram_policy_rules - one policy
 * @wants: the requests for which a bank asks for each command
 * @choose: one of those that can go out now; @first is the one that has gone out in
 *	this clock or NULL: at most one of the two may be a column command, and one a
 *	row command. False if none suits
 * @move: requests to the banks' queues; true if the next clock may bring more
 */
struct dram_policy_rules {
	struct dram_wants (*wants)(const struct dram_controller *controller,
				   const struct dram_bank *bank);
	bool (*choose)(struct dram_controller *controller, int16_t now,
		       const enum dram_command *first,
		       struct dram_choice *choice);
	bool (*move)(struct dram_controller *controller);
};

/* As the oracle's notes have it. */
extern const struct dram_policy_rules dram_policy_reference;

/* The device's own. */
extern const struct dram_policy_rules dram_policy_device;

#endif
