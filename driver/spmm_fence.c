// SPDX-License-Identifier: GPL-2.0-only
/* The fence that the device's completion of a job signals. */
#include "spmm_fence.h"

#include <linux/dma-fence.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/**
 * struct spmm_fence - a fence that outlives queue, file and device
 * @base: first: dma_fence_free() frees it
 * @lock: of @base; its own, so that nothing else has to live as long
 * @is_initialised: others may hold references
 */
struct spmm_fence {
	struct dma_fence base;
	spinlock_t lock; /* taken inside of queue.lock */
	bool is_initialised;
};

static struct spmm_fence *to_spmm_fence(struct dma_fence *fence)
{
	return container_of(fence, struct spmm_fence, base);
}

static const char *fence_driver_name(struct dma_fence *fence)
{
	return KBUILD_MODNAME;
}

static const char *fence_timeline_name(struct dma_fence *fence)
{
	return "spmm-queue";
}

/* A fence keeps the module loaded: its operations are in here. */
static void fence_release(struct dma_fence *fence)
{
	dma_fence_free(fence);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_driver_name,
	.get_timeline_name = fence_timeline_name,
	.release = fence_release,
};

struct dma_fence *spmm_fence_alloc(void)
{
	struct spmm_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);

	return fence ? &fence->base : NULL;
}

void spmm_fence_init(struct dma_fence *fence, u64 context, u64 seqno)
{
	struct spmm_fence *own = to_spmm_fence(fence);

	__module_get(THIS_MODULE);
	spin_lock_init(&own->lock);
	dma_fence_init(fence, &fence_ops, &own->lock, context, seqno);
	own->is_initialised = true;
}

void spmm_fence_put(struct dma_fence *fence)
{
	if (!fence)
		return;
	if (to_spmm_fence(fence)->is_initialised)
		dma_fence_put(fence);
	else
		kfree(to_spmm_fence(fence));
}

int spmm_fence_error(struct dma_fence *fence)
{
	struct dma_fence_unwrap iterator;
	struct dma_fence *part;
	int error = 0;

	dma_fence_unwrap_for_each(part, &iterator, fence)
	{
		int status = dma_fence_get_status(part);

		if (status < 0 && !error)
			error = status;
	}
	return error;
}
