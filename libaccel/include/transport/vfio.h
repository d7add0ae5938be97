/* SPDX-License-Identifier: MIT */
/* A device that the kernel's VFIO hands to this process ("vfio:ADDRESS"). */
#ifndef TRANSPORT_VFIO_H
#define TRANSPORT_VFIO_H

#include "transport/transport.h"

/**
 * enum vfio_iommu - what stands between the device and this process's memory
 * @VFIO_IOMMU_ANY: iommufd where kernel and device have it, else type1
 * @VFIO_IOMMU_TYPE1: a group of devices in a container
 * @VFIO_IOMMU_IOMMUFD: the device's own node and /dev/iommu
 * @VFIO_IOMMU_NONE: nothing. A device that errs writes anywhere
 */
enum vfio_iommu {
	VFIO_IOMMU_ANY,
	VFIO_IOMMU_TYPE1,
	VFIO_IOMMU_IOMMUFD,
	VFIO_IOMMU_NONE,
};

/**
 * struct transport_vfio_options - which device, and how to reach it
 * @address: on the PCI bus, with or without the domain: 0000:01:00.0, 01:00.0
 * @iommu: that, and no other
 */
struct transport_vfio_options {
	const char *address;
	enum vfio_iommu iommu;
};

/*
 * The device is reset and may become master of the bus. When the kernel wants it back,
 * it gets it, whatever this process is doing: every read is all ones from then on, and
 * reset() opens the device again, with all its mappings.
 */
int transport_vfio_open(const struct transport_vfio_options *options,
			struct transport **out);

#endif
