/* SPDX-License-Identifier: MIT */
/* What becomes known when a command has had its time. */
#ifndef SIM_RETIRE_H
#define SIM_RETIRE_H

#include <sim/state.h>

struct engine_command;

/* The engine's callback: statistics, counters, deadline, completion. */
void retire_command(void *device, struct engine_command *command);

/* What the queue's entry has been summed up to, the device will not tell. */
void retire_abandon(struct sim_sq *queue);

#endif
