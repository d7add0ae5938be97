/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own context (slot 1, queue 1): clears device memory before a process gets
 * it, and moves it to and from host memory. Its address space maps all device memory.
 * Device memory is zero when a process first sees it, also beyond the window of BAR 2.
 */
#ifndef SPMM_BLIT_H
#define SPMM_BLIT_H

#include <linux/types.h>

struct spmm_bo;
struct spmm_device;
struct spmm_ring;

#define SPMM_BLIT_SLOT 1
#define SPMM_BLIT_QUEUE 1

int spmm_blit_init(struct spmm_device *spmm); /* managed, called by probe */
/* (Re)create its slot and queue on an enabled device: at probe, after resets and sleep. */
int spmm_blit_start(struct spmm_device *spmm);
/* The device forgets them. Whoever waits goes on after the next spmm_blit_start(). */
void spmm_blit_stop(struct spmm_device *spmm);
/* To look at, for a dump. */
const struct spmm_ring *spmm_blit_ring(const struct spmm_device *spmm);

/*
 * Between device memory from @offset on and the pages of an object from its start, which
 * are mapped for DMA (spmm_bo_map_pages()) and whose reservation lock is held.
 *
 * All may sleep and have a deadline; a reset meanwhile is waited for. Return: 0,
 * -ETIMEDOUT, -EIO, -ENODEV, -ENOMEM.
 */
int spmm_blit_clear(struct spmm_device *spmm, u64 offset, u64 length);
int spmm_blit_save(struct spmm_device *spmm, u64 offset, struct spmm_bo *to,
		   u64 length);
int spmm_blit_restore(struct spmm_device *spmm, struct spmm_bo *from,
		      u64 offset, u64 length);

#endif
