/* SPDX-License-Identifier: MIT */
/* A .zip of uncompressed files, as numpy.savez() writes it. Part of libaccel-compress. */
#ifndef FORMATS_ZIP_STORE_H
#define FORMATS_ZIP_STORE_H

#include <stddef.h>

struct zip_store;

/* The archive appears at its path with zip_store_commit() (see atomic_file.h). */
int zip_store_open(struct zip_store **zip, const char *path);

int zip_store_add(struct zip_store *zip, const char *name, const void *data,
		  size_t size);

/* Write the directory, put the file in its place, and free it in any case. */
int zip_store_commit(struct zip_store *zip);

/* Leave no file, and free it; NULL is allowed. */
void zip_store_abandon(struct zip_store *zip);

#endif
