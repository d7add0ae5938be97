/* SPDX-License-Identifier: MIT */
/* The admin queue. */
#ifndef SIM_ADMIN_H
#define SIM_ADMIN_H

#include <sim/state.h>

/*
 * Executes what the admin queue holds. At a tile boundary of a running command,
 * an admin command that needs it to end asks it to, and is left for later.
 * Returns whether anything was done.
 */
bool admin_serve(struct sim_device *device);

#endif
