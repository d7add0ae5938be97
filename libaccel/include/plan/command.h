/* SPDX-License-Identifier: MIT */
/* The command list of a program: which commands, and each one's queue entry. */
#ifndef PLAN_COMMAND_H
#define PLAN_COMMAND_H

#include "plan/descriptor.h"
#include "plan/program.h"

/* Room for any descriptor. */
#define PLAN_DESCRIPTOR_SLOT 256

int plan_commands_create(struct plan_program *program, uint64_t sram_bytes);

/*
 * Fill a command's descriptor, which the device will find at address, and its
 * entry of the list.
 */
int plan_command_link(const struct plan_program *program,
		      const struct descriptor_context *context,
		      const struct plan_addresses *addresses, uint32_t command,
		      uint64_t address, void *descriptor,
		      struct spmm_sqe *entry);

/* The model's layer that a command other than INPUT and OUTPUT belongs to. */
uint32_t plan_command_layer(const struct plan_program *program,
			    uint32_t command);

#endif
