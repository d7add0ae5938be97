/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_FILE_H
#define FORMATS_FILE_H

#include <stddef.h>

/*
 * Read a whole file of at most limit bytes into memory for free(3), aligned to 64
 * bytes. Read, not mapped: a file that shrinks while it is in use must not kill
 * the process.
 */
int file_read(const char *path, size_t limit, void **data, size_t *size);

#endif
