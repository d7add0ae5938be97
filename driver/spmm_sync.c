// SPDX-License-Identifier: GPL-2.0-only
/* Sync objects, binary and timeline, that a job waits for and signals. */
#include "spmm_sync.h"

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>
#include <drm/spmm_accel.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/**
 * struct spmm_sync_out - a sync object to signal
 * @object: with a reference
 * @chain: for a point of a timeline: its link, until it is attached; else NULL
 * @point: of the timeline
 */
struct spmm_sync_out {
	struct drm_syncobj *object;
	struct dma_fence_chain *chain;
	u64 point;
};

static bool sync_valid(const struct drm_spmm_sync *sync)
{
	if (sync->flags & ~DRM_SPMM_SYNC_TIMELINE)
		return false;
	/* Point 0 of a timeline is before its first: nothing can be meant by it. */
	return !!(sync->flags & DRM_SPMM_SYNC_TIMELINE) == !!sync->point;
}

static struct drm_spmm_sync *copy_syncs(u64 user, u32 count)
{
	struct drm_spmm_sync *syncs;
	u32 i;

	syncs = memdup_array_user(u64_to_user_ptr(user), count, sizeof(*syncs));
	if (IS_ERR(syncs))
		return syncs;
	for (i = 0; i < count; i++) {
		if (!sync_valid(&syncs[i])) {
			kfree(syncs);
			return ERR_PTR(-EINVAL);
		}
	}
	return syncs;
}

void spmm_sync_in_put(struct dma_fence **fences, u32 count)
{
	u32 i;

	for (i = 0; fences && i < count; i++)
		dma_fence_put(fences[i]);
	kfree(fences);
}

static int find_fences(struct drm_file *file, const struct drm_spmm_sync *syncs,
		       u32 count, struct dma_fence **fences)
{
	int ret;
	u32 i;

	for (i = 0; i < count; i++) {
		ret = drm_syncobj_find_fence(file, syncs[i].handle,
					     syncs[i].point, 0, &fences[i]);
		if (ret) {
			/* Whatever it is, we have no reference to it. */
			fences[i] = NULL;
			return ret;
		}
	}
	return 0;
}

int spmm_sync_in_get(struct drm_file *file, u64 user, u32 count,
		     struct dma_fence ***fences)
{
	struct drm_spmm_sync *syncs;
	int ret;

	*fences = NULL;
	if (!count)
		return 0;
	syncs = copy_syncs(user, count);
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);
	*fences = kcalloc(count, sizeof(**fences), GFP_KERNEL_ACCOUNT);
	ret = *fences ? find_fences(file, syncs, count, *fences) : -ENOMEM;
	if (ret) {
		spmm_sync_in_put(*fences, count);
		*fences = NULL;
	}
	kfree(syncs);
	return ret;
}

void spmm_sync_out_put(struct spmm_sync_out *outs, u32 count)
{
	u32 i;

	for (i = 0; outs && i < count; i++) {
		if (outs[i].object)
			drm_syncobj_put(outs[i].object);
		dma_fence_chain_free(outs[i].chain);
	}
	kfree(outs);
}

static int find_out(struct drm_file *file, const struct drm_spmm_sync *sync,
		    struct spmm_sync_out *out)
{
	out->object = drm_syncobj_find(file, sync->handle);
	if (!out->object)
		return -ENOENT;
	if (!(sync->flags & DRM_SPMM_SYNC_TIMELINE))
		return 0;
	out->point = sync->point;
	out->chain = dma_fence_chain_alloc();
	return out->chain ? 0 : -ENOMEM;
}

int spmm_sync_out_get(struct drm_file *file, u64 user, u32 count,
		      struct spmm_sync_out **outs)
{
	struct drm_spmm_sync *syncs;
	int ret = 0;
	u32 i;

	*outs = NULL;
	if (!count)
		return 0;
	syncs = copy_syncs(user, count);
	if (IS_ERR(syncs))
		return PTR_ERR(syncs);
	*outs = kcalloc(count, sizeof(**outs), GFP_KERNEL_ACCOUNT);
	if (!*outs)
		ret = -ENOMEM;
	for (i = 0; !ret && i < count; i++)
		ret = find_out(file, &syncs[i], &(*outs)[i]);
	if (ret) {
		spmm_sync_out_put(*outs, count);
		*outs = NULL;
	}
	kfree(syncs);
	return ret;
}

void spmm_sync_out_attach(struct spmm_sync_out *outs, u32 count,
			  struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (!outs[i].chain) {
			drm_syncobj_replace_fence(outs[i].object, fence);
			continue;
		}
		drm_syncobj_add_point(outs[i].object, outs[i].chain, fence,
				      outs[i].point);
		/* The sync object's from now on. */
		outs[i].chain = NULL;
	}
}
