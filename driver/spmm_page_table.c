// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_page_table.h"

#include "spmm_pte.h"

#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <spmm/page_table.h>

#define SPMM_LEVELS SPMM_PAGE_TABLE_LEVELS
#define SPMM_TABLE_BYTES (SPMM_PAGE_TABLE_ENTRIES * sizeof(__le64))

/**
 * struct spmm_table - one table of a level
 * @entries: what the device reads
 * @bus: their address
 * @used: entries that are valid
 * @retired: in the page table's list of those that the device may still remember
 * @children: the tables that entries lead to, none at level 0
 */
struct spmm_table {
	__le64 *entries;
	dma_addr_t bus;
	u32 used;
	struct list_head retired;
	struct spmm_table *children[];
};

/**
 * struct spmm_page_table - all tables of an address space
 * @dev: that walks them
 * @root: of level SPMM_PTE_ROOT_LEVEL
 * @retired: empty tables, struct spmm_table.retired
 */
struct spmm_page_table {
	struct device *dev;
	struct spmm_table *root;
	struct list_head retired;
};

static struct spmm_table *spmm_table_create(struct device *dev,
					    unsigned int level)
{
	size_t children = level > 0 ? SPMM_PAGE_TABLE_ENTRIES : 0;
	struct spmm_table *table;

	table = kvzalloc(struct_size(table, children, children),
			 GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->entries = dma_alloc_coherent(dev, SPMM_TABLE_BYTES, &table->bus,
					    GFP_KERNEL_ACCOUNT);
	if (!table->entries) {
		kvfree(table);
		return NULL;
	}
	INIT_LIST_HEAD(&table->retired);
	return table;
}

static void spmm_table_free(struct device *dev, struct spmm_table *table)
{
	dma_free_coherent(dev, SPMM_TABLE_BYTES, table->entries, table->bus);
	kvfree(table);
}

/* Depth is bounded by the number of levels. */
static void spmm_table_free_tree(struct device *dev, struct spmm_table *table,
				 unsigned int level)
{
	unsigned int i;

	for (i = 0; level > 0 && i < SPMM_PAGE_TABLE_ENTRIES; i++)
		if (table->children[i])
			spmm_table_free_tree(dev, table->children[i],
					     level - 1);
	spmm_table_free(dev, table);
}

static void spmm_table_set(struct spmm_table *table, unsigned int index,
			   u64 entry)
{
	/* What the entry leads to is visible to the device before the entry is. */
	dma_wmb();
	WRITE_ONCE(table->entries[index], cpu_to_le64(entry));
	table->used++;
}

static void spmm_table_clear(struct spmm_table *table, unsigned int index)
{
	WRITE_ONCE(table->entries[index], 0);
	table->used--;
}

static struct spmm_table *spmm_table_child(struct device *dev,
					   struct spmm_table *table,
					   unsigned int index,
					   unsigned int level)
{
	struct spmm_table *child = table->children[index];

	if (child)
		return child;
	child = spmm_table_create(dev, level - 1);
	if (!child)
		return NULL;
	table->children[index] = child;
	spmm_table_set(table, index, spmm_pte_table(child->bus));
	return child;
}

struct spmm_page_table *spmm_page_table_create(struct device *dev)
{
	struct spmm_page_table *table;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->dev = dev;
	INIT_LIST_HEAD(&table->retired);
	table->root = spmm_table_create(dev, SPMM_PTE_ROOT_LEVEL);
	if (!table->root) {
		kfree(table);
		return NULL;
	}
	return table;
}

void spmm_page_table_destroy(struct spmm_page_table *table)
{
	if (!table)
		return;
	spmm_page_table_reap(table);
	spmm_table_free_tree(table->dev, table->root, SPMM_PTE_ROOT_LEVEL);
	kfree(table);
}

u64 spmm_page_table_root(const struct spmm_page_table *table)
{
	return spmm_pte_table(table->root->bus);
}

/* Make the leaf for @address at @level, and the tables on the way to it. */
static int spmm_page_table_set_leaf(struct spmm_page_table *table, u64 address,
				    unsigned int level, u64 entry)
{
	struct spmm_table *at = table->root;
	unsigned int i;

	for (i = SPMM_PTE_ROOT_LEVEL; i > level; i--) {
		at = spmm_table_child(table->dev, at,
				      spmm_pte_index(address, i), i);
		if (!at)
			return -ENOMEM;
	}
	spmm_table_set(at, spmm_pte_index(address, level), entry);
	return 0;
}

int spmm_page_table_map(struct spmm_page_table *table, u64 address, u64 target,
			u64 length, u64 flags)
{
	unsigned int level;
	u64 span;
	int ret;

	if (!spmm_pte_is_mappable(address, target, length))
		return -EINVAL;
	for (; length > 0; length -= span) {
		level = spmm_pte_leaf_level(address, target, length);
		span = spmm_pte_span(level);
		ret = spmm_page_table_set_leaf(table, address, level,
					       spmm_pte_leaf(target, flags));
		if (ret)
			return ret;
		address += span;
		target += span;
	}
	return 0;
}

/*
 * Follow the entries for @address down to a leaf, or to where nothing is mapped, filling
 * @path. Return: the level that was reached.
 */
static unsigned int
spmm_page_table_descend(struct spmm_page_table *table, u64 address,
			struct spmm_table *path[SPMM_LEVELS])
{
	unsigned int level = SPMM_PTE_ROOT_LEVEL;

	path[level] = table->root;
	while (level > 0) {
		unsigned int index = spmm_pte_index(address, level);
		struct spmm_table *child = path[level]->children[index];

		if (!child)
			break;
		path[--level] = child;
	}
	return level;
}

static void spmm_page_table_retire(struct spmm_page_table *table, u64 address,
				   struct spmm_table *path[SPMM_LEVELS],
				   unsigned int level)
{
	for (; level < SPMM_PTE_ROOT_LEVEL && !path[level]->used; level++) {
		unsigned int index = spmm_pte_index(address, level + 1);

		spmm_table_clear(path[level + 1], index);
		path[level + 1]->children[index] = NULL;
		list_add(&path[level]->retired, &table->retired);
	}
}

void spmm_page_table_unmap(struct spmm_page_table *table, u64 address,
			   u64 length)
{
	u64 end = address + length;

	while (address < end) {
		struct spmm_table *path[SPMM_LEVELS];
		unsigned int level =
			spmm_page_table_descend(table, address, path);
		unsigned int index = spmm_pte_index(address, level);

		if (path[level]->entries[index])
			spmm_table_clear(path[level], index);
		spmm_page_table_retire(table, address, path, level);
		address += spmm_pte_rest(address, level);
	}
}

bool spmm_page_table_has_retired(const struct spmm_page_table *table)
{
	return !list_empty(&table->retired);
}

void spmm_page_table_reap(struct spmm_page_table *table)
{
	struct spmm_table *at, *next;

	list_for_each_entry_safe(at, next, &table->retired, retired) {
		list_del(&at->retired);
		spmm_table_free(table->dev, at);
	}
}
