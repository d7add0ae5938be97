/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A queue of a context: one entity and one instance of the DRM scheduler, a pair of rings
 * and the commands of its jobs in coherent memory that is mapped read-only above
 * DRM_SPMM_ADDRESS_LIMIT; or a user queue, whose rings are the process's.
 */
#ifndef SPMM_QUEUE_H
#define SPMM_QUEUE_H

#include <linux/types.h>

struct drm_device;
struct drm_file;
struct spmm_context;
struct spmm_queue;

/* By number, with a reference, or NULL. */
struct spmm_queue *spmm_queue_lookup(struct spmm_context *context, u32 number);
void spmm_queue_get(struct spmm_queue *queue);
void spmm_queue_put(struct spmm_queue *queue);
/* Cancel and unlink all queues of a file that is closed. */
void spmm_queues_close(struct spmm_context *context);

int spmm_queue_create_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int spmm_queue_destroy_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file);
int spmm_queue_cancel_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);
int spmm_queue_status_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file);

#endif
