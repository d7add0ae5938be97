/* SPDX-License-Identifier: MIT */
/*
 * A transport: the one boundary between the userspace driver and a device. The
 * driver above it knows registers, queues and page tables; the transport knows
 * how to reach them. Implementations: transport/sim.h, transport/vfio_user.h,
 * transport/vfio.h.
 *
 * Thread-safety: register access and doorbells may come from any thread; the
 * other calls are serialised by the driver.
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transport;

/**
 * struct transport_memory - host memory for DMA
 * @address: for this process
 * @length: bytes
 * @file: that it is a mapping of, or −1; stays the caller's
 * @offset: into @file
 */
struct transport_memory {
	void *address;
	size_t length;
	int file;
	uint64_t offset;
};

struct transport_operations {
	const char *scheme; /* "sim" */
	bool shares_memory; /* map_dma() needs a file */

	void (*close)(struct transport *transport);

	/* All ones on a read mean that the device is gone. */
	uint32_t (*read32)(struct transport *transport, uint32_t offset);
	uint64_t (*read64)(struct transport *transport, uint32_t offset);
	void (*write32)(struct transport *transport, uint32_t offset,
			uint32_t value);
	void (*write64)(struct transport *transport, uint32_t offset,
			uint64_t value);

	/* A range of a BAR as plain memory, or −ENOTSUP. */
	int (*map_bar)(struct transport *transport, unsigned int bar,
		       uint64_t offset, size_t length, void **out);

	/* Makes host memory reachable by the device at *bus_address. */
	int (*map_dma)(struct transport *transport,
		       const struct transport_memory *memory,
		       uint64_t *bus_address);
	int (*unmap_dma)(struct transport *transport, uint64_t bus_address,
			 size_t length);

	/*
	 * Of a transport that chooses the memory itself, and has no map_dma() for that
	 * of others: zeros, whose address and length are filled in. NULL elsewhere.
	 */
	int (*allocate_dma)(struct transport *transport, size_t length,
			    struct transport_memory *memory);
	void (*release_dma)(struct transport *transport,
			    const struct transport_memory *memory);

	/*
	 * The bus address of each page of such memory; that of one is no other's
	 * neighbour, but for those of 2 MiB that are aligned to as much.
	 */
	uint64_t (*bus_at)(struct transport *transport, const void *address);

	/*
	 * An eventfd that counts interrupts of a vector; the transport owns it.
	 * A number of the vector, 0 … SPMM_MSIX_VECTORS − 1.
	 */
	int (*interrupt_fd)(struct transport *transport, unsigned int vector);

	/* Function-level reset; the device forgets everything. */
	int (*reset)(struct transport *transport);

	/*
	 * 0, or what the transport knows of a device that is of no use: −ENODEV, −EIO
	 * until a reset, with a text. NULL where registers tell all there is to know.
	 */
	int (*check)(struct transport *transport);

	/*
	 * For who watches the device: what the entries of command lists with the id
	 * @label, not 0, are called. NULL where nobody can watch.
	 */
	int (*name_command)(struct transport *transport, uint16_t label,
			    const char *text);

	/*
	 * Completes the record of what the device did, if there is one, as soon as
	 * it has nothing to do: by @deadline, or −EBUSY. NULL where there never is one.
	 */
	int (*end_trace)(struct transport *transport, uint64_t deadline);
};

/**
 * struct transport - to be embedded
 * @operations: of its kind
 * @vectors: interrupts that it has, if they are fewer than SPMM_MSIX_VECTORS; or 0
 */
struct transport {
	const struct transport_operations *operations;
	unsigned int vectors;
};

static inline int transport_check(struct transport *transport)
{
	if (!transport->operations->check)
		return 0;
	return transport->operations->check(transport);
}

#endif
