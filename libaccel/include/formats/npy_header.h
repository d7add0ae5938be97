/* SPDX-License-Identifier: MIT */
/* The header of a .npy file: magic, version, length, and a Python dictionary. */
#ifndef FORMATS_NPY_HEADER_H
#define FORMATS_NPY_HEADER_H

#include <formats/npy.h>

#include <stdbool.h>

struct npy_header {
	enum npy_type type;
	bool swapped; /* the elements are in the other byte order */
	bool fortran;
	unsigned int rank;
	size_t shape[NPY_MAX_RANK];
	size_t size; /* bytes before the elements */
};

int npy_header_parse(struct npy_header *header, const void *data, size_t size);

/*
 * The bytes of a header, for free(3): description as NumPy writes it ("<f4"), the
 * order C.
 */
int npy_header_print(const char *description, unsigned int rank,
		     const size_t *shape, char **text, size_t *size);

/* NumPy's description of a type. */
const char *npy_type_description(enum npy_type type);

#endif
