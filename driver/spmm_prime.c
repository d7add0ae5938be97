// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_prime.h"

#include "spmm_bo.h"
#include "spmm_device.h"
#include "spmm_device_memory.h"

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

/* Of one entry of a scatter list, whose lengths have 32 bits. */
#define SPMM_PRIME_SEGMENT SZ_1G
/* What importers are given to come to an end when the device is removed. */
#define SPMM_PRIME_REVOKE_JIFFIES (5 * HZ)

static struct spmm_bo *spmm_prime_object(struct dma_buf *dma_buf)
{
	return to_spmm_bo(dma_buf->priv);
}

static bool spmm_prime_is_direct(struct dma_buf_attachment *attachment)
{
	return attachment->priv;
}

static bool spmm_prime_can_be_direct(struct spmm_bo *bo,
				     struct dma_buf_attachment *attachment)
{
	struct spmm_device *spmm = to_spmm(bo->base.dev);
	u64 end = bo->block.start + bo->block.size;

	return attachment->peer2peer &&
	       end <= spmm->capabilities.window_bytes &&
	       pci_p2pdma_distance(spmm->pdev, attachment->dev, true) >= 0;
}

/* Reservation lock held. */
static int spmm_prime_settle(struct spmm_bo *bo,
			     struct dma_buf_attachment *attachment)
{
	int ret;

	attachment->priv = NULL;
	if (!drm_mm_node_allocated(&bo->block))
		return spmm_bo_get_pages(bo);
	if (spmm_prime_can_be_direct(bo, attachment)) {
		ret = spmm_bo_pin_locked(bo);
		if (!ret)
			attachment->priv = bo;
		return ret;
	}
	return spmm_memory_migrate(to_spmm(bo->base.dev), bo);
}

static int spmm_prime_attach(struct dma_buf *dma_buf,
			     struct dma_buf_attachment *attachment)
{
	struct spmm_bo *bo = spmm_prime_object(dma_buf);
	int ret, index;

	if (!drm_dev_enter(bo->base.dev, &index))
		return -ENODEV;
	ret = dma_resv_lock_interruptible(dma_buf->resv, NULL);
	if (!ret) {
		ret = spmm_prime_settle(bo, attachment);
		dma_resv_unlock(dma_buf->resv);
	}
	drm_dev_exit(index);
	return ret;
}

static void spmm_prime_detach_importer(struct dma_buf *dma_buf,
				       struct dma_buf_attachment *attachment)
{
	if (spmm_prime_is_direct(attachment))
		spmm_bo_unpin(dma_buf->priv);
}

/* In segments that the importer can take. */
static struct sg_table *spmm_prime_map_pages(struct spmm_bo *bo,
					     struct device *dev,
					     enum dma_data_direction direction)
{
	size_t size = bo->base.size;
	unsigned int count = size >> PAGE_SHIFT;
	unsigned int segment = dma_get_max_seg_size(dev);
	struct sg_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table_from_pages_segment(table, bo->pages, count, 0,
						size, segment, GFP_KERNEL);
	if (ret)
		goto free_table;
	ret = dma_map_sgtable(dev, table, direction, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto free_segments;
	return table;

free_segments:
	sg_free_table(table);
free_table:
	kfree(table);
	return ERR_PTR(ret);
}

static void spmm_prime_unmap_window(struct sg_table *table, struct device *dev,
				    enum dma_data_direction direction)
{
	struct scatterlist *segment;
	int i;

	for_each_sgtable_dma_sg(table, segment, i)
		if (sg_dma_len(segment))
			dma_unmap_resource(dev, sg_dma_address(segment),
					   sg_dma_len(segment), direction,
					   DMA_ATTR_SKIP_CPU_SYNC);
}

static int spmm_prime_fill_window(struct spmm_bo *bo, struct sg_table *table,
				  struct device *dev,
				  enum dma_data_direction direction)
{
	phys_addr_t start =
		to_spmm(bo->base.dev)->window_start + bo->block.start;
	u64 done = 0;
	struct scatterlist *segment;
	int i;

	for_each_sgtable_sg(table, segment, i) {
		size_t length =
			min_t(u64, bo->base.size - done, SPMM_PRIME_SEGMENT);
		dma_addr_t bus = dma_map_resource(dev, start + done, length,
						  direction,
						  DMA_ATTR_SKIP_CPU_SYNC);

		if (dma_mapping_error(dev, bus))
			return -ENOMEM;
		/* There are no struct page for it: DMA addresses alone. */
		sg_set_page(segment, NULL, length, 0);
		sg_dma_address(segment) = bus;
		sg_dma_len(segment) = length;
		done += length;
	}
	return 0;
}

static struct sg_table *spmm_prime_map_window(struct spmm_bo *bo,
					      struct device *dev,
					      enum dma_data_direction direction)
{
	unsigned int segments =
		DIV_ROUND_UP_ULL(bo->base.size, SPMM_PRIME_SEGMENT);
	struct sg_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(table, segments, GFP_KERNEL);
	if (ret)
		goto free_table;
	ret = spmm_prime_fill_window(bo, table, dev, direction);
	if (ret)
		goto unmap;
	return table;

unmap:
	spmm_prime_unmap_window(table, dev, direction);
	sg_free_table(table);
free_table:
	kfree(table);
	return ERR_PTR(ret);
}

static struct sg_table *
spmm_prime_map_importer(struct dma_buf_attachment *attachment,
			enum dma_data_direction direction)
{
	struct spmm_bo *bo = spmm_prime_object(attachment->dmabuf);
	struct sg_table *table;
	int index;

	if (!spmm_prime_is_direct(attachment))
		return spmm_prime_map_pages(bo, attachment->dev, direction);
	if (!drm_dev_enter(bo->base.dev, &index))
		return ERR_PTR(-ENODEV);
	table = spmm_prime_map_window(bo, attachment->dev, direction);
	drm_dev_exit(index);
	return table;
}

static void spmm_prime_unmap_importer(struct dma_buf_attachment *attachment,
				      struct sg_table *table,
				      enum dma_data_direction direction)
{
	if (spmm_prime_is_direct(attachment))
		spmm_prime_unmap_window(table, attachment->dev, direction);
	else
		dma_unmap_sgtable(attachment->dev, table, direction,
				  DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(table);
	kfree(table);
}

/* What is attached does not move: it was settled where it is when it was attached. */
static int spmm_prime_pin(struct dma_buf_attachment *attachment)
{
	return 0;
}

static void spmm_prime_unpin(struct dma_buf_attachment *attachment)
{
}

static void spmm_prime_release(struct dma_buf *dma_buf)
{
	struct spmm_bo *bo = spmm_prime_object(dma_buf);

	dma_resv_lock(bo->base.resv, NULL);
	bo->exported = NULL;
	dma_resv_unlock(bo->base.resv);
	drm_gem_dmabuf_release(dma_buf);
}

void spmm_prime_revoke(struct spmm_bo *bo)
{
	dma_resv_lock(bo->base.resv, NULL);
	if (bo->exported) {
		dma_buf_invalidate_mappings(bo->exported);
		dma_resv_wait_timeout(bo->base.resv, DMA_RESV_USAGE_BOOKKEEP,
				      false, SPMM_PRIME_REVOKE_JIFFIES);
	}
	dma_resv_unlock(bo->base.resv);
}

/*
 * Not for device memory: drm_dev_unplug() finds mappings of the device's node, but none
 * that were made through the file of a buffer.
 */
static int spmm_prime_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma)
{
	if (spmm_bo_is_device(dma_buf->priv))
		return -EPERM;
	return drm_gem_dmabuf_mmap(dma_buf, vma);
}

static const struct dma_buf_ops spmm_prime_operations = {
	.attach = spmm_prime_attach,
	.detach = spmm_prime_detach_importer,
	.pin = spmm_prime_pin,
	.unpin = spmm_prime_unpin,
	.map_dma_buf = spmm_prime_map_importer,
	.unmap_dma_buf = spmm_prime_unmap_importer,
	.mmap = spmm_prime_mmap,
	.release = spmm_prime_release,
};

struct dma_buf *spmm_prime_export(struct drm_gem_object *object, int flags)
{
	struct drm_device *drm = object->dev;
	struct dma_buf_export_info info = {
		.exp_name = KBUILD_MODNAME,
		.owner = drm->driver->fops->owner,
		.ops = &spmm_prime_operations,
		.size = object->size,
		.flags = flags,
		.priv = object,
		.resv = object->resv,
	};
	struct dma_buf *dma_buf;
	int ret;

	/* Mappings of the buffer count from this offset, too: it must not change later. */
	ret = drm_gem_create_mmap_offset(object);
	if (ret)
		return ERR_PTR(ret);
	dma_buf = drm_gem_dmabuf_export(drm, &info);
	if (IS_ERR(dma_buf))
		return dma_buf;
	dma_resv_lock(object->resv, NULL);
	to_spmm_bo(object)->exported = dma_buf;
	dma_resv_unlock(object->resv);
	return dma_buf;
}

struct drm_gem_object *spmm_prime_import(struct drm_device *drm,
					 struct dma_buf *dma_buf)
{
	struct dma_buf_attachment *attachment;
	struct spmm_bo *bo;

	if (dma_buf->ops == &spmm_prime_operations &&
	    spmm_prime_object(dma_buf)->base.dev == drm) {
		drm_gem_object_get(dma_buf->priv);
		return dma_buf->priv;
	}
	attachment = dma_buf_attach(dma_buf, drm->dev);
	if (IS_ERR(attachment))
		return ERR_CAST(attachment);
	bo = spmm_bo_import(to_spmm(drm), dma_buf, attachment);
	if (IS_ERR(bo)) {
		dma_buf_detach(dma_buf, attachment);
		return ERR_CAST(bo);
	}
	return &bo->base;
}

int spmm_prime_map(struct spmm_bo *bo)
{
	struct sg_table *table;
	int index;

	dma_resv_assert_held(bo->base.resv);
	if (!drm_dev_enter(bo->base.dev, &index))
		return -ENODEV;
	table = bo->table;
	if (!table)
		table = dma_buf_map_attachment(bo->attachment,
					       DMA_BIDIRECTIONAL);
	if (!IS_ERR(table))
		bo->table = table;
	drm_dev_exit(index);
	return PTR_ERR_OR_ZERO(table);
}

/* Exporters may keep what is unmapped until the end of the attachment, which uses the device. */
void spmm_prime_detach(struct spmm_bo *bo)
{
	struct dma_buf_attachment *attachment;

	dma_resv_lock(bo->base.resv, NULL);
	attachment = bo->attachment;
	if (bo->table)
		dma_buf_unmap_attachment(attachment, bo->table,
					 DMA_BIDIRECTIONAL);
	bo->table = NULL;
	bo->attachment = NULL;
	dma_resv_unlock(bo->base.resv);
	if (attachment)
		dma_buf_detach(bo->imported, attachment);
}

MODULE_IMPORT_NS("DMA_BUF");
