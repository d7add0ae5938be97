/* SPDX-License-Identifier: MIT */
#include "driver/dma.h"

#include <errno.h>
#include <linux/types.h>
#include <spmm/page_table.h>
#include <string.h>
#include <sys/mman.h>

#include "core/checked.h"
#include "core/error.h"
#include "transport/transport.h"

/*
 * Zero pages at an aligned address, without touching them: a size that nobody has
 * is refused here, not punished later.
 */
static void *pages_map(size_t length, size_t alignment)
{
	size_t whole, before;
	char *address;

	if (!checked_add(length, alignment, &whole))
		return NULL;
	address = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (address == MAP_FAILED)
		return NULL;
	before = (alignment - (uintptr_t)address % alignment) % alignment;
	if (before)
		munmap(address, before);
	munmap(address + before + length, whole - before - length);
	return address + before;
}

int dma_allocate(struct transport *transport, uint64_t length,
		 struct dma_memory *memory)
{
	size_t alignment = length >= SPMM_LARGE_PAGE_SIZE ?
				   SPMM_LARGE_PAGE_SIZE :
				   SPMM_PAGE_SIZE;
	size_t rounded;
	int ret;

	memset(memory, 0, sizeof(*memory));
	if (checked_align(length, SPMM_PAGE_SIZE, &rounded))
		memory->address = pages_map(rounded, alignment);
	if (!memory->address)
		return accel_error(-ENOMEM, "no %llu bytes of host memory",
				   (unsigned long long)length);
	memory->length = rounded;
	ret = transport->operations->map_dma(transport, memory->address,
					     rounded, &memory->bus);
	if (ret) {
		munmap(memory->address, rounded);
		memory->address = NULL;
	}
	return ret;
}

void dma_release(struct transport *transport, struct dma_memory *memory)
{
	if (!memory->address)
		return;
	transport->operations->unmap_dma(transport, memory->bus,
					 memory->length);
	munmap(memory->address, memory->length);
	memset(memory, 0, sizeof(*memory));
}
