/* SPDX-License-Identifier: MIT */
/* The device's fault log. */
#ifndef DRIVER_FAULT_H
#define DRIVER_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include <spmm/queue.h>

#include "driver/device.h"

/*
 * Take a context's records off the log; the record of the given command is put
 * into *record, false if there is none. Takes a lock and allocates.
 */
bool fault_find(struct driver_device *device, uint16_t context, uint16_t id,
		struct spmm_fault_record *record);

#endif
