// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "spmm_pte.h"

#include <spmm/page_table.h>

#define SPMM_PTE_INDEX_BITS 9

static unsigned int spmm_pte_shift(unsigned int level)
{
	return SPMM_PAGE_SHIFT + level * SPMM_PTE_INDEX_BITS;
}

__u64 spmm_pte_span(unsigned int level)
{
	return 1ull << spmm_pte_shift(level);
}

unsigned int spmm_pte_index(__u64 address, unsigned int level)
{
	return (address >> spmm_pte_shift(level)) % SPMM_PAGE_TABLE_ENTRIES;
}

__u64 spmm_pte_rest(__u64 address, unsigned int level)
{
	__u64 span = spmm_pte_span(level);

	return span - address % span;
}

unsigned int spmm_pte_leaf_level(__u64 address, __u64 target, __u64 length)
{
	if ((address | target) % SPMM_LARGE_PAGE_SIZE ||
	    length < SPMM_LARGE_PAGE_SIZE)
		return 0;
	return 1;
}

_Bool spmm_pte_is_mappable(__u64 address, __u64 target, __u64 length)
{
	const __u64 address_end = 1ull << SPMM_VIRTUAL_ADDRESS_BITS;
	const __u64 target_end =
		(SPMM_PTE_ADDRESS_MASK | (SPMM_PAGE_SIZE - 1)) + 1;

	if ((address | target | length) % SPMM_PAGE_SIZE || length == 0)
		return 0;
	/* The ends are compared by what is left: sums could overflow. */
	return address < address_end && length <= address_end - address &&
	       target < target_end && length <= target_end - target;
}

__u64 spmm_pte_leaf(__u64 target, __u64 flags)
{
	return (target & SPMM_PTE_ADDRESS_MASK) | SPMM_PTE_VALID |
	       SPMM_PTE_LEAF |
	       (flags & (SPMM_PTE_READ | SPMM_PTE_WRITE | SPMM_PTE_DEVICE));
}

__u64 spmm_pte_table(__u64 bus)
{
	return (bus & SPMM_PTE_ADDRESS_MASK) | SPMM_PTE_VALID;
}
