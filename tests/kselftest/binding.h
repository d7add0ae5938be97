/* SPDX-License-Identifier: MIT */
/* Takes the device from the driver, and gives it back. */
#ifndef KSELFTEST_BINDING_H
#define KSELFTEST_BINDING_H

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRIVER "/sys/bus/pci/drivers/spmm"

/* "bind" or "unbind". */
static inline int driver_tell(const char *file, const char *device)
{
	char path[64];
	int fd, ret = 0;

	snprintf(path, sizeof(path), DRIVER "/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, device, strlen(device)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The device that the driver has. */
static inline int driver_device(char *name, size_t size)
{
	glob_t found;

	if (glob(DRIVER "/*:*:*.*", 0, NULL, &found))
		return -ENODEV;
	snprintf(name, size, "%s", basename(found.gl_pathv[0]));
	globfree(&found);
	return 0;
}

#endif
