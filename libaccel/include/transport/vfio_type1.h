/* SPDX-License-Identifier: MIT */
/* What the kernel's type1 IOMMU tells of itself. */
#ifndef TRANSPORT_VFIO_TYPE1_H
#define TRANSPORT_VFIO_TYPE1_H

#include <stddef.h>

struct iova_space;

/*
 * The ranges of an answer to VFIO_IOMMU_GET_INFO, of @bytes, into @space. −EPROTO for one
 * that leads astray, −ENOTSUP for one without ranges (kernels before 5.4).
 */
int vfio_type1_ranges(const void *info, size_t bytes, struct iova_space *space);

#endif
