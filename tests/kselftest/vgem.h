/* SPDX-License-Identifier: MIT */
/*
 * The kernel's virtual GEM provider: a driver to share buffers with.
 */
#ifndef KSELFTEST_VGEM_H
#define KSELFTEST_VGEM_H

#include "jobs.h"

/* The node of the virtual GEM provider, or -1. */
static inline int vgem_open(void)
{
	char path[32], name[8];
	int i, fd;

	for (i = 0; i < 8; i++) {
		struct drm_version version = {
			.name = name,
			.name_len = sizeof(name) - 1,
		};

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!call(fd, DRM_IOCTL_VERSION, &version) &&
		    !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	return -1;
}

#endif
