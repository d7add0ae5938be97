/* SPDX-License-Identifier: MIT */
/* Enable, disable and reset: asked for by the host, done by the device's thread. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <sim/state.h>

/* By the host's threads, with the lock held. */
void control_set(struct sim_device *device, uint32_t value);
void control_reset(struct sim_device *device);
void control_kick(struct sim_device *device);

/* By the device's thread: does what was asked. False: the device is to end. */
bool control_serve(struct sim_device *device);

#endif
