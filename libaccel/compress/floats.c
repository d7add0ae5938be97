/* SPDX-License-Identifier: MIT */
#include <compress/floats.h>

#include <stdlib.h>
#include <unistd.h>

#define ALIGNMENT 64

float *floats_allocate(int64_t count)
{
	size_t size;

	if (count < 0 || __builtin_mul_overflow((uint64_t)count + ALIGNMENT,
						sizeof(float), &size))
		return NULL;
	return aligned_alloc(ALIGNMENT, size & ~(size_t)(ALIGNMENT - 1));
}

bool floats_fit_machine(double count)
{
	double bytes =
		(double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

	return count * sizeof(float) <= bytes;
}
