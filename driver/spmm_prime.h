/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects shared with other drivers.
 *
 * Host memory is shared as it is. Device memory is reached by the importer directly, if it can
 * and the object is visible in BAR 2; else it moves to the host for good when somebody
 * attaches, or the attachment fails with -EBUSY while the object is bound.
 */
#ifndef SPMM_PRIME_H
#define SPMM_PRIME_H

struct dma_buf;
struct drm_device;
struct drm_gem_object;
struct spmm_bo;

struct dma_buf *spmm_prime_export(struct drm_gem_object *object, int flags);
/* For struct drm_driver. */
struct drm_gem_object *spmm_prime_import(struct drm_device *drm,
					 struct dma_buf *dma_buf);

/*
 * The device is removed: importers that reach its memory directly have to stop. Takes the
 * reservation lock.
 */
void spmm_prime_revoke(struct spmm_bo *bo);

/* Reservation lock held: the imported object is mapped for this device. */
int spmm_prime_map(struct spmm_bo *bo);
/* It is no more, and never will be. Takes the reservation lock. */
void spmm_prime_detach(struct spmm_bo *bo);

#endif
