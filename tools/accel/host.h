/* SPDX-License-Identifier: MIT */
/*
 * The files by which the kernel shows the machine: /sys, /proc, /dev and /etc. Tests put a
 * folder of their own, named by ACCEL_TEST_ROOT, in the place of "/". Paths are formats,
 * and begin with "/".
 */
#ifndef TOOL_HOST_H
#define TOOL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name of a device, driver, node or group. */
#define HOST_NAME_MAX 64

/* The folder in the place of "/", "" for "/" itself. */
const char *host_root(void);

/* Put a file's path, below the root, where there is room for PATH_MAX. */
__attribute__((format(printf, 2, 3))) void host_path(char *path,
						     const char *format, ...);

__attribute__((format(printf, 1, 2))) bool host_exists(const char *format, ...);

/* Up to size − 1 bytes, without what is blank at their end; −errno, and "" then. */
__attribute__((format(printf, 3, 4))) int host_read(char *text, size_t size,
						    const char *format, ...);

/* A number, decimal or with 0x; −errno, −EINVAL if it is none. */
__attribute__((format(printf, 2, 3))) int
host_read_number(int64_t *value, const char *format, ...);

/* The last part of what a link points to; −errno, and "" then. */
__attribute__((format(printf, 3, 4))) int host_link(char *name, size_t size,
						    const char *format, ...);

/*
 * The first entry of a folder that begins with prefix; −ENOENT without one, and ""
 * then.
 */
__attribute__((format(printf, 4, 5))) int host_entry(char *name, size_t size,
						     const char *prefix,
						     const char *format, ...);

#endif
