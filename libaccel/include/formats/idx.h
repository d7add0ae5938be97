/* SPDX-License-Identifier: MIT */
/*
 * IDX, the format of MNIST and its kin (yann.lecun.com/exdb/mnist), plain or
 * gzipped. Part of libaccel-compress.
 */
#ifndef FORMATS_IDX_H
#define FORMATS_IDX_H

#include <formats/npy.h>

/* Read a file; the array goes back with npy_release(). */
int idx_read(struct npy_array *array, const char *path);

/* The same from bytes that are not compressed. */
int idx_parse(struct npy_array *array, const void *data, size_t size);

#endif
