/* SPDX-License-Identifier: MIT */
/* The energy of a layer or a run, from what it cost: an estimate. */
#ifndef TOOL_CONSUMPTION_H
#define TOOL_CONSUMPTION_H

#include <accel/device.h>
#include <accel/plan.h>
#include <plan/energy.h>

/* All zero on devices that count no cycles: the figures are not theirs. */
struct energy consumption_estimate(const struct accel_device_info *device,
				   const struct energy_table *table,
				   const struct accel_layer_info *cost);

#endif
