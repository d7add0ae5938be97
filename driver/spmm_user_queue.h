/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User queues: rings in memory of the process, whose doorbell it rings itself. No fence
 * depends on them.
 *
 * The doorbell is a page of BAR 0, mapped on demand at an offset that is the file's own.
 * When the queue is taken away, the page is unmapped, and only then the hardware queue
 * is given to others; what the process writes from then on goes to memory.
 */
#ifndef SPMM_USER_QUEUE_H
#define SPMM_USER_QUEUE_H

#include <linux/types.h>

struct drm_spmm_queue_create;
struct file;
struct spmm_device;
struct spmm_queue;
struct vm_area_struct;
struct work_struct;

/* Whether doorbells can be given to processes on this host, page by page. */
bool spmm_user_queue_supported(const struct spmm_device *spmm);
/* Give the queue its hardware. Return: 0, -ENOMEM, -EBUSY, -EIO, -ENODEV. */
int spmm_user_queue_create(struct spmm_queue *queue,
			   struct drm_spmm_queue_create *arguments);
/* It has no hardware any more. */
void spmm_user_queue_destroy(struct spmm_queue *queue);
/* enum drm_spmm_queue_state */
u32 spmm_user_queue_state(const struct spmm_queue *queue);
void spmm_user_queue_rings(const struct spmm_queue *queue, u64 *sq, u64 *cq,
			   u32 *entries);

/* Its completions. With queue.lock held. Any context. */
void spmm_user_queue_notify(struct spmm_queue *queue);
/* Its context was reset. With queue.lock held. Return: false: take it away. */
bool spmm_user_queue_fault(struct spmm_queue *queue);
/* It was taken away. With slots.lock held. */
void spmm_user_queue_evicted(struct spmm_queue *queue);
void spmm_user_queue_unpark_work(struct work_struct *work);

/* For a driver's file operations: doorbells, and all that drm_gem_mmap() knows. */
int spmm_user_queue_mmap(struct file *filp, struct vm_area_struct *vma);

#endif
