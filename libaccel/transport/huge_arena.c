/* SPDX-License-Identifier: MIT */
#include "transport/huge_arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/integer.h"
#include "spmm/page_table.h"

#define HUGE SPMM_LARGE_PAGE_SIZE
#define PAGES_MAX 32768 /* 64 GiB */

/* Of /proc/PID/pagemap, Linux's Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME ((1ull << 55) - 1)

int huge_arena_create(struct huge_arena *arena)
{
	void *start;

	memset(arena, 0, sizeof(*arena));
	arena->physical = calloc(PAGES_MAX, sizeof(*arena->physical));
	if (!arena->physical)
		return accel_error(-ENOMEM, "out of memory");
	/* One more, for the alignment. */
	start = mmap(NULL, (PAGES_MAX + 1) * HUGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return accel_error(-errno, "no addresses for huge pages: %s",
				   strerror(errno));
	arena->start = start;
	return range_set_create(&arena->free, 0, 0);
}

static char *first_page(const struct huge_arena *arena)
{
	return arena->start + (HUGE - (uintptr_t)arena->start % HUGE) % HUGE;
}

void huge_arena_destroy(struct huge_arena *arena)
{
	if (arena->start)
		munmap(arena->start, (PAGES_MAX + 1) * HUGE);
	range_set_destroy(&arena->free);
	free(arena->physical);
	memset(arena, 0, sizeof(*arena));
}

/* The page has been touched. */
static int physical_find(const char *address, uint64_t *physical)
{
	uint64_t entry = 0, index = (uintptr_t)address / SPMM_PAGE_SIZE;
	int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t bytes;

	if (file < 0)
		return accel_error(-errno, "/proc/self/pagemap: %s",
				   strerror(errno));
	bytes = pread(file, &entry, sizeof(entry),
		      (off_t)(index * sizeof(entry)));
	close(file);
	if (bytes != sizeof(entry) || !(entry & PAGEMAP_PRESENT) ||
	    !(entry & PAGEMAP_FRAME))
		return accel_error(
			-EPERM,
			"physical addresses are for processes with CAP_SYS_ADMIN: run this as root, or use a machine with IOMMU");
	*physical = (entry & PAGEMAP_FRAME) * SPMM_PAGE_SIZE;
	return 0;
}

/* One more behind the others. */
static int grow(struct huge_arena *arena)
{
	char *address = first_page(arena) + arena->count * HUGE;
	int ret;

	if (arena->count == PAGES_MAX ||
	    mmap(address, HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB |
			 MAP_HUGE_2MB | MAP_POPULATE,
		 -1, 0) == MAP_FAILED)
		return -ENOMEM;
	/* A child's copy would be this process's new page. */
	madvise(address, HUGE, MADV_DONTFORK);
	memset(address, 0, HUGE);
	ret = physical_find(address, &arena->physical[arena->count]);
	if (!ret)
		ret = range_set_add(&arena->free, (uintptr_t)address, HUGE);
	if (!ret)
		arena->count++;
	return ret;
}

/* An address range without memory, as before grow(). The pages there are free. */
static void shrink(struct huge_arena *arena, size_t count)
{
	char *address = first_page(arena) + count * HUGE;
	size_t bytes = (arena->count - count) * HUGE;

	if (!bytes ||
	    mmap(address, bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		return;
	range_set_remove(&arena->free, (uintptr_t)address, bytes);
	arena->count = count;
}

/* Pieces of less than a huge page do not straddle two. */
static uint64_t alignment_of(size_t length)
{
	uint64_t alignment = SPMM_PAGE_SIZE;

	while (alignment < length && alignment < HUGE)
		alignment *= 2;
	return alignment;
}

static int short_of(const struct huge_arena *arena, size_t length)
{
	return accel_error(
		-ENOMEM,
		"without IOMMU, memory for DMA is of huge pages, and %zu bytes more than the %zu pages that are in use are not to be had; as root: sysctl vm.nr_hugepages=%zu",
		length, arena->count, arena->count + divide_up(length, HUGE));
}

int huge_arena_allocate(struct huge_arena *arena, size_t length, void **address)
{
	size_t before = arena->count;
	uint64_t start;
	int ret;

	while (range_allocate(&arena->free, length, alignment_of(length),
			      &start)) {
		ret = grow(arena);
		if (!ret)
			continue;
		/* Others can use what is not enough for this. */
		shrink(arena, before);
		return ret == -ENOMEM ? short_of(arena, length) : ret;
	}
	*address = (char *)arena->start + (start - (uintptr_t)arena->start);
	memset(*address, 0, length);
	return 0;
}

void huge_arena_release(struct huge_arena *arena, void *address, size_t length)
{
	range_release(&arena->free, (uintptr_t)address, length);
}

uint64_t huge_arena_physical(const struct huge_arena *arena,
			     const void *address)
{
	size_t offset = (size_t)((const char *)address - first_page(arena));

	return arena->physical[offset / HUGE] + offset % HUGE;
}
