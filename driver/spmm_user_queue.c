// SPDX-License-Identifier: GPL-2.0-only
/* User queues: rings in memory of the process, whose doorbell it rings itself. */
#include "spmm_user_queue.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_power.h"
#include "spmm_queue.h"
#include "spmm_recovery.h"
#include "spmm_reset.h"
#include "spmm_slot.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/spmm_accel.h>
#include <linux/bits.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <spmm/registers.h>

/* Far above the offsets of buffer objects. */
#define DOORBELL_OFFSET BIT_ULL(48)
#define DOORBELL_AREA BIT_ULL(46)

/**
 * struct spmm_user_queue - what a user queue has beyond other queues
 * @sq: device address of the submission ring
 * @cq: of the completion ring
 * @entries: of each
 * @state: enum drm_spmm_queue_state; changed once, from OK, under slots.lock or queue.lock
 * @offset: of the doorbell, for mmap(); never used again
 * @page: what the doorbell's mapping shows when there is none
 */
struct spmm_user_queue {
	u64 sq;
	u64 cq;
	u32 entries;
	u32 state;
	u64 offset;
	struct page *page;
};

bool spmm_user_queue_supported(const struct spmm_device *spmm)
{
	return spmm->capabilities.doorbell_stride >= PAGE_SIZE;
}

u32 spmm_user_queue_state(const struct spmm_queue *queue)
{
	if (spmm_device_is_gone(queue->context->spmm))
		return DRM_SPMM_QUEUE_GONE;
	return queue->user ? READ_ONCE(queue->user->state) : DRM_SPMM_QUEUE_OK;
}

void spmm_user_queue_rings(const struct spmm_queue *queue, u64 *sq, u64 *cq,
			   u32 *entries)
{
	*sq = queue->user->sq;
	*cq = queue->user->cq;
	*entries = queue->user->entries;
}

void spmm_user_queue_notify(struct spmm_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->eventfd)
		eventfd_signal(queue->eventfd);
}

bool spmm_user_queue_fault(struct spmm_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->log.state == DRM_SPMM_JOB_FAULT)
		queue->last_fault = queue->log;
	WRITE_ONCE(queue->user->state, DRM_SPMM_QUEUE_FAULTED);
	spmm_user_queue_notify(queue);
	return false;
}

void spmm_user_queue_evicted(struct spmm_queue *queue)
{
	spin_lock_irq(&queue->lock);
	if (queue->user->state == DRM_SPMM_QUEUE_OK)
		WRITE_ONCE(queue->user->state, DRM_SPMM_QUEUE_EVICTED);
	spmm_user_queue_notify(queue);
	spin_unlock_irq(&queue->lock);
}

/*
 * Faults that come later find that their queue was taken away; those under way are waited
 * for. All doorbells are unmapped, those that still lead somewhere are found again.
 */
static void unmap_doorbells(struct spmm_slots *slots)
{
	struct inode *inode = slots->spmm->drm.anon_inode;

	down_write(&slots->doorbells);
	up_write(&slots->doorbells);
	unmap_mapping_range(inode->i_mapping, DOORBELL_OFFSET, DOORBELL_AREA,
			    1);
}

void spmm_user_queue_unpark_work(struct work_struct *work)
{
	struct spmm_slots *slots =
		container_of(work, struct spmm_slots, unpark);
	DECLARE_BITMAP(parked, SPMM_IO_QUEUES_MAX + 1);

	mutex_lock(&slots->lock);
	bitmap_copy(parked, slots->parked, SPMM_IO_QUEUES_MAX + 1);
	mutex_unlock(&slots->lock);

	unmap_doorbells(slots);

	mutex_lock(&slots->lock);
	bitmap_andnot(slots->parked, slots->parked, parked,
		      SPMM_IO_QUEUES_MAX + 1);
	mutex_unlock(&slots->lock);
	queue_work(slots->workqueue, &slots->serve);
}

static struct spmm_user_queue *
user_queue_alloc(struct spmm_slots *slots,
		 const struct drm_spmm_queue_create *arguments)
{
	struct spmm_user_queue *user;

	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!user->page) {
		kfree(user);
		return NULL;
	}
	user->sq = arguments->sq_address;
	user->cq = arguments->cq_address;
	user->entries = arguments->entries;
	mutex_lock(&slots->lock);
	user->offset = DOORBELL_OFFSET + slots->next_doorbell++ * PAGE_SIZE;
	mutex_unlock(&slots->lock);
	return user;
}

void spmm_user_queue_destroy(struct spmm_queue *queue)
{
	if (!queue->user)
		return;
	__free_page(queue->user->page);
	kfree(queue->user);
	queue->user = NULL;
	spmm_power_put(queue->context->spmm);
}

int spmm_user_queue_create(struct spmm_queue *queue,
			   struct drm_spmm_queue_create *arguments)
{
	struct spmm_device *spmm = queue->context->spmm;
	struct spmm_user_queue *user;
	int ret;

	if (!spmm_user_queue_supported(spmm))
		return -EINVAL;
	user = user_queue_alloc(spmm->slots, arguments);
	if (!user)
		return -ENOMEM;
	ret = spmm_power_get(spmm);
	if (ret) {
		__free_page(user->page);
		kfree(user);
		return ret;
	}
	queue->user = user;
	arguments->doorbell_offset = user->offset;
	/*
	 * A process hears of a fault from the device, the module later; a queue that takes
	 * the place of one that failed shall not be a victim of that.
	 */
	spmm_recovery_finish(spmm);
	/* What was taken from others may still have to be unmapped. */
	flush_work(&spmm->slots->unpark);
	return spmm_slot_acquire(spmm, queue);
}

static vm_fault_t insert_page(struct vm_fault *vmf, struct spmm_queue *queue)
{
	return vmf_insert_pfn(vmf->vma, vmf->address,
			      page_to_pfn(queue->user->page));
}

static vm_fault_t insert_doorbell(struct vm_fault *vmf,
				  struct spmm_queue *queue)
{
	struct spmm_device *spmm = queue->context->spmm;
	u64 start = pci_resource_start(spmm->pdev, SPMM_BAR_REGISTERS);
	u32 hardware = READ_ONCE(queue->hardware);
	u64 doorbell;

	/* Taken away since its state was read; 0 is the admin queue's doorbell. */
	if (!hardware)
		return insert_page(vmf, queue);
	doorbell = SPMM_DOORBELL_BASE +
		   (u64)hardware * spmm->capabilities.doorbell_stride;
	return vmf_insert_pfn(vmf->vma, vmf->address,
			      (start + doorbell) >> PAGE_SHIFT);
}

static vm_fault_t doorbell_fault(struct vm_fault *vmf)
{
	struct spmm_queue *queue = vmf->vma->vm_private_data;
	struct spmm_device *spmm = queue->context->spmm;
	vm_fault_t ret;
	int index;

	if (!drm_dev_enter(&spmm->drm, &index))
		return insert_page(vmf, queue);
	down_read(&spmm->slots->doorbells);
	if (spmm_user_queue_state(queue) == DRM_SPMM_QUEUE_OK)
		ret = insert_doorbell(vmf, queue);
	else
		ret = insert_page(vmf, queue);
	up_read(&spmm->slots->doorbells);
	drm_dev_exit(index);
	return ret;
}

static void doorbell_open(struct vm_area_struct *vma)
{
	spmm_queue_get(vma->vm_private_data);
}

static void doorbell_close(struct vm_area_struct *vma)
{
	spmm_queue_put(vma->vm_private_data);
}

static const struct vm_operations_struct doorbell_ops = {
	.open = doorbell_open,
	.close = doorbell_close,
	.fault = doorbell_fault,
};

/* With a reference, or NULL. */
static struct spmm_queue *find_queue(struct spmm_context *context, u64 offset)
{
	struct spmm_queue *queue, *found = NULL;
	unsigned long index;

	xa_lock(&context->queues);
	xa_for_each(&context->queues, index, queue) {
		if (queue->user && queue->user->offset == offset) {
			spmm_queue_get(queue);
			found = queue;
			break;
		}
	}
	xa_unlock(&context->queues);
	return found;
}

static int mmap_doorbell(struct drm_file *file, struct vm_area_struct *vma)
{
	struct spmm_queue *queue;

	if (vma->vm_end - vma->vm_start != PAGE_SIZE ||
	    !(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	queue = find_queue(file->driver_priv, (u64)vma->vm_pgoff << PAGE_SHIFT);
	if (!queue)
		return -EINVAL;
	/* A child has its own file or none: it cannot ring for its parent. */
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
				  VM_DONTCOPY);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &doorbell_ops;
	vma->vm_private_data = queue;
	return 0;
}

int spmm_user_queue_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct drm_file *file = filp->private_data;

	if (vma->vm_pgoff < DOORBELL_OFFSET >> PAGE_SHIFT)
		return drm_gem_mmap(filp, vma);
	if (drm_dev_is_unplugged(file->minor->dev))
		return -ENODEV;
	return mmap_doorbell(file, vma);
}
