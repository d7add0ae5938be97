/* SPDX-License-Identifier: MIT */
/* NumPy's .npy format, versions 1 to 3 (numpy.org/neps/nep-0001-npy-format). */
#ifndef FORMATS_NPY_H
#define FORMATS_NPY_H

#include <stddef.h>

#define NPY_MAX_RANK 8

enum npy_type {
	NPY_BOOL,
	NPY_INT8,
	NPY_UINT8,
	NPY_INT16,
	NPY_UINT16,
	NPY_FLOAT16,
	NPY_INT32,
	NPY_UINT32,
	NPY_FLOAT32,
	NPY_INT64,
	NPY_UINT64,
	NPY_FLOAT64,
	NPY_TYPES,
};

struct npy_array {
	enum npy_type type;
	unsigned int rank; /* 0 is a single value */
	size_t shape[NPY_MAX_RANK];
	size_t count; /* elements: the product of the shape */
	void *data; /* C order, this machine's byte order */
};

/*
 * Read a file, or parse one in memory. Fortran order and foreign byte order are
 * converted. The array is undefined after an error, else it goes back with
 * npy_release().
 */
int npy_read(struct npy_array *array, const char *path);
int npy_parse(struct npy_array *array, const void *data, size_t size);

/* The same, with the elements converted to NPY_FLOAT32; NaN and infinity stay. */
int npy_read_float(struct npy_array *array, const char *path);

/* Convert in place what was read. */
int npy_to_float(struct npy_array *array);

void npy_release(struct npy_array *array);

size_t npy_type_size(enum npy_type type);

/* Write a file atomically (see atomic_file.h); array->count is not used. */
int npy_write(const char *path, const struct npy_array *array);

/* A file's bytes, for free(3). */
int npy_encode(const struct npy_array *array, void **data, size_t *size);

/* The same of a single byte string, numpy.array(b"text"). */
int npy_encode_text(const char *text, void **data, size_t *size);

#endif
