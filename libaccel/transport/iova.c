/* SPDX-License-Identifier: MIT */
#include "transport/iova.h"

#include <errno.h>
#include <linux/types.h>
#include <spmm/page_table.h>

#include "core/checked.h"
#include "core/error.h"
#include "core/integer.h"

/* As with pointers: address 0 and its neighbours mean a mistake. */
#define LOWEST SPMM_LARGE_PAGE_SIZE
#define HIGHEST (SPMM_PTE_ADDRESS_MASK | (SPMM_PAGE_SIZE - 1))
#define GUARD SPMM_PAGE_SIZE

int iova_space_create(struct iova_space *space)
{
	return range_set_create(&space->ranges, 0, 0);
}

void iova_space_destroy(struct iova_space *space)
{
	range_set_destroy(&space->ranges);
}

int iova_space_allow(struct iova_space *space, uint64_t first, uint64_t last)
{
	uint64_t start = align_up(max_u64(min_u64(first, HIGHEST), LOWEST),
				  SPMM_PAGE_SIZE);
	uint64_t end = (min_u64(last, HIGHEST) + 1) & ~(SPMM_PAGE_SIZE - 1);
	int ret;

	if (first > last || start >= end)
		return 0;
	ret = range_set_add(&space->ranges, start, end - start);
	return ret ? accel_error(ret, "out of memory") : 0;
}

/* Of the mapping with its guard, as the set keeps it. */
static bool footprint(uint64_t length, uint64_t *bytes)
{
	return length && checked_add_u64(length, GUARD, bytes) &&
	       !(length & (SPMM_PAGE_SIZE - 1));
}

int iova_allocate(struct iova_space *space, uint64_t length, uint64_t *iova)
{
	uint64_t alignment = length >= SPMM_LARGE_PAGE_SIZE ?
				     SPMM_LARGE_PAGE_SIZE :
				     SPMM_PAGE_SIZE;
	uint64_t bytes;

	if (footprint(length, &bytes) &&
	    !range_allocate(&space->ranges, bytes, alignment, iova))
		return 0;
	return accel_error(
		-ENOSPC,
		"no bus addresses for %llu bytes: %llu of %llu are in use",
		(unsigned long long)length,
		(unsigned long long)space->ranges.used,
		(unsigned long long)space->ranges.size);
}

void iova_release(struct iova_space *space, uint64_t iova, uint64_t length)
{
	uint64_t bytes;

	if (footprint(length, &bytes))
		range_release(&space->ranges, iova, bytes);
}
