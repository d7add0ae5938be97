/* SPDX-License-Identifier: MIT */
/* ELTWISE: add, multiply, table, pools. */
#ifndef SIM_ELTWISE_H
#define SIM_ELTWISE_H

#include <sim/execution.h>

void eltwise_execute(struct sim_execution *execution);

#endif
