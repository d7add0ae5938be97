// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_bo_mmap.h"

#include "spmm_bo.h"
#include "spmm_device.h"

#include <drm/drm_drv.h>
#include <drm/drm_vma_manager.h>
#include <drm/spmm_accel.h>
#include <linux/mm.h>

/* Pages that one fault brings: of what is touched once, the neighbours follow. */
#define SPMM_FAULT_PAGES 16

bool spmm_bo_is_mappable(const struct drm_gem_object *object)
{
	return to_spmm_bo(object)->flags &
	       (DRM_SPMM_BO_HOST | DRM_SPMM_BO_VISIBLE);
}

static vm_fault_t spmm_bo_insert_host(struct spmm_bo *bo,
				      struct vm_area_struct *vma,
				      unsigned long address, pgoff_t page)
{
	return vmf_insert_pfn(vma, address, page_to_pfn(bo->pages[page]));
}

static vm_fault_t spmm_bo_insert_window(struct spmm_bo *bo,
					struct vm_area_struct *vma,
					unsigned long address, pgoff_t page)
{
	struct spmm_device *spmm = to_spmm(bo->base.dev);
	phys_addr_t start = spmm->window_start + bo->block.start;

	return vmf_insert_pfn_prot(vma, address, PHYS_PFN(start) + page,
				   pgprot_writecombine(vma->vm_page_prot));
}

/* The page that was asked for, then more up to an aligned boundary. */
static vm_fault_t spmm_bo_insert(struct spmm_bo *bo, struct vm_fault *vmf,
				 pgoff_t page)
{
	bool is_window = drm_mm_node_allocated(&bo->block);
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PAGE_MASK;
	pgoff_t end = min(round_down(page, SPMM_FAULT_PAGES) + SPMM_FAULT_PAGES,
			  bo->base.size >> PAGE_SHIFT);
	vm_fault_t first = VM_FAULT_SIGBUS, ret = VM_FAULT_NOPAGE;
	bool is_first = true;

	for (; page < end && address < vma->vm_end; page++) {
		if (is_window)
			ret = spmm_bo_insert_window(bo, vma, address, page);
		else
			ret = spmm_bo_insert_host(bo, vma, address, page);
		if (is_first)
			first = ret;
		is_first = false;
		if (ret != VM_FAULT_NOPAGE)
			break;
		address += PAGE_SIZE;
	}
	return first;
}

static vm_fault_t spmm_bo_fault_locked(struct spmm_bo *bo, struct vm_fault *vmf)
{
	pgoff_t page = vmf->pgoff - drm_vma_node_start(&bo->base.vma_node);
	vm_fault_t ret;
	int index;

	if (page >= bo->base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	if (!drm_mm_node_allocated(&bo->block)) {
		if (spmm_bo_get_pages(bo))
			return VM_FAULT_OOM;
		return spmm_bo_insert(bo, vmf, page);
	}
	/* drm_dev_unplug() takes away what is inserted before. */
	if (!drm_dev_enter(bo->base.dev, &index))
		return VM_FAULT_SIGBUS;
	ret = spmm_bo_insert(bo, vmf, page);
	drm_dev_exit(index);
	return ret;
}

static vm_fault_t spmm_bo_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *object = vmf->vma->vm_private_data;
	vm_fault_t ret;

	if (dma_resv_lock_interruptible(object->resv, NULL))
		return VM_FAULT_NOPAGE;
	ret = spmm_bo_fault_locked(to_spmm_bo(object), vmf);
	dma_resv_unlock(object->resv);
	return ret;
}

const struct vm_operations_struct spmm_bo_vm_operations = {
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
	.fault = spmm_bo_fault,
};

int spmm_bo_mmap(struct drm_gem_object *object, struct vm_area_struct *vma)
{
	if (!spmm_bo_is_mappable(object))
		return -EPERM;
	/* Copies on write would be pages that the device does not see. */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	return 0;
}

void spmm_bo_zap(struct drm_gem_object *object)
{
	drm_vma_node_unmap(&object->vma_node,
			   object->dev->anon_inode->i_mapping);
}
