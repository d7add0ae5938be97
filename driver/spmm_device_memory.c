// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_device_memory.h"

#include "spmm_blit.h"
#include "spmm_bo.h"
#include "spmm_bo_mmap.h"
#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_power.h"
#include "spmm_prime.h"
#include "spmm_vm.h"

#include <drm/drm_managed.h>
#include <drm/spmm_accel.h>
#include <linux/io.h>
#include <linux/sched/signal.h>
#include <spmm/page_table.h>

/* So much is cleared before somebody else's turn comes, or a signal is looked at. */
#define SPMM_MEMORY_CLEAR_STEP SZ_64M

static struct spmm_bo *spmm_memory_next_kept(struct spmm_memory *memory)
{
	struct spmm_bo *bo;

	mutex_lock(&memory->lock);
	bo = list_first_entry_or_null(&memory->kept, struct spmm_bo, kept_node);
	if (bo && !--bo->kept)
		list_del(&bo->kept_node);
	mutex_unlock(&memory->lock);
	return bo;
}

static void spmm_memory_release_work(struct work_struct *work)
{
	struct spmm_memory *memory =
		container_of(work, struct spmm_memory, release_work);
	struct spmm_bo *bo;

	while ((bo = spmm_memory_next_kept(memory))) {
		spmm_bo_unpin(&bo->base);
		drm_gem_object_put(&bo->base);
	}
}

/* Not by the caller, whom fences wait for: objects have locks. */
void spmm_memory_release_kept(struct spmm_device *spmm)
{
	struct spmm_memory *memory = spmm->memory;

	/* A probe that fails early has none. */
	if (memory)
		schedule_work(&memory->release_work);
}

static void spmm_memory_takedown(struct drm_device *drm, void *data)
{
	struct spmm_memory *memory = data;

	cancel_work_sync(&memory->release_work);
	drm_mm_takedown(&memory->blocks);
}

int spmm_memory_init(struct spmm_device *spmm)
{
	const struct spmm_capabilities *capabilities = &spmm->capabilities;
	struct spmm_memory *memory;
	int ret;

	memory = drmm_kzalloc(&spmm->drm, sizeof(*memory), GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	ret = drmm_mutex_init(&spmm->drm, &memory->lock);
	if (ret)
		return ret;
	ret = drmm_mutex_init(&spmm->drm, &memory->objects_lock);
	if (ret)
		return ret;
	INIT_LIST_HEAD(&memory->objects);
	INIT_LIST_HEAD(&memory->kept);
	INIT_LIST_HEAD(&memory->vms);
	INIT_WORK(&memory->release_work, spmm_memory_release_work);
	drm_mm_init(&memory->blocks, 0,
		    round_down(capabilities->memory_bytes, PAGE_SIZE));
	spmm->memory = memory;
	/* Without it the processor would not combine writes to the window. */
	if (capabilities->window_bytes)
		devm_arch_io_reserve_memtype_wc(spmm->drm.dev,
						spmm->window_start,
						capabilities->window_bytes);
	return drmm_add_action_or_reset(&spmm->drm, spmm_memory_takedown,
					memory);
}

void spmm_memory_unplug(struct spmm_device *spmm)
{
	struct spmm_memory *memory = spmm->memory;
	struct spmm_bo *bo;
	struct spmm_vm *vm;

	mutex_lock(&memory->objects_lock);
	list_for_each_entry(bo, &memory->objects, node) {
		if (spmm_bo_is_device(&bo->base))
			spmm_prime_revoke(bo);
		spmm_bo_end_dma(bo);
	}
	list_for_each_entry(vm, &memory->vms, node)
		spmm_vm_unplug(vm);
	mutex_unlock(&memory->objects_lock);
	spmm_memory_release_kept(spmm);
	flush_work(&memory->release_work);
}

void spmm_memory_lost(struct spmm_device *spmm)
{
	struct spmm_vm *vm;

	mutex_lock(&spmm->memory->lock);
	list_for_each_entry(vm, &spmm->memory->vms, node)
		if (spmm_vm_uses_device_memory(vm))
			atomic_set(&vm->context->memory_lost, 1);
	mutex_unlock(&spmm->memory->lock);
}

void spmm_memory_add_vm(struct spmm_memory *memory, struct spmm_vm *vm)
{
	mutex_lock(&memory->objects_lock);
	mutex_lock(&memory->lock);
	list_add(&vm->node, &memory->vms);
	mutex_unlock(&memory->lock);
	mutex_unlock(&memory->objects_lock);
}

void spmm_memory_remove_vm(struct spmm_memory *memory, struct spmm_vm *vm)
{
	mutex_lock(&memory->objects_lock);
	mutex_lock(&memory->lock);
	list_del(&vm->node);
	mutex_unlock(&memory->lock);
	mutex_unlock(&memory->objects_lock);
}

u64 spmm_memory_total(struct spmm_device *spmm)
{
	return round_down(spmm->capabilities.memory_bytes, PAGE_SIZE);
}

u64 spmm_memory_available(struct spmm_device *spmm)
{
	return spmm_memory_total(spmm) - READ_ONCE(spmm->memory->used);
}

/* What is visible grows from the bottom, all else from the top. */
static int spmm_memory_insert(struct spmm_device *spmm, struct spmm_bo *bo,
			      u64 alignment)
{
	bool is_visible = bo->flags & DRM_SPMM_BO_VISIBLE;
	u64 end = is_visible ? spmm->capabilities.window_bytes : U64_MAX;
	enum drm_mm_insert_mode mode = is_visible ? DRM_MM_INSERT_LOW :
						    DRM_MM_INSERT_HIGH;

	return drm_mm_insert_node_in_range(&spmm->memory->blocks, &bo->block,
					   bo->base.size, alignment, 0, 0, end,
					   mode);
}

static int spmm_memory_take(struct spmm_device *spmm, struct spmm_bo *bo)
{
	struct spmm_memory *memory = spmm->memory;
	int ret = -ENOSPC;

	mutex_lock(&memory->lock);
	/* For large pages, if there is room for them. */
	if (bo->base.size >= SPMM_LARGE_PAGE_SIZE)
		ret = spmm_memory_insert(spmm, bo, SPMM_LARGE_PAGE_SIZE);
	if (ret == -ENOSPC)
		ret = spmm_memory_insert(spmm, bo, PAGE_SIZE);
	if (!ret)
		WRITE_ONCE(memory->used, memory->used + bo->base.size);
	mutex_unlock(&memory->lock);
	return ret;
}

static int spmm_memory_clear(struct spmm_device *spmm, struct spmm_bo *bo)
{
	u64 done = 0;
	int ret = 0;

	while (!ret && done < bo->base.size) {
		u64 step = min_t(u64, bo->base.size - done,
				 SPMM_MEMORY_CLEAR_STEP);

		if (fatal_signal_pending(current))
			return -EINTR;
		ret = spmm_blit_clear(spmm, bo->block.start + done, step);
		done += step;
	}
	return ret;
}

int spmm_memory_allocate(struct spmm_device *spmm, struct spmm_bo *bo)
{
	int ret;

	/* Asleep the device would forget what is in its memory. */
	ret = spmm_power_get(spmm);
	if (ret)
		return ret;
	ret = spmm_memory_take(spmm, bo);
	if (ret) {
		spmm_power_put(spmm);
		return ret;
	}
	ret = spmm_memory_clear(spmm, bo);
	if (ret)
		spmm_memory_give_back(spmm, bo);
	return ret;
}

void spmm_memory_give_back(struct spmm_device *spmm, struct spmm_bo *bo)
{
	struct spmm_memory *memory = spmm->memory;

	if (!drm_mm_node_allocated(&bo->block))
		return;
	mutex_lock(&memory->lock);
	WRITE_ONCE(memory->used, memory->used - bo->base.size);
	drm_mm_remove_node(&bo->block);
	mutex_unlock(&memory->lock);
	spmm_power_put(spmm);
}

/* Copy to pages of the host, which stay the object's. Reservation lock held. */
static int spmm_memory_copy_out(struct spmm_device *spmm, struct spmm_bo *bo)
{
	int ret;

	ret = spmm_bo_map_pages(bo);
	if (ret)
		return ret;
	return spmm_blit_save(spmm, bo->block.start, bo, bo->base.size);
}

int spmm_memory_migrate(struct spmm_device *spmm, struct spmm_bo *bo)
{
	int ret;

	dma_resv_assert_held(bo->base.resv);
	if (bo->pins)
		return -EBUSY;
	ret = spmm_memlock_charge(&bo->charge, bo->base.size);
	if (ret)
		return ret;
	/* From now on writes of a process wait for the lock, and go to the new place. */
	spmm_bo_zap(&bo->base);
	ret = spmm_memory_copy_out(spmm, bo);
	if (ret)
		spmm_memlock_uncharge(&bo->charge);
	else
		spmm_memory_give_back(spmm, bo);
	return ret;
}

/* Do it for every object that has device memory. */
static int spmm_memory_for_each(struct spmm_device *spmm,
				int (*operation)(struct spmm_device *spmm,
						 struct spmm_bo *bo))
{
	struct spmm_bo *bo;
	int ret = 0;

	mutex_lock(&spmm->memory->objects_lock);
	list_for_each_entry(bo, &spmm->memory->objects, node) {
		/* Imported objects have locks of others, and nothing here. */
		if (!spmm_bo_is_device(&bo->base))
			continue;
		dma_resv_lock(bo->base.resv, NULL);
		if (drm_mm_node_allocated(&bo->block))
			ret = operation(spmm, bo);
		dma_resv_unlock(bo->base.resv);
		if (ret)
			break;
	}
	mutex_unlock(&spmm->memory->objects_lock);
	return ret;
}

static int spmm_memory_copy_in(struct spmm_device *spmm, struct spmm_bo *bo)
{
	int ret;

	if (!bo->table)
		return 0;
	ret = spmm_blit_restore(spmm, bo, bo->block.start, bo->base.size);
	if (!ret)
		spmm_bo_drop_pages(bo);
	return ret;
}

static int spmm_memory_drop_copy(struct spmm_device *spmm, struct spmm_bo *bo)
{
	spmm_bo_drop_pages(bo);
	return 0;
}

int spmm_memory_save(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_memory_for_each(spmm, spmm_memory_copy_out);
	if (ret)
		spmm_memory_for_each(spmm, spmm_memory_drop_copy);
	return ret;
}

int spmm_memory_restore(struct spmm_device *spmm)
{
	return spmm_memory_for_each(spmm, spmm_memory_copy_in);
}
