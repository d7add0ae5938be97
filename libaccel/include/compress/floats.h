/* SPDX-License-Identifier: MIT */
/* Arrays of binary32 for the vector units. */
#ifndef COMPRESS_FLOATS_H
#define COMPRESS_FLOATS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Undefined values, aligned to a cache line, which is also the widest vector that
 * OpenBLAS loads; back by free(). NULL without memory, or for a count that is
 * negative.
 */
float *floats_allocate(int64_t count);

/*
 * Linux promises memory that it does not have, and kills who uses it: is that much
 * more than all of the machine's?
 */
bool floats_fit_machine(double count);

#endif
