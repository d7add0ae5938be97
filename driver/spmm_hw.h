/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers: the only room that touches BAR 0.
 *
 * A read of all ones from a register that cannot hold them means that the device is gone;
 * spmm_hw_* then reports -ENODEV and marks the device, which is left alone from then on:
 * reads give all ones, writes are lost.
 */
#ifndef SPMM_HW_H
#define SPMM_HW_H

#include <linux/types.h>

struct spmm_device;

u32 spmm_hw_read32(struct spmm_device *spmm, u32 offset);
u64 spmm_hw_read64(struct spmm_device *spmm, u32 offset);
/* All ones mark nothing: for those who hold raw spinlocks. */
u64 spmm_hw_peek64(struct spmm_device *spmm, u32 offset);
void spmm_hw_write32(struct spmm_device *spmm, u32 offset, u32 value);
void spmm_hw_write64(struct spmm_device *spmm, u32 offset, u64 value);

/**
 * spmm_hw_poll32() - wait until (register & mask) == value
 * @spmm: device
 * @offset: register
 * @mask: bits to look at
 * @value: what they are to be
 * @timeout_ms: give up after; the last read is made after it is over
 *
 * The one way to poll: tracepoint spmm_poll and the fault attribute fail_poll (debugfs)
 * sit here.
 *
 * Context: may sleep.
 * Return: 0; -ETIMEDOUT; -ENODEV if the device is gone.
 */
int spmm_hw_poll32(struct spmm_device *spmm, u32 offset, u32 mask, u32 value,
		   u32 timeout_ms);

void spmm_hw_debugfs_init(struct spmm_device *spmm);

/* Ring a doorbell. Entries written before are visible to the device first. */
void spmm_hw_ring_sq(struct spmm_device *spmm, u32 queue, u32 tail);
void spmm_hw_ring_cq(struct spmm_device *spmm, u32 queue, u32 head);

/* Changes while work of the queue moves; all ones when gone. */
u64 spmm_hw_progress(struct spmm_device *spmm, u32 queue);

/* Whether it has stopped all work until a reset; also true when gone. */
bool spmm_hw_is_fatal(struct spmm_device *spmm);

int spmm_hw_read_capabilities(struct spmm_device *spmm);
int spmm_hw_enable(struct spmm_device *spmm);
int spmm_hw_disable(struct spmm_device *spmm); /* device memory stays */
int spmm_hw_reset(struct spmm_device *spmm); /* device memory is cleared */

#endif
