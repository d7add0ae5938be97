/* SPDX-License-Identifier: MIT */
/* sim_device_restore() from a stream, which has to end with the checkpoint. */
#ifndef SIM_CHECKPOINT_READ_H
#define SIM_CHECKPOINT_READ_H

#include <stdio.h>

#include <sim/device.h>

int checkpoint_read(FILE *in, const struct sim_config *config,
		    const struct sim_host *host,
		    const struct sim_options *options, struct sim_device **out);

#endif
