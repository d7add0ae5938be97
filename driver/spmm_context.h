/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A context: what an open file has. Its address space, its queues, and what became of them.
 */
#ifndef SPMM_CONTEXT_H
#define SPMM_CONTEXT_H

#include "spmm_vm.h"

#include <linux/kref.h>
#include <linux/xarray.h>

struct drm_device;
struct drm_file;
struct drm_printer;
struct spmm_device;

/**
 * struct spmm_context - an open file
 * @reference: the file's, and one for each of its queues and jobs that still run
 * @spmm: its device
 * @vm: its address space
 * @queues: struct spmm_queue by number; its own lock
 * @slot: address-space slot it holds, 0 for none; under slots.lock
 * @slot_node: in the list of contexts that hold slots, least recently used first; likewise
 * @busy: jobs on the device and user queues, for which it must keep the slot; likewise
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
	u32 slot;
	struct list_head slot_node;
	u32 busy;
	atomic_t memory_lost;
	atomic_t faults;
	u32 first_reset;
	u64 *counters;
};

int spmm_context_open(struct drm_device *drm, struct drm_file *file);
void spmm_context_close(struct drm_device *drm, struct drm_file *file);
void spmm_context_get(struct spmm_context *context);
void spmm_context_put(struct spmm_context *context);

int spmm_context_restart_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file);

#endif
