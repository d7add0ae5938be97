/* SPDX-License-Identifier: MIT */
/*
 * A device that this process has, with the address space in which its DMA goes: a group
 * in a container, or a device of its own with an iommufd. Closing the files undoes all.
 */
#ifndef TRANSPORT_VFIO_ATTACHMENT_H
#define TRANSPORT_VFIO_ATTACHMENT_H

#include <stddef.h>
#include <stdint.h>

struct iova_space;
struct vfio_attachment;
struct vfio_location;

/**
 * struct vfio_attachment_operations - what differs with the IOMMU's interface
 * @ranges: adds the addresses that may be used to @space
 * @map: whole pages of this process at @iova
 * @unmap: what map() was given
 *
 * Each returns 0 or −errno with a text. Without an IOMMU there is nothing to map.
 */
struct vfio_attachment_operations {
	int (*ranges)(struct vfio_attachment *attachment,
		      struct iova_space *space);
	int (*map)(struct vfio_attachment *attachment, const void *address,
		   size_t length, uint64_t iova);
	int (*unmap)(struct vfio_attachment *attachment, uint64_t iova,
		     size_t length);
};

/**
 * struct vfio_attachment - an open device
 * @operations: of its IOMMU's interface
 * @device: its file; −1: nothing is open
 * @iommu: of the container, or the iommufd; −1 likewise
 * @group: −1 where there is none
 * @ioas: the address space in an iommufd
 */
struct vfio_attachment {
	const struct vfio_attachment_operations *operations;
	int device;
	int iommu;
	int group;
	uint32_t ioas;
};

#define VFIO_DETACHED ((struct vfio_attachment){ NULL, -1, -1, -1, 0 })

/* Closes what there is, also after a failure. */
void vfio_detach(struct vfio_attachment *attachment);

/* As the location says. What was opened before a failure is closed. */
int vfio_attach(const struct vfio_location *location,
		struct vfio_attachment *attachment);

/* The two ways; the caller closes, also after a failure. */
int vfio_group_attach(const struct vfio_location *location,
		      struct vfio_attachment *attachment);
int vfio_iommufd_attach(const struct vfio_location *location,
			struct vfio_attachment *attachment);

/* −errno of a map() that the kernel has refused, with a text: what is short, and how much. */
int vfio_map_explain(int error, const void *address, size_t length);

#endif
