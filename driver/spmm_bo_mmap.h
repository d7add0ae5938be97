/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects in the address space of a process: pages of the host cached, device
 * memory through the window of BAR 2, write-combined.
 */
#ifndef SPMM_BO_MMAP_H
#define SPMM_BO_MMAP_H

#include <linux/mm.h>

struct drm_gem_object;

extern const struct vm_operations_struct spmm_bo_vm_operations;

bool spmm_bo_is_mappable(const struct drm_gem_object *object);
int spmm_bo_mmap(struct drm_gem_object *object, struct vm_area_struct *vma);
/* The object moves or leaves: the next access of a process finds its new place. */
void spmm_bo_zap(struct drm_gem_object *object);

#endif
