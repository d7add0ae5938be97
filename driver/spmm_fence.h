/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fence that the device's completion of a job signals, parent of the scheduler's.
 */
#ifndef SPMM_FENCE_H
#define SPMM_FENCE_H

#include <linux/types.h>

struct dma_fence;

/* Memory for one, not yet a fence: nothing may be allocated when a job runs. */
struct dma_fence *spmm_fence_alloc(void);
void spmm_fence_init(struct dma_fence *fence, u64 context, u64 seqno);
/* Drop a reference, or free what never was initialised. NULL is allowed. */
void spmm_fence_put(struct dma_fence *fence);
/* The first error of a fence that has been signalled, or of those that it is made of. */
int spmm_fence_error(struct dma_fence *fence);

#endif
