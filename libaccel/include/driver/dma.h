/* SPDX-License-Identifier: MIT */
/* Host memory that the device reaches by bus addresses. */
#ifndef DRIVER_DMA_H
#define DRIVER_DMA_H

#include <stdint.h>

struct transport;

/**
 * struct dma_memory - zeroed pages
 * @address: for this process; NULL when nothing is allocated
 * @bus: for the device
 * @length: a multiple of the page size
 */
struct dma_memory {
	void *address;
	uint64_t bus;
	uint64_t length;
};

/* Length is rounded up to pages; aligned to large pages from that size on. */
int dma_allocate(struct transport *transport, uint64_t length,
		 struct dma_memory *memory);
void dma_release(struct transport *transport, struct dma_memory *memory);

#endif
