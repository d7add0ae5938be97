/* SPDX-License-Identifier: MIT */
/* Host memory that the device reaches by bus addresses. */
#ifndef DRIVER_DMA_H
#define DRIVER_DMA_H

#include <stdbool.h>
#include <stdint.h>

struct transport;
struct transport_memory;

/**
 * struct dma_memory - pages
 * @address: for this process; NULL when nothing is allocated
 * @bus: for the device; of the first page, where the transport has a bus_at()
 * @length: a multiple of the page size
 * @borrowed: it stays mapped in this process
 */
struct dma_memory {
	void *address;
	uint64_t bus;
	uint64_t length;
	bool borrowed;
};

/*
 * Zeros. Length is rounded up to pages; aligned to large pages from that size on, and of
 * huge ones as far as there are any.
 */
int dma_allocate(struct transport *transport, uint64_t length,
		 struct dma_memory *memory);

/*
 * What somebody else has allocated, in whole pages; without an address, what its file
 * holds. It has to stay until it is released here. −ENOTSUP with a text, if the transport
 * does not reach such memory.
 */
int dma_import(struct transport *transport,
	       const struct transport_memory *shown, struct dma_memory *memory);
void dma_release(struct transport *transport, struct dma_memory *memory);

#endif
