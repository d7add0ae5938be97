/* SPDX-License-Identifier: MIT */
/*
 * The accounts that must close when a command ends, and the roofs that nothing beats. A
 * finding is an error of the simulator.
 */
#ifndef SIM_ENGINE_AUDIT_H
#define SIM_ENGINE_AUDIT_H

#include <sim/config.h>
#include <sim/engine/dispatch.h>

/*
 * Of a command that has ended: all transfers are complete, its issue and bank slots
 * are those of its passes, and it took at least as long as the multipliers and the
 * memory need. −EIO with a text.
 */
int audit_command(const struct sim_config *config,
		  const struct dispatch_entry *entry);

/* Of all that was moved by cycle @now. −EIO with a text. */
int audit_memory(const struct sim_config *config,
		 const struct memory_counts *counts, uint64_t now);

#endif
