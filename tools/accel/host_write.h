/* SPDX-License-Identifier: MIT */
#ifndef TOOL_HOST_WRITE_H
#define TOOL_HOST_WRITE_H

#include <stdint.h>

/*
 * Write a line to a file of the kernel, below the root of host.h, in one piece. The kernel
 * may make it wait, without end and beyond any signal: another process writes, and is left
 * behind at the deadline. −errno, −ETIMEDOUT; without a text.
 */
__attribute__((format(printf, 3, 4))) int
host_write(const char *line, uint64_t deadline, const char *format, ...);

#endif
