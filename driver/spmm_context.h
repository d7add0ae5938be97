/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A context: what an open file has. Its address space, its queues, and what became of them.
 */
#ifndef SPMM_CONTEXT_H
#define SPMM_CONTEXT_H

#include "spmm_vm.h"

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct drm_device;
struct drm_file;
struct drm_printer;
struct spmm_device;

/**
 * struct spmm_context - an open file
 * @reference: the file's, and one for each of its queues
 * @spmm: its device, with a reference
 * @vm: its address space
 * @queues: struct spmm_queue by number; its own lock, taken outside of queue.lock
 * @node: in slots.contexts; under slots.lock
 * @slot: address-space slot it holds, 0 for none; likewise
 * @last_used: when it last wanted a queue of the hardware, in jiffies; likewise
 * @memory_lost: see DRM_SPMM_CONTEXT_RESTART
 * @faults: counted for DRM_SPMM_QUERY_CONTEXT
 * @first_reset: spmm_device.resets when the file was opened
 * @counters: sums of what its slots' counters said when they were given back, see
 *	spmm_counters.c
 */
struct spmm_context {
	struct kref reference;
	struct spmm_device *spmm;
	struct spmm_vm vm;
	struct xarray queues;
	struct list_head node;
	u32 slot;
	unsigned long last_used;
	atomic_t memory_lost;
	atomic_t faults;
	u32 first_reset;
	u64 *counters;
};

/*
 * What is left of a file after it was closed is destroyed by a work queue, which is
 * flushed when the module goes: it can when nothing is left.
 */
int spmm_context_module_init(void);
void spmm_context_module_exit(void);
void spmm_context_queue_release(struct work_struct *release);

int spmm_context_open(struct drm_device *drm, struct drm_file *file);
void spmm_context_close(struct drm_device *drm, struct drm_file *file);
void spmm_context_get(struct spmm_context *context);
/* May sleep. */
void spmm_context_put(struct spmm_context *context);

int spmm_context_restart_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);

#endif
