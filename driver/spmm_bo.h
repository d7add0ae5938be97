/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects: GEM objects in host memory (pages of shmem), in device memory (a range
 * of it), or imported from another driver.
 */
#ifndef SPMM_BO_H
#define SPMM_BO_H

#include <drm/drm_gem.h>
#include <linux/types.h>

struct drm_device;
struct drm_file;
struct scatterlist;
struct sg_table;
struct spmm_device;

/**
 * struct spmm_bo_range - where a run of an object's pages is for the device
 * @address: bus address, or offset into device memory
 * @length: bytes
 * @is_device: which of the two
 */
struct spmm_bo_range {
	u64 address;
	u64 length;
	bool is_device;
};

struct drm_gem_object *spmm_bo_create(struct spmm_device *spmm, u64 length,
				      u32 flags);

/*
 * Make the object's place firm and known: pages are present and mapped for DMA, or memory
 * of the device cannot move. Counted. Takes the object's reservation lock; no other lock
 * may be held. Return: 0, -ENOMEM, -EPERM (RLIMIT_MEMLOCK), -EINTR.
 */
int spmm_bo_pin(struct drm_gem_object *object);
void spmm_bo_unpin(struct drm_gem_object *object);
/* The run that starts at @offset of a pinned object. */
struct spmm_bo_range spmm_bo_range_at(struct drm_gem_object *object,
				      u64 offset);
bool spmm_bo_is_device(const struct drm_gem_object *object);

int spmm_bo_create_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file);
int spmm_bo_mmap_offset_ioctl(struct drm_device *drm, void *data,
			      struct drm_file *file);

#endif
