/* SPDX-License-Identifier: MIT */
/*
 * Bus addresses for memory that a device reaches through an IOMMU. The kernel says which
 * it can translate; the rest, such as where interrupts are written to, is never given out.
 */
#ifndef TRANSPORT_IOVA_H
#define TRANSPORT_IOVA_H

#include "core/range.h"

struct iova_space {
	struct range_set ranges;
};

/* Nothing in it yet. */
int iova_space_create(struct iova_space *space);
void iova_space_destroy(struct iova_space *space);

/*
 * Addresses @first to @last may be used, both included; of them, those that the device's
 * page tables can express, and no null pointers. Ranges do not overlap. −ENOMEM.
 */
int iova_space_allow(struct iova_space *space, uint64_t first, uint64_t last);

/*
 * Whole pages, aligned to large pages if there is one of them, and with an unmapped page
 * behind, so that whoever runs over the end faults. −ENOSPC with a text.
 */
int iova_allocate(struct iova_space *space, uint64_t length, uint64_t *iova);

/* With the same length. */
void iova_release(struct iova_space *space, uint64_t iova, uint64_t length);

#endif
