/* SPDX-License-Identifier: MIT */
/*
 * The device behind an open file, in sysfs: each call gives 0 or -errno.
 */
#ifndef KSELFTEST_DEVICE_H
#define KSELFTEST_DEVICE_H

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "jobs.h"

#define DRIVER "/sys/bus/pci/drivers/spmm"

static inline int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Its name on the bus; @size bytes of room. */
static inline int device_name(int fd, char *name, size_t size)
{
	char link[64], folder[256] = "";
	struct stat node;

	if (fstat(fd, &node))
		return -errno;
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device",
		 major(node.st_rdev), minor(node.st_rdev));
	if (readlink(link, folder, sizeof(folder) - 1) < 0)
		return -errno;
	snprintf(name, size, "%s", strrchr(folder, '/') + 1);
	return 0;
}

/* A reset of the function, by which the device loses its memory. */
static inline int device_reset(const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", name);
	return file_write(path, "1");
}

static inline int device_unbind(const char *name)
{
	return file_write(DRIVER "/unbind", name);
}

static inline int device_bind(const char *name)
{
	return file_write(DRIVER "/bind", name);
}

/* The node of a device that is on its way: for ten seconds at most. */
static inline int node_open_soon(void)
{
	int fd, i;

	for (i = 0; i < 100; i++) {
		fd = node_open();
		if (fd >= 0)
			return fd;
		usleep(100000);
	}
	return -ENODEV;
}

#endif
