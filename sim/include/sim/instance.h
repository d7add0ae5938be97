/* SPDX-License-Identifier: MIT */
/* A device before its thread runs, and after. */
#ifndef SIM_INSTANCE_H
#define SIM_INSTANCE_H

#include <sim/state.h>

/* A device in its power-on state, without its thread. */
int device_allocate(const struct sim_config *config,
		    const struct sim_host *host,
		    const struct sim_options *options, struct sim_device **out);

/* From here on the thread owns what is its own. */
int device_start(struct sim_device *device);

/* Without its thread. */
void device_free(struct sim_device *device);

#endif
