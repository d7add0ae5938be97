/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address space of a context: page tables in host memory, and what is mapped there.
 *
 * It exists whether or not the context has a slot of the device. A mapping is undone in
 * this order: entries cleared, translations invalidated if the context has a slot (the
 * completion means that no access by them remains), object unpinned and released. If
 * the device does not answer, the objects are kept until the reset that follows.
 */
#ifndef SPMM_VM_H
#define SPMM_VM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct drm_device;
struct drm_file;
struct drm_gem_object;
struct spmm_context;
struct spmm_device;
struct spmm_page_table;

/**
 * struct spmm_vm - an address space
 * @node: in spmm_memory.vms
 * @lock: mappings and tables; may be held while memory is allocated; see spmm_device.h
 * @spmm: its device
 * @context: whose slot's translations have to be invalidated
 * @table: the page table; NULL when the device is removed
 * @mappings: struct spmm_vm_mapping by address
 * @device_objects: handles and mappings of objects that were made in device memory
 * @host_bytes: mapped
 * @device_bytes: likewise, of objects that were made in device memory
 */
struct spmm_vm {
	struct list_head node;
	struct mutex lock; /* of mappings and tables */
	struct spmm_device *spmm;
	struct spmm_context *context;
	struct spmm_page_table *table;
	struct rb_root_cached mappings;
	atomic_t device_objects;
	atomic64_t host_bytes;
	atomic64_t device_bytes;
};

int spmm_vm_init(struct spmm_vm *vm, struct spmm_device *spmm,
		 struct spmm_context *context);
/* The context has no slot any more, or the device was reset since. */
void spmm_vm_fini(struct spmm_vm *vm);
/* The device is removed: it walks no table any more. For spmm_memory_unplug(). */
void spmm_vm_unplug(struct spmm_vm *vm);
/*
 * In the form of SET_PAGE_TABLE. Constant from spmm_vm_init() to spmm_vm_fini(); not after
 * drm_dev_unplug().
 */
u64 spmm_vm_root(const struct spmm_vm *vm);

/*
 * flags: DRM_SPMM_VM_BIND_READ, _WRITE. The mapping takes a reference and a pin of its own;
 * no lock is held. Unmapping returns -ENOENT when there is nothing, -EINVAL when a mapping
 * would be cut; after any other error the range is free, but the device may still reach
 * the objects, which are kept until it was reset.
 */
int spmm_vm_map(struct spmm_vm *vm, struct drm_gem_object *object, u64 address,
		u64 offset, u64 length, u32 flags);
int spmm_vm_unmap(struct spmm_vm *vm, u64 address, u64 length);

/*
 * The module's own memory (rings, commands of jobs), above DRM_SPMM_ADDRESS_LIMIT: bus
 * addresses of coherent memory. The caller chooses addresses (spmm_layout.h) and keeps the
 * memory until spmm_vm_unmap_bus() has returned 0 or the device was reset.
 */
int spmm_vm_map_bus(struct spmm_vm *vm, u64 address, dma_addr_t bus, u64 length,
		    u32 flags);
int spmm_vm_unmap_bus(struct spmm_vm *vm, u64 address, u64 length);

/* Bytes mapped, host and device, for fdinfo. */
void spmm_vm_usage(struct spmm_vm *vm, u64 *host_bytes, u64 *device_bytes);
/* Whether the file has something to lose when device memory is lost. */
bool spmm_vm_uses_device_memory(const struct spmm_vm *vm);

int spmm_vm_bind_ioctl(struct drm_device *drm, void *data,
		       struct drm_file *file);

#endif
