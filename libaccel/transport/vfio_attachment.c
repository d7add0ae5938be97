/* SPDX-License-Identifier: MIT */
#include "transport/vfio_attachment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/error.h"
#include "transport/vfio_location.h"

static void file_close(int *file)
{
	if (*file >= 0)
		close(*file);
	*file = -1;
}

void vfio_detach(struct vfio_attachment *attachment)
{
	file_close(&attachment->device);
	file_close(&attachment->group);
	file_close(&attachment->iommu);
}

int vfio_attach(const struct vfio_location *location,
		struct vfio_attachment *attachment)
{
	int ret;

	*attachment = VFIO_DETACHED;
	if (location->iommu == VFIO_IOMMU_IOMMUFD)
		ret = vfio_iommufd_attach(location, attachment);
	else
		ret = vfio_group_attach(location, attachment);
	if (ret)
		vfio_detach(attachment);
	return ret;
}

/* KiB that this process has locked, for which there is no system call. */
static unsigned long long locked_kib(void)
{
	unsigned long long locked = 0, pinned = 0;
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "VmLck: %llu", &locked);
		sscanf(line, "VmPin: %llu", &pinned);
	}
	if (file)
		fclose(file);
	return locked + pinned;
}

static int locked_explain(size_t length)
{
	struct rlimit limit = { 0, 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		return accel_error(-ENOMEM,
				   "DMA: no %zu bytes of memory can be pinned",
				   length);
	return accel_error(
		-ENOMEM,
		"DMA: %zu KiB more than the %llu KiB that are pinned would exceed the %llu KiB that this process may lock (ulimit -l); raise memlock in /etc/security/limits.conf",
		length / 1024, locked_kib(),
		(unsigned long long)limit.rlim_cur / 1024);
}

int vfio_map_explain(int error, const void *address, size_t length)
{
	switch (error) {
	case ENOMEM:
		return locked_explain(length);
	case ENOSPC:
		return accel_error(
			-ENOSPC,
			"DMA: the kernel allows no more mappings (dma_entry_limit of vfio_iommu_type1); free buffers, or make fewer and larger ones");
	case EFAULT:
		return accel_error(
			-EFAULT,
			"DMA: %zu bytes at %p cannot be pinned: not all of it is memory that can be written",
			length, address);
	default:
		return accel_error(-error,
				   "DMA: %zu bytes cannot be mapped: %s",
				   length, strerror(error));
	}
}
