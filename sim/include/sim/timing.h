/* SPDX-License-Identifier: MIT */
/* From the work of a command to cycles, stall causes and statistics. */
#ifndef SIM_TIMING_H
#define SIM_TIMING_H

#include <sim/execution.h>

/*
 * After the entry was executed: moves the device's time on, writes its
 * statistics and adds to the counters. Fails the execution when it took longer
 * than its deadline, or when the account does not close.
 */
void timing_finish(struct sim_execution *execution);

/* At the end of a LIST: the sums, where its entry wants them. A status. */
int timing_write_list(struct sim_execution *execution);

/* Is a lower bound of its cycles already past the deadline? */
bool timing_hopeless(const struct sim_execution *execution, uint64_t cycles);

#endif
