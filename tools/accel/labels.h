/* SPDX-License-Identifier: MIT */
#ifndef TOOL_LABELS_H
#define TOOL_LABELS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Read classes from a .npy file or one of MNIST's (…-idx1-ubyte, perhaps .gz): at least
 * @count, for free(). 0; −EINVAL for what is no list of whole numbers, or too short.
 */
int labels_read(const char *path, size_t count, int64_t **labels);

#endif
