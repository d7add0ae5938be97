/* SPDX-License-Identifier: MIT */
/*
 * Structures whose first member is their size as the caller knows them. A
 * caller may be older or newer than the library.
 */
#ifndef RUNTIME_SIZED_H
#define RUNTIME_SIZED_H

#include <stddef.h>

/*
 * Copy a caller's options over zeros. Options newer than the library are
 * refused where they are not zero.
 */
int sized_read(void *to, size_t known, const void *from, const char *what);

/* Fill a caller's info as far as it reaches; its size member is kept. */
int sized_write(void *to, const void *from, size_t known, const char *what);

#endif
