/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables in coherent host memory. The caller serialises all calls for one table, and
 * tells the device what it has to forget.
 */
#ifndef SPMM_PAGE_TABLE_H
#define SPMM_PAGE_TABLE_H

#include <linux/types.h>

struct device;
struct spmm_page_table;

struct spmm_page_table *spmm_page_table_create(struct device *dev);
/* The device does not walk it any more. */
void spmm_page_table_destroy(struct spmm_page_table *table);
/* In the form of SET_PAGE_TABLE. */
u64 spmm_page_table_root(const struct spmm_page_table *table);

/**
 * spmm_page_table_map() - write the entries of a run of pages
 * @table: page table
 * @address: for the device; nothing is mapped in the range
 * @target: bus address, or with SPMM_PTE_DEVICE offset into device memory
 * @length: bytes
 * @flags: SPMM_PTE_READ, SPMM_PTE_WRITE, SPMM_PTE_DEVICE
 *
 * Return: 0; -EINVAL for what is not pages or out of range; -ENOMEM, and the caller undoes
 * what may have been mapped in part.
 */
int spmm_page_table_map(struct spmm_page_table *table, u64 address, u64 target,
			u64 length, u64 flags);

/*
 * Clear the entries of a range, which cuts no large page. Tables that become empty are
 * retired: they are freed by spmm_page_table_reap(), once the device has forgotten all
 * translations that went through them.
 */
void spmm_page_table_unmap(struct spmm_page_table *table, u64 address,
			   u64 length);
bool spmm_page_table_has_retired(const struct spmm_page_table *table);
void spmm_page_table_reap(struct spmm_page_table *table);

#endif
