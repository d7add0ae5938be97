/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resets of the whole device, and its end.
 *
 * What is smaller (a context, a queue) is spmm_recovery.c's. Steps here: disable and enable
 * (device memory stays, all work of all contexts is lost: its jobs are victims), then RESET
 * (memory lost: contexts with objects in it are told, DRM_SPMM_CONTEXT_RESTART), then
 * gone. Each end is told by the event of wedged devices; a devcoredump comes before the first.
 */
#ifndef SPMM_RESET_H
#define SPMM_RESET_H

struct spmm_device;

int spmm_reset_init(struct spmm_device *spmm); /* drmm-managed */
/* The driver lets go of the device: no more resets, no more work, no more DMA. */
void spmm_reset_fini(struct spmm_device *spmm);
/* Ask for a reset from any context; many requests are one. */
void spmm_reset_schedule(struct spmm_device *spmm, const char *why);
/* Until what was asked for is done. May sleep; no lock of spmm_device.h is held. */
void spmm_reset_wait(struct spmm_device *spmm);
/* For FLR and AER: quiesce before somebody else resets the function, restore after. */
void spmm_reset_prepare(struct spmm_device *spmm);
int spmm_reset_done(struct spmm_device *spmm);
/* For sleep: between these there are no resets; calls nest. */
void spmm_reset_block(struct spmm_device *spmm);
void spmm_reset_unblock(struct spmm_device *spmm);
/* The device does not come back: every fence fails with -ENODEV. Any context. */
void spmm_device_mark_gone(struct spmm_device *spmm);

/*
 * Bring a device up whose STATUS is 0, as after spmm_hw_reset() and spmm_device_stop():
 * the admin queue and the module's own context work then. Not for those who want a reset.
 */
int spmm_device_start(struct spmm_device *spmm);
int spmm_device_stop(struct spmm_device *spmm);
/* With spmm_hw_reset(), and bus mastering: after a loss of power or somebody's reset. */
int spmm_device_restart(struct spmm_device *spmm);

#endif
