// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_bo.h"

#include "spmm_bo_mmap.h"
#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_prime.h"
#include "spmm_validate.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>
#include <drm/spmm_accel.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

bool spmm_bo_is_device(const struct drm_gem_object *object)
{
	return to_spmm_bo(object)->flags & DRM_SPMM_BO_DEVICE;
}

int spmm_bo_get_pages(struct spmm_bo *bo)
{
	struct page **pages;

	dma_resv_assert_held(bo->base.resv);
	if (bo->pages)
		return 0;
	pages = drm_gem_get_pages(&bo->base);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	bo->pages = pages;
	return 0;
}

/* Only while the device is there: what is mapped later nobody would unmap in time. */
static int spmm_bo_map_table(struct spmm_bo *bo, struct sg_table *table)
{
	struct drm_device *drm = bo->base.dev;
	int ret, index;

	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	ret = dma_map_sgtable(drm->dev, table, DMA_BIDIRECTIONAL, 0);
	if (!ret)
		bo->table = table;
	drm_dev_exit(index);
	return ret;
}

int spmm_bo_map_pages(struct spmm_bo *bo)
{
	struct sg_table *table;
	int ret;

	ret = spmm_bo_get_pages(bo);
	if (ret || bo->table)
		return ret;
	table = drm_prime_pages_to_sg(bo->base.dev, bo->pages,
				      bo->base.size >> PAGE_SHIFT);
	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = spmm_bo_map_table(bo, table);
	if (ret) {
		sg_free_table(table);
		kfree(table);
	}
	return ret;
}

static void spmm_bo_unmap_pages(struct spmm_bo *bo)
{
	struct sg_table *table = bo->table;

	dma_resv_assert_held(bo->base.resv);
	if (!table)
		return;
	bo->table = NULL;
	dma_unmap_sgtable(bo->base.dev->dev, table, DMA_BIDIRECTIONAL, 0);
	sg_free_table(table);
	kfree(table);
}

void spmm_bo_end_dma(struct spmm_bo *bo)
{
	if (bo->imported) {
		spmm_prime_detach(bo);
		return;
	}
	dma_resv_lock(bo->base.resv, NULL);
	spmm_bo_unmap_pages(bo);
	dma_resv_unlock(bo->base.resv);
}

void spmm_bo_drop_pages(struct spmm_bo *bo)
{
	struct inode *inode = file_inode(bo->base.filp);

	dma_resv_assert_held(bo->base.resv);
	if (!bo->pages || READ_ONCE(bo->kept))
		return;
	spmm_bo_unmap_pages(bo);
	drm_gem_put_pages(&bo->base, bo->pages, false, false);
	bo->pages = NULL;
	/* The pages are still the file's. */
	shmem_truncate_range(inode, 0, (loff_t)-1);
}

int spmm_bo_pin_locked(struct spmm_bo *bo)
{
	int ret = 0;

	dma_resv_assert_held(bo->base.resv);
	if (bo->imported)
		ret = spmm_prime_map(bo);
	else if (!drm_mm_node_allocated(&bo->block))
		ret = spmm_bo_map_pages(bo);
	if (!ret)
		bo->pins++;
	return ret;
}

void spmm_bo_unpin_locked(struct spmm_bo *bo)
{
	dma_resv_assert_held(bo->base.resv);
	bo->pins--;
}

int spmm_bo_pin(struct drm_gem_object *object)
{
	int ret;

	ret = dma_resv_lock_interruptible(object->resv, NULL);
	if (ret)
		return ret;
	ret = spmm_bo_pin_locked(to_spmm_bo(object));
	dma_resv_unlock(object->resv);
	return ret;
}

void spmm_bo_unpin(struct drm_gem_object *object)
{
	dma_resv_lock(object->resv, NULL);
	spmm_bo_unpin_locked(to_spmm_bo(object));
	dma_resv_unlock(object->resv);
}

void spmm_bo_keep(struct drm_gem_object *object, int resets)
{
	struct spmm_device *spmm = to_spmm(object->dev);
	struct spmm_memory *memory = spmm->memory;
	struct spmm_bo *bo = to_spmm_bo(object);

	mutex_lock(&memory->lock);
	if (!bo->kept++)
		list_add(&bo->kept_node, &memory->kept);
	mutex_unlock(&memory->lock);
	/* The reset may have been sooner; either it or this sees the other. */
	if (atomic_read(&spmm->resets) != resets)
		spmm_memory_release_kept(spmm);
}

void spmm_bo_cursor_init_pages(struct spmm_bo_cursor *cursor,
			       const struct spmm_bo *bo, u64 offset)
{
	*cursor = (struct spmm_bo_cursor){ .bo = bo, .offset = offset };
	if (bo->table) {
		cursor->segment = bo->table->sgl;
		cursor->segments_left = bo->table->nents;
	}
}

void spmm_bo_cursor_init(struct spmm_bo_cursor *cursor,
			 const struct drm_gem_object *object, u64 offset)
{
	const struct spmm_bo *bo = to_spmm_bo(object);

	spmm_bo_cursor_init_pages(cursor, bo, offset);
	cursor->is_device = drm_mm_node_allocated(&bo->block);
}

/* The rest of the segment at the cursor, which is moved there. */
static struct spmm_bo_range spmm_bo_segment_rest(struct spmm_bo_cursor *cursor)
{
	struct spmm_bo_range range = {};

	for (; cursor->segments_left > 0; cursor->segments_left--) {
		u64 skip = cursor->offset - cursor->segment_start;
		u64 length = sg_dma_len(cursor->segment);

		if (skip < length) {
			range.address = sg_dma_address(cursor->segment) + skip;
			range.length = length - skip;
			break;
		}
		cursor->segment_start += length;
		cursor->segment = sg_next(cursor->segment);
	}
	return range;
}

struct spmm_bo_range spmm_bo_cursor_next(struct spmm_bo_cursor *cursor,
					 u64 limit)
{
	const struct spmm_bo *bo = cursor->bo;
	struct spmm_bo_range range = {};

	if (cursor->is_device) {
		range.address = bo->block.start + cursor->offset;
		range.length = bo->base.size - cursor->offset;
		range.is_device = true;
	} else {
		range = spmm_bo_segment_rest(cursor);
	}
	range.length = min(range.length, limit);
	cursor->offset += range.length;
	return range;
}

static void spmm_bo_free(struct drm_gem_object *object)
{
	struct spmm_device *spmm = to_spmm(object->dev);
	struct spmm_bo *bo = to_spmm_bo(object);

	/* With the lock, for spmm_memory_unplug() might be at it. */
	mutex_lock(&spmm->memory->objects_lock);
	list_del(&bo->node);
	spmm_bo_end_dma(bo);
	mutex_unlock(&spmm->memory->objects_lock);

	spmm_memory_give_back(spmm, bo);
	if (bo->pages)
		drm_gem_put_pages(object, bo->pages, true, true);
	spmm_memlock_uncharge(&bo->charge);
	drm_gem_object_release(object);
	if (bo->imported)
		dma_buf_put(bo->imported);
	kfree(bo);
}

/* Count who has something to lose when device memory is lost. */
static int spmm_bo_open(struct drm_gem_object *object, struct drm_file *file)
{
	struct spmm_context *context = file->driver_priv;

	if (spmm_bo_is_device(object))
		atomic_inc(&context->vm.device_objects);
	return 0;
}

static void spmm_bo_close(struct drm_gem_object *object, struct drm_file *file)
{
	struct spmm_context *context = file->driver_priv;

	if (spmm_bo_is_device(object))
		atomic_dec(&context->vm.device_objects);
}

static enum drm_gem_object_status spmm_bo_status(struct drm_gem_object *object)
{
	struct spmm_bo *bo = to_spmm_bo(object);

	if (drm_mm_node_allocated(&bo->block) || READ_ONCE(bo->pages))
		return DRM_GEM_OBJECT_RESIDENT;
	return 0;
}

static const struct drm_gem_object_funcs spmm_bo_functions = {
	.free = spmm_bo_free,
	.open = spmm_bo_open,
	.close = spmm_bo_close,
	.export = spmm_prime_export,
	.mmap = spmm_bo_mmap,
	.status = spmm_bo_status,
	.vm_ops = &spmm_bo_vm_operations,
};

/* Where the object lives; it is not in any list yet. */
static int spmm_bo_place(struct spmm_device *spmm, struct spmm_bo *bo)
{
	if (bo->flags & DRM_SPMM_BO_DEVICE)
		return spmm_memory_allocate(spmm, bo);
	return spmm_memlock_charge(&bo->charge, bo->base.size);
}

static struct spmm_bo *spmm_bo_new(struct spmm_device *spmm, size_t length,
				   u32 flags)
{
	struct spmm_bo *bo;
	int ret;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->flags = flags;
	bo->base.funcs = &spmm_bo_functions;
	ret = drm_gem_object_init(&spmm->drm, &bo->base, length);
	if (ret) {
		drm_gem_private_object_fini(&bo->base);
		kfree(bo);
		return ERR_PTR(ret);
	}
	/* Pages that the device uses for long do not belong into movable zones. */
	mapping_set_gfp_mask(bo->base.filp->f_mapping,
			     GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	return bo;
}

static void spmm_bo_publish(struct spmm_device *spmm, struct spmm_bo *bo)
{
	mutex_lock(&spmm->memory->objects_lock);
	list_add_tail(&bo->node, &spmm->memory->objects);
	mutex_unlock(&spmm->memory->objects_lock);
}

struct spmm_bo *spmm_bo_import(struct spmm_device *spmm, struct dma_buf *from,
			       struct dma_buf_attachment *attachment)
{
	struct spmm_bo *bo;

	/* The core of GEM takes whole pages only. */
	if (!PAGE_ALIGNED(from->size))
		return ERR_PTR(-EINVAL);
	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->base.funcs = &spmm_bo_functions;
	drm_gem_private_object_init(&spmm->drm, &bo->base, from->size);
	get_dma_buf(from);
	bo->imported = from;
	bo->base.resv = from->resv;
	bo->attachment = attachment;
	spmm_bo_publish(spmm, bo);
	return bo;
}

struct drm_gem_object *spmm_bo_create(struct spmm_device *spmm, u64 length,
				      u32 flags)
{
	struct spmm_bo *bo;
	int ret;

	/* Also where no limit on locked memory applies. */
	if (length > (u64)totalram_pages() << PAGE_SHIFT &&
	    flags & DRM_SPMM_BO_HOST)
		return ERR_PTR(-ENOMEM);
	if (length > spmm_memory_total(spmm) && flags & DRM_SPMM_BO_DEVICE)
		return ERR_PTR(-ENOSPC);

	bo = spmm_bo_new(spmm, PAGE_ALIGN(length), flags);
	if (IS_ERR(bo))
		return ERR_CAST(bo);
	ret = spmm_bo_place(spmm, bo);
	if (ret) {
		drm_gem_object_release(&bo->base);
		kfree(bo);
		return ERR_PTR(ret);
	}
	spmm_bo_publish(spmm, bo);
	return &bo->base;
}

int spmm_bo_create_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct drm_spmm_bo_create *arguments = data;
	struct drm_gem_object *object;
	int ret;

	ret = spmm_validate_bo_create(arguments);
	if (ret)
		return ret;
	object = spmm_bo_create(to_spmm(drm), arguments->length,
				arguments->flags);
	if (IS_ERR(object))
		return PTR_ERR(object);
	arguments->length = object->size;
	ret = drm_gem_handle_create(file, object, &arguments->handle);
	drm_gem_object_put(object);
	return ret;
}

int spmm_bo_mmap_offset_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file)
{
	struct drm_spmm_bo_mmap_offset *arguments = data;
	struct drm_gem_object *object;
	int ret;

	if (arguments->pad)
		return -EINVAL;
	object = drm_gem_object_lookup(file, arguments->handle);
	if (!object)
		return -ENOENT;
	ret = -EPERM;
	if (spmm_bo_is_mappable(object))
		ret = drm_gem_create_mmap_offset(object);
	if (!ret)
		arguments->offset = drm_vma_node_offset_addr(&object->vma_node);
	drm_gem_object_put(object);
	return ret;
}
