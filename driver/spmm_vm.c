// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_vm.h"

#include "spmm_bo.h"
#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_page_table.h"
#include "spmm_slot.h"
#include "spmm_validate.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/spmm_accel.h>
#include <linux/slab.h>
#include <spmm/page_table.h>

/**
 * struct spmm_vm_mapping - a range of an address space that is taken
 * @node: in spmm_vm.mappings
 * @released: in a list of those that are not there any more
 * @address: of the device
 * @length: bytes
 * @object: with a reference and a pin; NULL for the module's own memory
 */
struct spmm_vm_mapping {
	struct rb_node node;
	struct list_head released;
	u64 address;
	u64 length;
	struct drm_gem_object *object;
};

static struct spmm_vm_mapping *to_mapping(struct rb_node *node)
{
	return rb_entry_safe(node, struct spmm_vm_mapping, node);
}

/* The first mapping that ends behind @address. */
static struct spmm_vm_mapping *find_mapping(struct spmm_vm *vm, u64 address)
{
	struct rb_node *at = vm->mappings.rb_root.rb_node;
	struct spmm_vm_mapping *found = NULL;

	while (at) {
		struct spmm_vm_mapping *mapping = to_mapping(at);

		if (mapping->address + mapping->length > address) {
			found = mapping;
			at = at->rb_left;
		} else {
			at = at->rb_right;
		}
	}
	return found;
}

static bool is_before(struct rb_node *a, const struct rb_node *b)
{
	return to_mapping(a)->address <
	       rb_entry(b, struct spmm_vm_mapping, node)->address;
}

static bool is_free(struct spmm_vm *vm, u64 address, u64 length)
{
	struct spmm_vm_mapping *mapping = find_mapping(vm, address);

	return !mapping || mapping->address >= address + length;
}

static void count(struct spmm_vm *vm, const struct spmm_vm_mapping *mapping,
		  s64 sign)
{
	if (!mapping->object)
		return;
	if (spmm_bo_is_device(mapping->object)) {
		atomic64_add(sign * (s64)mapping->length, &vm->device_bytes);
		atomic_add(sign, &vm->device_objects);
	} else {
		atomic64_add(sign * (s64)mapping->length, &vm->host_bytes);
	}
}

int spmm_vm_init(struct spmm_vm *vm, struct spmm_device *spmm,
		 struct spmm_context *context)
{
	struct spmm_memory *memory = spmm->memory;
	int index;

	vm->spmm = spmm;
	vm->context = context;
	vm->mappings = RB_ROOT_CACHED;
	atomic_set(&vm->device_objects, 0);
	atomic64_set(&vm->host_bytes, 0);
	atomic64_set(&vm->device_bytes, 0);
	if (!drm_dev_enter(&spmm->drm, &index))
		return -ENODEV;
	vm->table = spmm_page_table_create(spmm->drm.dev);
	if (vm->table) {
		mutex_init(&vm->lock);
		spmm_memory_add_vm(memory, vm);
	}
	drm_dev_exit(index);
	return vm->table ? 0 : -ENOMEM;
}

/* Without locks: the last reference to an object may go. */
static void release_mappings(struct list_head *released, bool may_be_used,
			     int resets)
{
	struct spmm_vm_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, released, released) {
		struct drm_gem_object *object = mapping->object;

		kfree(mapping);
		if (!object)
			continue;
		if (may_be_used) {
			spmm_bo_keep(object, resets);
			continue;
		}
		spmm_bo_unpin(object);
		drm_gem_object_put(object);
	}
}

void spmm_vm_fini(struct spmm_vm *vm)
{
	struct spmm_vm_mapping *mapping;
	LIST_HEAD(released);

	spmm_memory_remove_vm(vm->spmm->memory, vm);
	while ((mapping = find_mapping(vm, 0))) {
		rb_erase_cached(&mapping->node, &vm->mappings);
		list_add(&mapping->released, &released);
	}
	spmm_page_table_destroy(vm->table);
	vm->table = NULL;
	release_mappings(&released, false, 0);
	mutex_destroy(&vm->lock);
}

void spmm_vm_unplug(struct spmm_vm *vm)
{
	mutex_lock(&vm->lock);
	spmm_page_table_destroy(vm->table);
	vm->table = NULL;
	mutex_unlock(&vm->lock);
}

u64 spmm_vm_root(const struct spmm_vm *vm)
{
	return spmm_page_table_root(vm->table);
}

static u64 entry_flags(u32 flags)
{
	return (flags & DRM_SPMM_VM_BIND_READ ? SPMM_PTE_READ : 0) |
	       (flags & DRM_SPMM_VM_BIND_WRITE ? SPMM_PTE_WRITE : 0);
}

/*
 * Make the device forget a range whose entries are cleared. Tables that went with them may
 * be remembered for addresses outside of it.
 */
static int invalidate(struct spmm_vm *vm, u64 address, u64 length, int *resets)
{
	int ret;

	if (!vm->table)
		return 0;
	if (spmm_page_table_has_retired(vm->table)) {
		address = 0;
		length = 0; /* everything */
	}
	/* A reset from now on finds the entries cleared. */
	*resets = atomic_read(&vm->spmm->resets);
	ret = spmm_slot_invalidate(vm->spmm, vm->context, address, length);
	if (!ret)
		spmm_page_table_reap(vm->table);
	return ret;
}

static int write_object(struct spmm_vm *vm, struct spmm_vm_mapping *mapping,
			u64 offset, u32 flags)
{
	struct spmm_bo_cursor cursor;
	u64 done = 0;
	int ret = 0;

	spmm_bo_cursor_init(&cursor, mapping->object, offset);
	while (!ret && done < mapping->length) {
		struct spmm_bo_range range =
			spmm_bo_cursor_next(&cursor, mapping->length - done);
		u64 entry = entry_flags(flags);

		if (range.is_device)
			entry |= SPMM_PTE_DEVICE;
		/* Nothing is left of an imported object: the length is 0, and refused. */
		ret = spmm_page_table_map(vm->table, mapping->address + done,
					  range.address, range.length, entry);
		done += range.length;
	}
	return ret;
}

static int write_entries(struct spmm_vm *vm, struct spmm_vm_mapping *mapping,
			 u64 from, u32 flags)
{
	int ret, index;

	if (!drm_dev_enter(&vm->spmm->drm, &index))
		return -ENODEV;
	if (mapping->object)
		ret = write_object(vm, mapping, from, flags);
	else
		ret = spmm_page_table_map(vm->table, mapping->address, from,
					  mapping->length, entry_flags(flags));
	drm_dev_exit(index);
	return ret;
}

/*
 * Insert the mapping. Return: 0; an error, and nothing is mapped; but with *@stuck the
 * device may still remember what was for a moment.
 */
static int map_locked(struct spmm_vm *vm, struct spmm_vm_mapping *mapping,
		      u64 from, u32 flags, bool *stuck, int *resets)
{
	int ret;

	if (!is_free(vm, mapping->address, mapping->length))
		return -EEXIST;
	ret = write_entries(vm, mapping, from, flags);
	if (!ret) {
		rb_add_cached(&mapping->node, &vm->mappings, is_before);
		count(vm, mapping, 1);
		return 0;
	}
	if (vm->table) {
		spmm_page_table_unmap(vm->table, mapping->address,
				      mapping->length);
		*stuck = invalidate(vm, mapping->address, mapping->length,
				    resets);
	}
	return ret;
}

/* Takes over reference and pin of the object. */
static int map_mapping(struct spmm_vm *vm, struct drm_gem_object *object,
		       u64 address, u64 from, u64 length, u32 flags)
{
	struct spmm_vm_mapping *mapping;
	int resets = 0;
	bool stuck = false;
	LIST_HEAD(released);
	int ret = -ENOMEM;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping) {
		if (object) {
			spmm_bo_unpin(object);
			drm_gem_object_put(object);
		}
		return ret;
	}
	mapping->address = address;
	mapping->length = length;
	mapping->object = object;

	mutex_lock(&vm->lock);
	ret = map_locked(vm, mapping, from, flags, &stuck, &resets);
	mutex_unlock(&vm->lock);
	/* Memory without an object cannot be kept: its owner frees it now. */
	if (stuck && !object)
		spmm_slot_force_evict(vm->spmm, vm->context);
	if (ret) {
		list_add(&mapping->released, &released);
		release_mappings(&released, stuck, resets);
	}
	return ret;
}

int spmm_vm_map(struct spmm_vm *vm, struct drm_gem_object *object, u64 address,
		u64 offset, u64 length, u32 flags)
{
	u64 end;
	int ret;

	if (check_add_overflow(offset, length, &end) || end > object->size)
		return -EINVAL;
	ret = spmm_bo_pin(object);
	if (ret)
		return ret;
	drm_gem_object_get(object);
	return map_mapping(vm, object, address, offset, length, flags);
}

int spmm_vm_map_bus(struct spmm_vm *vm, u64 address, dma_addr_t bus, u64 length,
		    u32 flags)
{
	return map_mapping(vm, NULL, address, bus, length, flags);
}

/* Whether what lies in the range lies in it as a whole, and there is something. */
static int check_whole(struct spmm_vm *vm, u64 address, u64 end)
{
	struct spmm_vm_mapping *mapping = find_mapping(vm, address);
	int ret = -ENOENT;

	for (; mapping && mapping->address < end;
	     mapping = to_mapping(rb_next(&mapping->node))) {
		if (mapping->address < address ||
		    mapping->address + mapping->length > end)
			return -EINVAL;
		ret = 0;
	}
	return ret;
}

static int unmap_locked(struct spmm_vm *vm, u64 address, u64 length,
			struct list_head *released, int *resets)
{
	struct spmm_vm_mapping *mapping;
	u64 end = address + length;
	int ret;

	ret = check_whole(vm, address, end);
	if (ret)
		return ret;
	while ((mapping = find_mapping(vm, address)) &&
	       mapping->address < end) {
		if (vm->table)
			spmm_page_table_unmap(vm->table, mapping->address,
					      mapping->length);
		rb_erase_cached(&mapping->node, &vm->mappings);
		count(vm, mapping, -1);
		list_add(&mapping->released, released);
	}
	return invalidate(vm, address, length, resets);
}

int spmm_vm_unmap(struct spmm_vm *vm, u64 address, u64 length)
{
	LIST_HEAD(released);
	int resets = 0;
	int ret;

	mutex_lock(&vm->lock);
	ret = unmap_locked(vm, address, length, &released, &resets);
	mutex_unlock(&vm->lock);
	release_mappings(&released, ret, resets);
	return ret;
}

int spmm_vm_unmap_bus(struct spmm_vm *vm, u64 address, u64 length)
{
	return spmm_vm_unmap(vm, address, length);
}

void spmm_vm_usage(struct spmm_vm *vm, u64 *host_bytes, u64 *device_bytes)
{
	*host_bytes = atomic64_read(&vm->host_bytes);
	*device_bytes = atomic64_read(&vm->device_bytes);
}

bool spmm_vm_uses_device_memory(const struct spmm_vm *vm)
{
	return atomic_read(&vm->device_objects) > 0;
}

static int bind_object(struct spmm_vm *vm, struct drm_file *file,
		       const struct drm_spmm_vm_bind *arguments)
{
	struct drm_gem_object *object;
	int ret;

	object = drm_gem_object_lookup(file, arguments->handle);
	if (!object)
		return -ENOENT;
	ret = spmm_vm_map(vm, object, arguments->address, arguments->offset,
			  arguments->length, arguments->flags);
	drm_gem_object_put(object);
	return ret;
}

int spmm_vm_bind_ioctl(struct drm_device *drm, void *data,
		       struct drm_file *file)
{
	const struct drm_spmm_vm_bind *arguments = data;
	struct spmm_context *context = file->driver_priv;
	int ret;

	ret = spmm_validate_vm_bind(arguments);
	if (ret)
		return ret;
	if (arguments->flags & DRM_SPMM_VM_BIND_UNMAP)
		ret = spmm_vm_unmap(&context->vm, arguments->address,
				    arguments->length);
	else
		ret = bind_object(&context->vm, file, arguments);
	/* The device does not answer: a reset is on its way. */
	return ret == -ETIMEDOUT || ret == -ECANCELED ? -EIO : ret;
}
