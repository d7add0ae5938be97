/* SPDX-License-Identifier: MIT */
/* The C library's allocator, counted; glibc has it by these names, too. */
#include "watch.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static void allocation_count(void)
{
	if (watch_on)
		watch.allocations++;
}

void *malloc(size_t bytes)
{
	allocation_count();
	return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	allocation_count();
	return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	allocation_count();
	return __libc_realloc(memory, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
	allocation_count();
	return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
	void *got = memalign(alignment, bytes);

	if (!got)
		return ENOMEM;
	*memory = got;
	return 0;
}

void free(void *memory)
{
	allocation_count();
	__libc_free(memory);
}
