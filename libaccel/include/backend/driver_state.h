/* SPDX-License-Identifier: MIT */
/*
 * Recurrent states of a plan. At the model's edge they are float32 arrays; the
 * device keeps an int8 hidden state and a float32 cell: c of an LSTM, the h that
 * was not rounded of a GRU.
 */
#ifndef BACKEND_DRIVER_STATE_H
#define BACKEND_DRIVER_STATE_H

#include "backend/driver_plan.h"

/* The device takes and gives states only at the model's edge. */
int driver_state_check(const struct model *model);

/* From the input ports to what the device will copy in. */
void driver_state_write(struct driver_plan *plan);

/* One state tensor of the last run as float32. */
void driver_state_read(const struct driver_plan *plan, uint32_t tensor,
		       float *values);

#endif
