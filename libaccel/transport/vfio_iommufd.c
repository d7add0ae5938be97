/* SPDX-License-Identifier: MIT */
/* A device by a node of its own, with an address space of an iommufd. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/error.h"
#include "transport/iova.h"
#include "transport/vfio_attachment.h"
#include "transport/vfio_location.h"
#include "transport/vfio_uapi.h"

/* More than any IOMMU has. */
#define RANGES_MAX 4096

static int failed(const struct vfio_location *location, const char *what)
{
	return accel_error(-errno, "vfio:%s: %s: %s", location->address, what,
			   strerror(errno));
}

static int bind_device(const struct vfio_location *location,
		       const struct vfio_attachment *attachment)
{
	struct uapi_vfio_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = attachment->iommu,
	};

	if (!ioctl(attachment->device, UAPI_VFIO_BIND_IOMMUFD, &bind))
		return 0;
	/* −EINVAL is the kernel's word for a device that is open already. */
	if (errno == EINVAL || errno == EBUSY)
		return accel_error(
			-EBUSY, "vfio:%s: another process has the device (%s)",
			location->address, location->node);
	return failed(location, "no access by iommufd");
}

static int address_space_create(const struct vfio_location *location,
				struct vfio_attachment *attachment)
{
	struct uapi_ioas_alloc create = { .size = sizeof(create) };
	struct uapi_vfio_attach_iommufd attach = { .argsz = sizeof(attach) };

	if (ioctl(attachment->iommu, UAPI_IOAS_ALLOC, &create))
		return failed(location, "no address space");
	attachment->ioas = create.out_ioas_id;
	attach.pt_id = create.out_ioas_id;
	if (ioctl(attachment->device, UAPI_VFIO_ATTACH_IOMMUFD, &attach))
		return failed(location, "no address space of the IOMMU's");
	return 0;
}

/* 0: into @list, −EMSGSIZE: there are more, as *count says then. */
static int ranges_ask(const struct vfio_attachment *attachment,
		      struct uapi_iova_range *list, uint32_t *count)
{
	struct uapi_ioas_iova_ranges ranges = {
		.size = sizeof(ranges),
		.ioas_id = attachment->ioas,
		.num_iovas = *count,
		.allowed_iovas = (uintptr_t)list,
	};
	int ret = ioctl(attachment->iommu, UAPI_IOAS_IOVA_RANGES, &ranges);

	*count = ranges.num_iovas;
	return ret ? -errno : 0;
}

static int iommufd_ranges(struct vfio_attachment *attachment,
			  struct iova_space *space)
{
	struct uapi_iova_range *list;
	uint32_t count = 0;
	int ret = ranges_ask(attachment, NULL, &count);

	if (ret && ret != -EMSGSIZE)
		return accel_error(ret, "iommufd: no list of addresses: %s",
				   strerror(-ret));
	if (count > RANGES_MAX)
		return accel_error(-EPROTO, "iommufd: %u ranges of addresses",
				   count);
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return accel_error(-ENOMEM, "out of memory");
	ret = ranges_ask(attachment, list, &count);
	if (ret)
		accel_error(ret, "iommufd: no list of addresses: %s",
			    strerror(-ret));
	for (uint32_t i = 0; i < count && !ret; i++)
		ret = iova_space_allow(space, list[i].start, list[i].last);
	free(list);
	return ret;
}

static int iommufd_map(struct vfio_attachment *attachment, const void *address,
		       size_t length, uint64_t iova)
{
	struct uapi_ioas_map map = {
		.size = sizeof(map),
		.flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_WRITEABLE |
			 UAPI_IOAS_MAP_READABLE,
		.ioas_id = attachment->ioas,
		.user_va = (uintptr_t)address,
		.length = length,
		.iova = iova,
	};

	if (!ioctl(attachment->iommu, UAPI_IOAS_MAP, &map))
		return 0;
	return vfio_map_explain(errno, address, length);
}

static int iommufd_unmap(struct vfio_attachment *attachment, uint64_t iova,
			 size_t length)
{
	struct uapi_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = attachment->ioas,
		.iova = iova,
		.length = length,
	};

	if (ioctl(attachment->iommu, UAPI_IOAS_UNMAP, &unmap))
		return accel_error(-errno, "DMA: unmapping: %s",
				   strerror(errno));
	return 0;
}

static const struct vfio_attachment_operations iommufd_operations = {
	.ranges = iommufd_ranges,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
};

int vfio_iommufd_attach(const struct vfio_location *location,
			struct vfio_attachment *attachment)
{
	int ret;

	attachment->operations = &iommufd_operations;
	attachment->device = vfio_node_open(location, location->node);
	if (attachment->device < 0)
		return attachment->device;
	attachment->iommu = vfio_node_open(location, location->container);
	if (attachment->iommu < 0)
		return attachment->iommu;
	ret = bind_device(location, attachment);
	return ret ? ret : address_space_create(location, attachment);
}
