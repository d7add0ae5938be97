/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own context (slot 1, queue 1): clears device memory before a process gets
 * it, and moves it to and from host memory. Its address space maps all device memory.
 * Device memory is zero when a process first sees it, also beyond the window of BAR 2.
 */
#ifndef SPMM_BLIT_H
#define SPMM_BLIT_H

#include <linux/types.h>

struct sg_table;
struct spmm_device;

#define SPMM_BLIT_SLOT 1
#define SPMM_BLIT_QUEUE 1

int spmm_blit_init(struct spmm_device *spmm); /* drmm-managed memory */
/* (Re)create its slot and queue on an enabled device: at probe, after resets and sleep. */
int spmm_blit_start(struct spmm_device *spmm);
/* Fails whoever waits. */
void spmm_blit_stop(struct spmm_device *spmm);

/* All may sleep and have a deadline. Return: 0, -ETIMEDOUT, -EIO, -ENODEV, -EINTR never. */
int spmm_blit_clear(struct spmm_device *spmm, u64 offset, u64 length);
int spmm_blit_save(struct spmm_device *spmm, u64 offset, struct sg_table *to,
		   u64 length);
int spmm_blit_restore(struct spmm_device *spmm, struct sg_table *from,
		      u64 offset, u64 length);

#endif
