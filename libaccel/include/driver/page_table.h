/* SPDX-License-Identifier: MIT */
/*
 * Page tables in the format of spmm/page_table.h, kept in host memory that the
 * device reads by DMA. Not thread-safe.
 */
#ifndef DRIVER_PAGE_TABLE_H
#define DRIVER_PAGE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include <spmm/page_table.h>

struct transport;
struct page_table;

int page_table_create(struct transport *transport, struct page_table **out);
void page_table_destroy(struct page_table *table);

/* The entry that SET_PAGE_TABLE wants. */
uint64_t page_table_root(const struct page_table *table);

/*
 * Map [address, address + length) at a virtual address; all three are multiples
 * of the page size. Large pages are used where both addresses allow. flags:
 * SPMM_PTE_READ, _WRITE, _DEVICE. On failure nothing stays mapped.
 */
int page_table_map(struct page_table *table, uint64_t virtual_address,
		   uint64_t address, uint64_t length, uint64_t flags);

/* Undo one page_table_map(); the device may remember until INVALIDATE. */
void page_table_unmap(struct page_table *table, uint64_t virtual_address,
		      uint64_t length);

#endif
