/* SPDX-License-Identifier: MIT */
#include "driver/page_table.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "core/error.h"
#include "driver/dma.h"
#include "transport/transport.h"

#define INDEX_BITS 9
#define ROOT_LEVEL (SPMM_PAGE_TABLE_LEVELS - 1)
#define LARGE_LEVEL 1

/* One table of 512 entries, and the host's way to those below it. */
struct node {
	struct dma_memory memory;
	struct node *children[SPMM_PAGE_TABLE_ENTRIES];
};

struct page_table {
	struct transport *transport;
	struct node *root;
};

static unsigned int index_at(uint64_t virtual_address, int level)
{
	return (virtual_address >> (SPMM_PAGE_SHIFT + INDEX_BITS * level)) &
	       (SPMM_PAGE_TABLE_ENTRIES - 1);
}

static void entry_write(struct node *node, unsigned int index, uint64_t value)
{
	__le64 *entries = node->memory.address;

	/* The device may be walking the table at this moment. */
	__atomic_store_n(&entries[index], htole64(value), __ATOMIC_RELEASE);
}

static struct node *node_create(struct transport *transport)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	if (dma_allocate(transport, SPMM_PAGE_SIZE, &node->memory)) {
		free(node);
		return NULL;
	}
	return node;
}

static void node_destroy(struct transport *transport, struct node *node)
{
	for (unsigned int i = 0; i < SPMM_PAGE_TABLE_ENTRIES; i++)
		if (node->children[i])
			node_destroy(transport, node->children[i]);
	dma_release(transport, &node->memory);
	free(node);
}

int page_table_create(struct transport *transport, struct page_table **out)
{
	struct page_table *table = calloc(1, sizeof(*table));

	if (table)
		table->root = node_create(transport);
	if (!table || !table->root) {
		free(table);
		return accel_error(-ENOMEM, "out of memory for page tables");
	}
	table->transport = transport;
	*out = table;
	return 0;
}

void page_table_destroy(struct page_table *table)
{
	if (!table)
		return;
	node_destroy(table->transport, table->root);
	free(table);
}

uint64_t page_table_root(const struct page_table *table)
{
	return SPMM_PTE_VALID | table->root->memory.bus;
}

/* The table that holds an address's entry of a level, made where it is absent. */
static struct node *walk(struct page_table *table, uint64_t virtual_address,
			 int level, bool create)
{
	struct node *node = table->root;

	for (int at = ROOT_LEVEL; at > level && node; at--) {
		unsigned int index = index_at(virtual_address, at);
		struct node *child = node->children[index];

		if (!child && create) {
			child = node_create(table->transport);
			if (!child)
				return NULL;
			node->children[index] = child;
			entry_write(node, index,
				    SPMM_PTE_VALID | child->memory.bus);
		}
		node = child;
	}
	return node;
}

static bool large_fits(uint64_t virtual_address, uint64_t address,
		       uint64_t length)
{
	return !((virtual_address | address) & (SPMM_LARGE_PAGE_SIZE - 1)) &&
	       length >= SPMM_LARGE_PAGE_SIZE;
}

/* A table of small pages left from before keeps an address from a large one. */
static bool small_table_exists(struct page_table *table,
			       uint64_t virtual_address)
{
	struct node *node = walk(table, virtual_address, LARGE_LEVEL, false);

	return node && node->children[index_at(virtual_address, LARGE_LEVEL)];
}

static int leaf_map(struct page_table *table, uint64_t virtual_address,
		    uint64_t address, uint64_t flags, int level)
{
	struct node *node = walk(table, virtual_address, level, true);

	if (!node)
		return accel_error(-ENOMEM, "out of memory for page tables");
	entry_write(node, index_at(virtual_address, level),
		    address | flags | SPMM_PTE_VALID | SPMM_PTE_LEAF);
	return 0;
}

int page_table_map(struct page_table *table, uint64_t virtual_address,
		   uint64_t address, uint64_t length, uint64_t flags)
{
	uint64_t done = 0;

	while (done < length) {
		bool large = large_fits(virtual_address + done, address + done,
					length - done) &&
			     !small_table_exists(table, virtual_address + done);
		int ret = leaf_map(table, virtual_address + done,
				   address + done, flags,
				   large ? LARGE_LEVEL : 0);

		if (ret) {
			page_table_unmap(table, virtual_address, done);
			return ret;
		}
		done += large ? SPMM_LARGE_PAGE_SIZE : SPMM_PAGE_SIZE;
	}
	return 0;
}

void page_table_unmap(struct page_table *table, uint64_t virtual_address,
		      uint64_t length)
{
	uint64_t done = 0;

	while (done < length) {
		uint64_t at = virtual_address + done;
		bool small = small_table_exists(table, at);
		int level = small ? 0 : LARGE_LEVEL;
		struct node *node = walk(table, at, level, false);

		if (node)
			entry_write(node, index_at(at, level), 0);
		done += small ? SPMM_PAGE_SIZE : SPMM_LARGE_PAGE_SIZE;
	}
}
