/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sync objects, binary and timeline, that a job waits for and signals.
 */
#ifndef SPMM_SYNC_H
#define SPMM_SYNC_H

#include <linux/types.h>

struct dma_fence;
struct drm_file;
struct spmm_sync_out;

/*
 * References to the fences that @count structs drm_spmm_sync at @user stand for now.
 * Return: 0, -EFAULT, -EINVAL (also for one that has no fence yet), -ENOENT, -ENOMEM.
 */
int spmm_sync_in_get(struct drm_file *file, u64 user, u32 count,
		     struct dma_fence ***fences);
void spmm_sync_in_put(struct dma_fence **fences, u32 count);

/* Look up what is to be signalled, and allocate all that this takes. */
int spmm_sync_out_get(struct drm_file *file, u64 user, u32 count,
		      struct spmm_sync_out **outs);
/* Hand @fence to all of them. Allocates nothing, cannot fail. */
void spmm_sync_out_attach(struct spmm_sync_out *outs, u32 count,
			  struct dma_fence *fence);
void spmm_sync_out_put(struct spmm_sync_out *outs, u32 count);

#endif
