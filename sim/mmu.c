/* SPDX-License-Identifier: MIT */
#include <core/checked.h>
#include <sim/memory.h>
#include <sim/mmu.h>
#include <sim/tlb.h>

#define PTE_KNOWN                                                          \
	(SPMM_PTE_VALID | SPMM_PTE_LEAF | SPMM_PTE_READ | SPMM_PTE_WRITE | \
	 SPMM_PTE_DEVICE | SPMM_PTE_ADDRESS_MASK)

/* Direct-mapped: neighbouring pages and contexts fall into different slots. */
static struct sim_translation *tlb_slot(struct sim_device *device,
					uint16_t context, uint64_t page)
{
	uint64_t hash = page ^ (page >> 12) ^ (uint64_t)context * 0x9e5;

	return &device->tlb[hash % SIM_TLB_ENTRIES];
}

void mmu_insert(struct sim_device *device,
		const struct sim_translation *translation)
{
	*tlb_slot(device, translation->context, translation->page) =
		*translation;
}

/* Reads one entry of a table that is in host or device memory. */
static int table_read(struct sim_device *device, uint64_t table,
		      unsigned int index, uint64_t *entry)
{
	uint64_t address = (table & SPMM_PTE_ADDRESS_MASK) + index * 8;

	if (table & SPMM_PTE_DEVICE) {
		if (!checked_range(address, 8, device->config.memory_bytes))
			return SPMM_SC_BUS_ERROR;
		sim_memory_copy(entry, device->memory + address, 8);
		return 0;
	}
	if (device->host.dma_read(device->host.opaque, address, entry, 8))
		return SPMM_SC_BUS_ERROR;
	return 0;
}

/*
 * Finds the leaf for an address, 0 when there is none. Tables are the trusted host's,
 * but the memory that they are in may be gone: a bus error.
 */
static int walk(struct sim_device *device, uint64_t root, uint64_t address,
		uint64_t *leaf, int *level)
{
	uint64_t table = root;
	int ret;

	*leaf = 0;
	for (*level = SPMM_PAGE_TABLE_LEVELS - 1; *level >= 0; (*level)--) {
		unsigned int shift = SPMM_PAGE_SHIFT + 9 * (unsigned)*level;

		if (!(table & SPMM_PTE_VALID) || (table & ~PTE_KNOWN))
			return 0;
		ret = table_read(device, table, (address >> shift) & 511,
				 &table);
		if (ret)
			return ret;
		if (table & SPMM_PTE_LEAF)
			break;
	}
	/* Leaves are at levels 0 and 1, and nowhere else. */
	if (*level == 0 || *level == 1)
		*leaf = table;
	return 0;
}

static int walk_page(struct sim_device *device, uint16_t context,
		     uint64_t address, struct sim_translation *out)
{
	uint64_t leaf, base, size;
	int level, ret;

	ret = walk(device, device->contexts[context].root, address, &leaf,
		   &level);
	if (ret)
		return ret;
	if (!(leaf & SPMM_PTE_VALID) || (leaf & ~PTE_KNOWN))
		return 0;
	size = level ? SPMM_LARGE_PAGE_SIZE : SPMM_PAGE_SIZE;
	base = leaf & SPMM_PTE_ADDRESS_MASK;
	if (base & (size - 1))
		return 0;
	*out = (struct sim_translation){
		.page = address >> SPMM_PAGE_SHIFT,
		.address = base + (address & (size - 1) &
				   ~(uint64_t)(SPMM_PAGE_SIZE - 1)),
		.context = context,
		.valid = true,
		.large = level,
		.device = leaf & SPMM_PTE_DEVICE,
		.readable = leaf & SPMM_PTE_READ,
		.writable = leaf & SPMM_PTE_WRITE,
	};
	return 0;
}

int mmu_translate(struct sim_device *device, uint16_t context, uint64_t address,
		  enum sim_access access, struct sim_translation *out)
{
	int fault = access == SIM_READ ? SPMM_SC_PAGE_FAULT_READ :
					 SPMM_SC_PAGE_FAULT_WRITE;
	uint64_t page = address >> SPMM_PAGE_SHIFT;
	struct sim_translation *slot;
	int ret;

	/* The admin queue speaks of bus addresses. */
	if (!context) {
		*out = (struct sim_translation){
			.page = page,
			.address = page << SPMM_PAGE_SHIFT,
			.valid = true,
			.readable = true,
			.writable = true,
		};
		return 0;
	}
	if (address >> SPMM_VIRTUAL_ADDRESS_BITS)
		return fault;
	slot = tlb_slot(device, context, page);
	if (!slot->valid || slot->page != page || slot->context != context) {
		struct sim_translation found = { 0 };

		ret = walk_page(device, context, address, &found);
		if (ret)
			return ret;
		if (!found.valid)
			return fault;
		*slot = found;
	}
	*out = *slot;
	if (access == SIM_READ ? !out->readable : !out->writable)
		return fault;
	if (out->device && !checked_range(out->address, SPMM_PAGE_SIZE,
					  device->config.memory_bytes))
		return SPMM_SC_BUS_ERROR;
	return 0;
}

void mmu_invalidate(struct sim_device *device, uint16_t context,
		    uint64_t address, uint64_t length)
{
	uint64_t first = address >> SPMM_PAGE_SHIFT;
	uint64_t last;

	if (!length || __builtin_add_overflow(address, length - 1, &last))
		last = UINT64_MAX;
	last >>= SPMM_PAGE_SHIFT;
	tlb_invalidate(device, context);
	for (unsigned int i = 0; i < SIM_TLB_ENTRIES; i++) {
		struct sim_translation *slot = &device->tlb[i];

		if (slot->context == context &&
		    (!length || (slot->page >= first && slot->page <= last)))
			slot->valid = false;
	}
}
