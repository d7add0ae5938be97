/* SPDX-License-Identifier: MIT */
/* What sysfs says of a device that VFIO is to hand out, and which nodes it has. */
#ifndef TRANSPORT_VFIO_LOCATION_H
#define TRANSPORT_VFIO_LOCATION_H

#include <limits.h>
#include <stdbool.h>

#include "transport/vfio.h"

#define VFIO_ADDRESS_BYTES sizeof("0000:00:00.0")

/* Where to look; tests have others. */
struct vfio_roots {
	const char *sys;
	const char *dev;
};

extern const struct vfio_roots vfio_roots;

/**
 * struct vfio_location - a device that can be opened
 * @address: with its domain
 * @iommu: how, no longer VFIO_IOMMU_ANY
 * @group: number of its IOMMU group
 * @node: to open: the group's, or the device's own
 * @container: to open beside it
 */
struct vfio_location {
	char address[VFIO_ADDRESS_BYTES];
	enum vfio_iommu iommu;
	unsigned int group;
	char node[PATH_MAX];
	char container[PATH_MAX];
};

/* The address with its domain, or −EINVAL. */
int vfio_address_parse(const char *text, char address[VFIO_ADDRESS_BYTES]);

/*
 * −EINVAL for what is no address; −ENOENT for no such device, −ENODEV for one of another
 * kind or without a driver, −EBUSY for one with another driver, −ENOTSUP where there is
 * no such IOMMU. The text says what to do.
 */
int vfio_locate(const struct vfio_roots *roots,
		const struct transport_vfio_options *options,
		struct vfio_location *location);

/* Opens one of its nodes; the errno with a text that says what to do. */
int vfio_node_open(const struct vfio_location *location, const char *path);

/* A text that names the devices of its group, which other drivers have. */
int vfio_group_explain(const struct vfio_roots *roots,
		       const struct vfio_location *location);

#endif
