/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects: GEM objects in host memory (pages of shmem), in device memory (a range
 * of it), or imported from another driver.
 */
#ifndef SPMM_BO_H
#define SPMM_BO_H

#include "spmm_memlock.h"

#include <drm/drm_gem.h>
#include <drm/drm_mm.h>
#include <linux/types.h>

struct dma_buf;
struct dma_buf_attachment;
struct dma_buf_attachment;
struct drm_device;
struct drm_file;
struct scatterlist;
struct sg_table;
struct spmm_device;

/**
 * struct spmm_bo - a buffer object
 * @base: GEM object; its reservation lock protects what follows unless it says otherwise
 * @flags: DRM_SPMM_BO_* it was made with, 0 for an imported one; constant
 * @pins: who needs it to stay where it is
 * @pages: of the host: the object's own, or where device memory was moved to; from the
 *	first use until the object is freed
 * @table: where the device sees the pages or the imported memory; taken away when the
 *	device is removed
 * @block: of device memory; spmm_memory.lock, too, while it is allocated or freed
 * @imported: from another driver, else NULL; constant
 * @attachment: to @imported, until the device is removed. Not in the GEM object, whose
 *	import_attach the core of DRM follows without a lock
 * @exported: to other drivers, while that lives; NULL if it is not
 * @charge: to the user's locked memory, for an object in pages of the host
 * @node: in spmm_memory.objects, under its objects_lock
 * @kept_node: in spmm_memory.kept, under its lock, see spmm_bo_keep()
 * @kept: references and pins to give back after the next reset, likewise
 */
struct spmm_bo {
	struct drm_gem_object base;
	u32 flags;
	u32 pins;
	struct page **pages;
	struct sg_table *table;
	struct drm_mm_node block;
	struct dma_buf *imported;
	struct dma_buf_attachment *attachment;
	struct dma_buf *exported;
	struct spmm_memlock charge;
	struct list_head node;
	struct list_head kept_node;
	u32 kept;
};

static inline struct spmm_bo *to_spmm_bo(const struct drm_gem_object *object)
{
	return container_of(object, struct spmm_bo, base);
}

/**
 * struct spmm_bo_range - where a run of an object's pages is for the device
 * @address: bus address, or offset into device memory
 * @length: bytes; 0 behind the end
 * @is_device: which of the two
 */
struct spmm_bo_range {
	u64 address;
	u64 length;
	bool is_device;
};

/**
 * struct spmm_bo_cursor - a way through a pinned object
 * @bo: object
 * @offset: of what comes next
 * @is_device: the object is in device memory; else what follows is used
 * @segment: that @offset is in
 * @segment_start: its offset
 * @segments_left: with it
 */
struct spmm_bo_cursor {
	const struct spmm_bo *bo;
	u64 offset;
	bool is_device;
	struct scatterlist *segment;
	u64 segment_start;
	unsigned int segments_left;
};

struct drm_gem_object *spmm_bo_create(struct spmm_device *spmm, u64 length,
				      u32 flags);

/*
 * Make the object's place firm and known: pages are present and mapped for DMA, or memory
 * of the device cannot move. Counted. Takes the object's reservation lock; no other lock
 * may be held. Return: 0, -ENOMEM, -EINTR, -ENODEV, or the error of the exporter.
 */
int spmm_bo_pin(struct drm_gem_object *object);
void spmm_bo_unpin(struct drm_gem_object *object);
/* The same with the reservation lock held. */
int spmm_bo_pin_locked(struct spmm_bo *bo);
void spmm_bo_unpin_locked(struct spmm_bo *bo);
/*
 * The device may still reach the object: take over one of the caller's references and pins,
 * until the device was reset (spmm_memory_release_kept()). @resets are those of the device
 * when its entries had been cleared and the device had not been asked to let go of it.
 */
void spmm_bo_keep(struct drm_gem_object *object, int resets);

/* From @offset of a pinned object on. */
void spmm_bo_cursor_init(struct spmm_bo_cursor *cursor,
			 const struct drm_gem_object *object, u64 offset);
/* Through the pages of the host of an object that may have device memory, too. */
void spmm_bo_cursor_init_pages(struct spmm_bo_cursor *cursor,
			       const struct spmm_bo *bo, u64 offset);
/* The next run, of at most @limit bytes. */
struct spmm_bo_range spmm_bo_cursor_next(struct spmm_bo_cursor *cursor,
					 u64 limit);
/* Was made in device memory, which it may have left. */
bool spmm_bo_is_device(const struct drm_gem_object *object);

/* Reservation lock held: pages of the host are present. Return: 0 or -ENOMEM. */
int spmm_bo_get_pages(struct spmm_bo *bo);
/* Reservation lock held: they are in @table. Return: 0, -ENOMEM, -ENODEV. */
int spmm_bo_map_pages(struct spmm_bo *bo);
/* Reservation lock held: give them back; what is in them is lost. */
void spmm_bo_drop_pages(struct spmm_bo *bo);
/* End all DMA: the object is being freed, or the device is removed. Takes the lock. */
void spmm_bo_end_dma(struct spmm_bo *bo);
/* An object of the memory of another driver, which takes over the attachment. */
struct spmm_bo *spmm_bo_import(struct spmm_device *spmm, struct dma_buf *from,
			       struct dma_buf_attachment *attachment);

int spmm_bo_create_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);
int spmm_bo_mmap_offset_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file);

#endif
