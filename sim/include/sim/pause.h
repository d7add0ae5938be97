/* SPDX-License-Identifier: MIT */
/* Pauses of the device's thread between two entries: sim/checkpoint.h. */
#ifndef SIM_PAUSE_H
#define SIM_PAUSE_H

#include <sim/state.h>

/* Asks for a pause without waiting for it; also for the host's callbacks. */
void pause_ask(struct sim_device *device);

/*
 * By the device's thread: while the device is paused, sleeps until there is a kick
 * after those @seen. False: it is not paused.
 */
bool pause_serve(struct sim_device *device, uint64_t seen);

/*
 * Keeps a paused device's thread asleep, whatever the host asks for: its state is the
 * caller's until pause_release(). −EBUSY if the device is not paused.
 */
int pause_hold(struct sim_device *device);
void pause_release(struct sim_device *device);

#endif
