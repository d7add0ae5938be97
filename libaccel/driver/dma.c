/* SPDX-License-Identifier: MIT */
#include "driver/dma.h"

#include <errno.h>
#include <linux/types.h>
#include <spmm/page_table.h>
#include <stdlib.h>
#include <string.h>

#include "core/checked.h"
#include "core/error.h"
#include "transport/transport.h"

int dma_allocate(struct transport *transport, uint64_t length,
		 struct dma_memory *memory)
{
	size_t alignment = length >= SPMM_LARGE_PAGE_SIZE ?
				   SPMM_LARGE_PAGE_SIZE :
				   SPMM_PAGE_SIZE;
	size_t rounded;
	int ret;

	memset(memory, 0, sizeof(*memory));
	if (!checked_align(length, SPMM_PAGE_SIZE, &rounded))
		return accel_error(-ENOMEM, "no %llu bytes of host memory",
				   (unsigned long long)length);
	memory->address = aligned_alloc(alignment, (rounded + alignment - 1) &
							   ~(alignment - 1));
	if (!memory->address)
		return accel_error(-ENOMEM, "no %zu bytes of host memory",
				   rounded);
	memset(memory->address, 0, rounded);
	memory->length = rounded;
	ret = transport->operations->map_dma(transport, memory->address,
					     rounded, &memory->bus);
	if (ret) {
		free(memory->address);
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
	free(memory->address);
	memset(memory, 0, sizeof(*memory));
}
