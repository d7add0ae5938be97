/* SPDX-License-Identifier: MIT */
/* Words in memory by which queues wait for each other, and for time. */
#ifndef SIM_SEMAPHORE_H
#define SIM_SEMAPHORE_H

#include <sim/execution.h>

/* Sets execution->waits, or what the queue's next commands have to follow. */
void semaphore_wait(struct sim_execution *execution);
void semaphore_signal(struct sim_execution *execution);
void timestamp_store(struct sim_execution *execution);

/* The signal that was just executed has been given its sequence. */
void semaphore_signalled(struct sim_device *device, uint16_t context,
			 uint64_t address, uint64_t sequence);

#endif
