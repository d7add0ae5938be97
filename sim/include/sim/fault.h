/* SPDX-License-Identifier: MIT */
/* A fault kills its context, and nothing else; the log says which and why. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <sim/state.h>

/* Logs how an entry failed, kills the queue's context and raises vector 0. */
void fault_raise(struct sim_device *device, const struct sim_sq *queue,
		 const struct sim_completion *completion);

/* Moves the oldest records of a context (0: of all) to @out; returns how many. */
uint32_t fault_take(struct sim_device *device, uint16_t context,
		    struct spmm_fault_record *out, uint32_t count);

#endif
