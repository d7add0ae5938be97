/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Arithmetic of page tables: uapi/spmm/page_table.h in functions. Pure: compiled into the
 * module, KUnit and fuzzers in userspace. Level 0 has the pages, level 3 is the root.
 */
#ifndef SPMM_PTE_H
#define SPMM_PTE_H

#include <linux/types.h>

#define SPMM_PTE_ROOT_LEVEL 3

/* Bytes that one entry of a level translates. */
__u64 spmm_pte_span(unsigned int level);
/* Where in a table of the level the entry for an address is. */
unsigned int spmm_pte_index(__u64 address, unsigned int level);
/* Bytes from an address to the end of what its entry of the level translates. */
__u64 spmm_pte_rest(__u64 address, unsigned int level);

/*
 * The level of the largest leaf that can start a mapping of @length bytes from @address
 * to @target, all of which are multiples of SPMM_PAGE_SIZE.
 */
unsigned int spmm_pte_leaf_level(__u64 address, __u64 target, __u64 length);

/* Whether a run of pages can be mapped at all: alignment, and that nothing overflows. */
_Bool spmm_pte_is_mappable(__u64 address, __u64 target, __u64 length);

/* flags: SPMM_PTE_READ, _WRITE, _DEVICE */
__u64 spmm_pte_leaf(__u64 target, __u64 flags);
/* A table in host memory; also the root as SET_PAGE_TABLE takes it. */
__u64 spmm_pte_table(__u64 bus);

#endif
