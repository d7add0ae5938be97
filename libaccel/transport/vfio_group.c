/* SPDX-License-Identifier: MIT */
/* A group of devices in a container, whose IOMMU is of type1, or none. */
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/error.h"
#include "transport/iova.h"
#include "transport/vfio_attachment.h"
#include "transport/vfio_location.h"
#include "transport/vfio_type1.h"

/* More than any kernel tells. */
#define INFO_BYTES_MAX (1u << 20)

static int group_check(const struct vfio_location *location, int group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		return accel_error(-errno, "vfio:%s: group %u: %s",
				   location->address, location->group,
				   strerror(errno));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return vfio_group_explain(&vfio_roots, location);
	return 0;
}

static int container_open(const struct vfio_location *location)
{
	int container = vfio_node_open(location, location->container);

	if (container < 0 ||
	    ioctl(container, VFIO_GET_API_VERSION) == VFIO_API_VERSION)
		return container;
	close(container);
	return accel_error(-EPROTO, "vfio:%s: %s is of another version",
			   location->address, location->container);
}

static int iommu_set(const struct vfio_location *location, int container)
{
	int type = location->iommu == VFIO_IOMMU_NONE ? VFIO_NOIOMMU_IOMMU :
							VFIO_TYPE1v2_IOMMU;

	if (ioctl(container, VFIO_CHECK_EXTENSION, type) <= 0)
		return accel_error(
			-ENOTSUP,
			"vfio:%s: the kernel has no such IOMMU; as root: modprobe vfio_iommu_type1",
			location->address);
	if (!ioctl(container, VFIO_SET_IOMMU, type))
		return 0;
	if (errno == EPERM)
		return accel_error(
			-EPERM,
			"vfio:%s: the IOMMU does not remap interrupts; as root: echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
			location->address);
	return accel_error(-errno, "vfio:%s: no IOMMU: %s", location->address,
			   strerror(errno));
}

static int device_get(const struct vfio_location *location, int group)
{
	int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, location->address);

	if (device >= 0)
		return device;
	return accel_error(-errno, "vfio:%s: %s", location->address,
			   strerror(errno));
}

/* The kernel says how many bytes it has to say. */
static int type1_ranges(struct vfio_attachment *attachment,
			struct iova_space *space)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) };
	struct vfio_iommu_type1_info *info;
	int ret;

	if (ioctl(attachment->iommu, VFIO_IOMMU_GET_INFO, &head))
		return accel_error(-errno, "vfio: no information: %s",
				   strerror(errno));
	if (head.argsz < sizeof(head) || head.argsz > INFO_BYTES_MAX)
		return accel_error(-EPROTO, "vfio: %u bytes of information",
				   head.argsz);
	info = calloc(1, head.argsz);
	if (!info)
		return accel_error(-ENOMEM, "out of memory");
	info->argsz = head.argsz;
	if (ioctl(attachment->iommu, VFIO_IOMMU_GET_INFO, info))
		ret = accel_error(-errno, "vfio: no information: %s",
				  strerror(errno));
	else
		ret = vfio_type1_ranges(info, head.argsz, space);
	free(info);
	return ret;
}

static int type1_map(struct vfio_attachment *attachment, const void *address,
		     size_t length, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)address,
		.iova = iova,
		.size = length,
	};

	if (!ioctl(attachment->iommu, VFIO_IOMMU_MAP_DMA, &map))
		return 0;
	return vfio_map_explain(errno, address, length);
}

static int type1_unmap(struct vfio_attachment *attachment, uint64_t iova,
		       size_t length)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = length,
	};

	if (ioctl(attachment->iommu, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return accel_error(-errno, "DMA: unmapping: %s",
				   strerror(errno));
	return 0;
}

/* Nothing is translated, so there is nothing to choose from. */
static int no_ranges(struct vfio_attachment *attachment,
		     struct iova_space *space)
{
	(void)attachment;
	(void)space;
	return 0;
}

static const struct vfio_attachment_operations none_operations = {
	.ranges = no_ranges,
};

static const struct vfio_attachment_operations type1_operations = {
	.ranges = type1_ranges,
	.map = type1_map,
	.unmap = type1_unmap,
};

int vfio_group_attach(const struct vfio_location *location,
		      struct vfio_attachment *attachment)
{
	int ret;

	attachment->operations = location->iommu == VFIO_IOMMU_NONE ?
					 &none_operations :
					 &type1_operations;
	attachment->group = vfio_node_open(location, location->node);
	if (attachment->group < 0)
		return attachment->group;
	ret = group_check(location, attachment->group);
	if (ret)
		return ret;
	attachment->iommu = container_open(location);
	if (attachment->iommu < 0)
		return attachment->iommu;
	if (ioctl(attachment->group, VFIO_GROUP_SET_CONTAINER,
		  &attachment->iommu))
		return accel_error(-errno, "vfio:%s: group %u: %s",
				   location->address, location->group,
				   strerror(errno));
	ret = iommu_set(location, attachment->iommu);
	if (ret)
		return ret;
	attachment->device = device_get(location, attachment->group);
	return attachment->device < 0 ? attachment->device : 0;
}
