/* SPDX-License-Identifier: MIT */
/* How long a command may take, in device cycles. */
#ifndef SIM_DEADLINE_H
#define SIM_DEADLINE_H

#include <sim/execution.h>

/* The entry's, or the hard limit if that is less. */
uint64_t deadline_cycles(const struct sim_device *device,
			 const struct spmm_sqe *entry);

/* Is a lower bound of its cycles already too much? */
bool deadline_hopeless(const struct sim_execution *execution, uint64_t cycles);

/* One that waits: has it waited for too long? */
bool deadline_passed(const struct sim_execution *execution);

#endif
