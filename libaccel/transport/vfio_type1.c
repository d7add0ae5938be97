/* SPDX-License-Identifier: MIT */
#include "transport/vfio_type1.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "core/checked.h"
#include "core/error.h"
#include "transport/iova.h"

static int astray(void)
{
	return accel_error(-EPROTO,
			   "vfio: the kernel's list of addresses is malformed");
}

static int ranges_add(const char *capability, size_t bytes,
		      struct iova_space *space)
{
	struct vfio_iommu_type1_info_cap_iova_range list;
	struct vfio_iova_range range;
	int ret = 0;

	if (bytes < sizeof(list))
		return astray();
	memcpy(&list, capability, sizeof(list));
	if (list.nr_iovas > (bytes - sizeof(list)) / sizeof(range))
		return astray();
	for (uint32_t i = 0; i < list.nr_iovas && !ret; i++) {
		memcpy(&range, capability + sizeof(list) + i * sizeof(range),
		       sizeof(range));
		ret = iova_space_allow(space, range.start, range.end);
	}
	return ret;
}

/* Each capability says where the next one is; they only go forward. */
static int capabilities_walk(const char *info, size_t bytes, size_t offset,
			     struct iova_space *space)
{
	while (offset) {
		struct vfio_info_cap_header header;

		if (!checked_range(offset, sizeof(header), bytes))
			return astray();
		memcpy(&header, info + offset, sizeof(header));
		if (header.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			return ranges_add(info + offset, bytes - offset, space);
		if (header.next && header.next <= offset)
			return astray();
		offset = header.next;
	}
	return accel_error(
		-ENOTSUP,
		"vfio: the kernel does not say which addresses it can map; it has to be 5.4 or newer");
}

int vfio_type1_ranges(const void *info, size_t bytes, struct iova_space *space)
{
	struct vfio_iommu_type1_info head = { 0 };

	if (bytes < sizeof(head))
		return astray();
	memcpy(&head, info, sizeof(head));
	if (!(head.flags & VFIO_IOMMU_INFO_CAPS))
		head.cap_offset = 0;
	return capabilities_walk(info, bytes, head.cap_offset, space);
}
