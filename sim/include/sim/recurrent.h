/* SPDX-License-Identifier: MIT */
/* RECURRENT: an LSTM or GRU layer over its time steps. */
#ifndef SIM_RECURRENT_H
#define SIM_RECURRENT_H

#include <sim/execution.h>

void recurrent_execute(struct sim_execution *execution);

#endif
