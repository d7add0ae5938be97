/* SPDX-License-Identifier: MIT */
/*
 * Page tables of a context.
 *
 * Four levels of 512 64-bit entries translate a 48-bit virtual address: bits
 * 47–39, 38–30, 29–21 and 20–12 index them. A leaf at level 1 (bits 29–21) maps
 * 2 MiB, at level 0 it maps 4 KiB. A table or page is in host memory (a bus
 * address) or in device memory (an offset into DRAM). Owner and writer of the
 * tables is whoever owns the admin queue. Bits not named are zero.
 */
#ifndef UAPI_SPMM_PAGE_TABLE_H
#define UAPI_SPMM_PAGE_TABLE_H

#include <linux/types.h>

#define SPMM_PAGE_SHIFT 12
#define SPMM_PAGE_SIZE (1ull << SPMM_PAGE_SHIFT)
#define SPMM_LARGE_PAGE_SHIFT 21
#define SPMM_LARGE_PAGE_SIZE (1ull << SPMM_LARGE_PAGE_SHIFT)
#define SPMM_VIRTUAL_ADDRESS_BITS 48
#define SPMM_PAGE_TABLE_LEVELS 4
#define SPMM_PAGE_TABLE_ENTRIES 512

#define SPMM_PTE_VALID (1ull << 0)
#define SPMM_PTE_LEAF (1ull << 1)
#define SPMM_PTE_READ (1ull << 2)
#define SPMM_PTE_WRITE (1ull << 3)
#define SPMM_PTE_DEVICE (1ull << 4) /* device DRAM, else bus address */
#define SPMM_PTE_ADDRESS_MASK 0x000ffffffffff000ull

#endif
