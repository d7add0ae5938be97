/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the device looked like before it was reset, for /sys/class/devcoredump.
 *
 * It is taken where fences wait for the reset, into memory that was allocated before, and
 * handed to user space later, by a work item that may wait for memory.
 */
#ifndef SPMM_COREDUMP_H
#define SPMM_COREDUMP_H

struct spmm_device;

int spmm_coredump_init(struct spmm_device *spmm); /* drmm-managed */
/* Begin one: registers, while the device is as it was. Without room, nothing. */
void spmm_coredump_take_registers(struct spmm_device *spmm, const char *why);
/*
 * The rest of it, when the device has stopped, so that nobody waits for it and holds
 * slots.lock: queues, contexts, the last faults.
 */
void spmm_coredump_take_queues(struct spmm_device *spmm);
/* Hand it out, if one was taken. May wait for memory. */
void spmm_coredump_publish(struct spmm_device *spmm);

#endif
