/* SPDX-License-Identifier: GPL-2.0-only */
/* What the device looked like before it was reset, for /sys/class/devcoredump. */
#ifndef SPMM_COREDUMP_H
#define SPMM_COREDUMP_H

struct spmm_device;

/*
 * Read registers and hand them to user space as text. Does not wait for memory: fences
 * may wait for the caller.
 */
void spmm_coredump_take(struct spmm_device *spmm, const char *why);

#endif
