/* SPDX-License-Identifier: MIT */
/* The inputs and outputs of a plan and their staging. */
#ifndef RUNTIME_PLAN_PORT_H
#define RUNTIME_PLAN_PORT_H

#include "runtime/object.h"

int plan_ports_create(struct accel_plan *plan);

/* All inputs to zero. */
void plan_inputs_clear(struct accel_plan *plan);

#endif
