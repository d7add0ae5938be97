/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device memory, who has which part of it, and the list of all buffer objects and address
 * spaces, which end their DMA when the device is removed.
 *
 * What BAR 2 shows is kept for objects that ask for it: others come from the top.
 *
 * Locks: see spmm_device.h. memory.objects_lock is never held by who calls into spmm_bo.h
 * or spmm_vm.h.
 */
#ifndef SPMM_DEVICE_MEMORY_H
#define SPMM_DEVICE_MEMORY_H

#include <drm/drm_mm.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct spmm_bo;
struct spmm_device;
struct spmm_vm;

/**
 * struct spmm_memory - device memory and what uses it
 * @lock: of @blocks, @used and @kept
 * @blocks: which parts are taken
 * @used: bytes of them
 * @objects_lock: of the other lists; see above
 * @objects: struct spmm_bo.node
 * @kept: struct spmm_bo.kept_node
 * @vms: struct spmm_vm.node; both locks to change it, one to read it
 * @release_work: gives back what was kept
 */
struct spmm_memory {
	struct mutex lock; /* see above */
	struct drm_mm blocks;
	u64 used;
	struct mutex objects_lock; /* see above */
	struct list_head objects;
	struct list_head kept;
	struct list_head vms;
	struct work_struct release_work;
};

/* After spmm_device.capabilities are known; drmm-managed. */
int spmm_memory_init(struct spmm_device *spmm);
/*
 * The device is removed: after drm_dev_unplug(), when it does no DMA any more. Ends the DMA
 * mappings of all objects and tables; objects and address spaces stay, without a device.
 */
void spmm_memory_unplug(struct spmm_device *spmm);
/* The device was reset or disabled, and forgot all translations. Done by a work item. */
void spmm_memory_release_kept(struct spmm_device *spmm);
/* The device was reset and lost its memory: tell the contexts that had objects there. */
void spmm_memory_lost(struct spmm_device *spmm);

/* For spmm_vm.c. */
void spmm_memory_add_vm(struct spmm_memory *memory, struct spmm_vm *vm);
void spmm_memory_remove_vm(struct spmm_memory *memory, struct spmm_vm *vm);

/* Bytes that objects can have, and that none has now. */
u64 spmm_memory_total(struct spmm_device *spmm);
u64 spmm_memory_available(struct spmm_device *spmm);

/*
 * A cleared block for an object; wakes the device up and keeps it awake until it is given
 * back. Return: 0, -ENOSPC, -EIO, -ETIMEDOUT, -ENODEV, -EINTR when the task is killed.
 */
int spmm_memory_allocate(struct spmm_device *spmm, struct spmm_bo *bo);
/* Without a block, nothing. */
void spmm_memory_give_back(struct spmm_device *spmm, struct spmm_bo *bo);

/*
 * Move an object out of device memory for good, with its contents. Reservation lock
 * held. Return: 0; -EBUSY while it is pinned; -ENOMEM, -EIO, -ETIMEDOUT, -ENODEV.
 */
int spmm_memory_migrate(struct spmm_device *spmm, struct spmm_bo *bo);

/*
 * System suspend: copy all of device memory that is in use to the host, after the contexts
 * have left the device; and back, when the device is enabled and spmm_blit_start() was
 * called. When saving fails nothing has changed.
 */
int spmm_memory_save(struct spmm_device *spmm);
int spmm_memory_restore(struct spmm_device *spmm);

#endif
