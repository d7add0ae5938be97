/* SPDX-License-Identifier: MIT */
/* The capability by which a client arms faults (spmm/error_injection.h). */
#ifndef SIM_SERVER_ERROR_INJECTION_H
#define SIM_SERVER_ERROR_INJECTION_H

#include <stdint.h>

struct config_space;
struct sim_device;

/* Adds it to a configuration space as after power-on, if the device has a script. */
void error_injection_add(struct config_space *space, struct sim_device *device);

/* Before a read: what is asked for is as the device has it now. */
void error_injection_refresh(struct config_space *space,
			     struct sim_device *device);

/* After a write of @length bytes at @offset. */
void error_injection_written(struct config_space *space,
			     struct sim_device *device, uint32_t offset,
			     uint32_t length);

#endif
