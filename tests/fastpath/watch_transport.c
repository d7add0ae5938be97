/* SPDX-License-Identifier: MIT */
/*
 * A transport before the real one, that counts accesses to registers. The linker sends
 * the library's calls of bare_device_create() here (--wrap).
 */
#include "watch.h"

#include <driver/bare.h>
#include <errno.h>
#include <spmm/registers.h>
#include <stdlib.h>
#include <transport/transport.h>

bool watch_doorbells;
struct transport *watch_transport;

/**
 * struct watched - in the place of a transport
 * @base: what the driver sees
 * @operations: of it; those that the real one does not have are missing here, too
 * @inner: the real one
 */
struct watched {
	struct transport base;
	struct transport_operations operations;
	struct transport *inner;
};

static struct transport *inner(struct transport *transport)
{
	return ((struct watched *)transport)->inner;
}

static void watched_close(struct transport *transport)
{
	struct transport *real = inner(transport);

	real->operations->close(real);
	free(transport);
	watch_transport = NULL;
}

static uint32_t watched_read32(struct transport *transport, uint32_t offset)
{
	if (watch_on)
		watch.register_reads++;
	return inner(transport)->operations->read32(inner(transport), offset);
}

static uint64_t watched_read64(struct transport *transport, uint32_t offset)
{
	if (watch_on)
		watch.register_reads++;
	return inner(transport)->operations->read64(inner(transport), offset);
}

static void write_count(uint32_t offset)
{
	if (!watch_on)
		return;
	if (offset < SPMM_DOORBELL_BASE)
		watch.register_writes++;
	else if (offset % 8 == SPMM_DOORBELL_SQ_TAIL)
		watch.tails++;
	else
		watch.heads++;
}

static void watched_write32(struct transport *transport, uint32_t offset,
			    uint32_t value)
{
	write_count(offset);
	inner(transport)->operations->write32(inner(transport), offset, value);
}

static void watched_write64(struct transport *transport, uint32_t offset,
			    uint64_t value)
{
	write_count(offset);
	inner(transport)->operations->write64(inner(transport), offset, value);
}

static int watched_map_bar(struct transport *transport, unsigned int bar,
			   uint64_t offset, size_t length, void **out)
{
	if (watch_doorbells)
		return -ENOTSUP;
	return inner(transport)->operations->map_bar(inner(transport), bar,
						     offset, length, out);
}

static int watched_map_dma(struct transport *transport,
			   const struct transport_memory *memory,
			   uint64_t *bus_address)
{
	return inner(transport)->operations->map_dma(inner(transport), memory,
						     bus_address);
}

static int watched_unmap_dma(struct transport *transport, uint64_t bus_address,
			     size_t length)
{
	return inner(transport)->operations->unmap_dma(inner(transport),
						       bus_address, length);
}

static int watched_interrupt_fd(struct transport *transport,
				unsigned int vector)
{
	return inner(transport)->operations->interrupt_fd(inner(transport),
							  vector);
}

static int watched_reset(struct transport *transport)
{
	return inner(transport)->operations->reset(inner(transport));
}

static int watched_check(struct transport *transport)
{
	return inner(transport)->operations->check(inner(transport));
}

int __real_bare_device_create(struct transport *transport,
			      uint64_t stall_timeout_ns,
			      struct driver_device **out);
int __wrap_bare_device_create(struct transport *transport,
			      uint64_t stall_timeout_ns,
			      struct driver_device **out);

/* Who watches a device and records it is no matter of the fast path: left out. */
int __wrap_bare_device_create(struct transport *transport,
			      uint64_t stall_timeout_ns,
			      struct driver_device **out)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		abort();
	watched->inner = transport;
	watched->base = *transport;
	watched->base.operations = &watched->operations;
	watched->operations = (struct transport_operations){
		.scheme = transport->operations->scheme,
		.shares_memory = transport->operations->shares_memory,
		.close = watched_close,
		.read32 = watched_read32,
		.read64 = watched_read64,
		.write32 = watched_write32,
		.write64 = watched_write64,
		.map_bar = watched_map_bar,
		.map_dma = watched_map_dma,
		.unmap_dma = watched_unmap_dma,
		.interrupt_fd = watched_interrupt_fd,
		.reset = watched_reset,
		.check = transport->operations->check ? watched_check : NULL,
	};
	watch_transport = &watched->base;
	return __real_bare_device_create(&watched->base, stall_timeout_ns, out);
}
