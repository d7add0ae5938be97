/* SPDX-License-Identifier: MIT */
/* Devices that no URI names. */
#ifndef RUNTIME_DEVICE_H
#define RUNTIME_DEVICE_H

struct accel_device;
struct sim_config;

/*
 * A simulated device of its own configuration, which is copied; it calls itself
 * "sim:". As accel_device_open().
 */
int device_open_sim(const struct sim_config *config,
		    struct accel_device **device);

#endif
