/* SPDX-License-Identifier: GPL-2.0-only */
/* Performance counters of the device: of a slot, or of all. */
#ifndef SPMM_COUNTERS_H
#define SPMM_COUNTERS_H

#include <linux/types.h>
#include <spmm/registers.h>

struct spmm_device;

/* Slot 0 has the sums over all. */
#define SPMM_COUNTERS_ALL 0

int spmm_counters_init(struct spmm_device *spmm); /* drmm-managed */

/*
 * Add the SPMM_COUNTER_COUNT counters of a slot to @sums; nothing on a device that
 * is gone. The device is held awake. Any context.
 */
void spmm_counters_add(struct spmm_device *spmm, u32 slot, u64 *sums);
u64 spmm_counters_read(struct spmm_device *spmm, u32 slot,
		       enum spmm_counter counter);

#endif
