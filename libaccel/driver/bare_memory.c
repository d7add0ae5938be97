/* SPDX-License-Identifier: MIT */
#include "driver/memory.h"

#include <endian.h>
#include <errno.h>
#include <spmm/page_table.h>

#include "core/checked.h"
#include "core/error.h"
#include "core/integer.h"
#include "driver/bare.h"
#include "driver/page_table.h"
#include "transport/transport.h"

static uint64_t alignment_of(uint64_t length)
{
	return length >= SPMM_LARGE_PAGE_SIZE ? SPMM_LARGE_PAGE_SIZE :
						SPMM_PAGE_SIZE;
}

/* Pages that the device finds one behind the other, from an offset on. */
static uint64_t run_length(const struct driver_memory *memory, uint64_t offset)
{
	uintptr_t address = (uintptr_t)memory->host.address + offset;

	return min_u64(memory->length - offset,
		       SPMM_LARGE_PAGE_SIZE - address % SPMM_LARGE_PAGE_SIZE);
}

/* Memory whose pages have bus addresses of their own. */
static int map_scattered(struct bare_device *device, uint64_t flags,
			 const struct driver_memory *memory)
{
	struct transport *transport = device->transport;
	uint64_t length, done;
	int ret = 0;

	for (done = 0; done < memory->length && !ret; done += length) {
		uint64_t bus = transport->operations->bus_at(
			transport, (char *)memory->host.address + done);

		length = run_length(memory, done);
		ret = page_table_map(device->tables,
				     memory->virtual_address + done, bus,
				     length, flags);
		if (ret)
			page_table_unmap(device->tables,
					 memory->virtual_address, done);
	}
	return ret;
}

static int map_pages(struct bare_device *device, uint64_t address,
		     uint64_t flags, const struct driver_memory *memory)
{
	flags |= SPMM_PTE_READ | SPMM_PTE_WRITE;
	if (memory->host.address && device->transport->operations->bus_at)
		return map_scattered(device, flags, memory);
	return page_table_map(device->tables, memory->virtual_address, address,
			      memory->length, flags);
}

/* The lock is held. */
static int map(struct bare_device *device, uint64_t address, uint64_t flags,
	       struct driver_memory *memory)
{
	int ret = range_allocate(&device->addresses, memory->length,
				 alignment_of(memory->length),
				 &memory->virtual_address);

	if (ret)
		return accel_error(ret, "no virtual addresses left");
	ret = map_pages(device, address, flags, memory);
	if (ret)
		range_release(&device->addresses, memory->virtual_address,
			      memory->length);
	return ret;
}

/* Host memory that the transport reaches, for commands; the lock is held. */
static int map_host(struct bare_device *device, struct driver_memory *memory)
{
	int ret;

	memory->length = memory->host.length;
	ret = map(device, memory->host.bus, 0, memory);
	if (ret)
		dma_release(device->transport, &memory->host);
	return ret;
}

static int allocate_host(struct bare_device *device,
			 struct driver_memory *memory)
{
	int ret =
		dma_allocate(device->transport, memory->length, &memory->host);

	return ret ? ret : map_host(device, memory);
}

static int memory_short(const struct bare_device *device, uint64_t length)
{
	return accel_error(
		-ENOMEM,
		"device memory is short: %llu bytes wanted, %llu of %llu in use; free buffers or plans, or run a smaller batch",
		(unsigned long long)length,
		(unsigned long long)device->memory.used,
		(unsigned long long)device->memory.size);
}

static int allocate_device(struct bare_device *device,
			   struct driver_memory *memory)
{
	uint64_t length = memory->length;
	size_t rounded;
	int ret;

	if (!checked_align(length, SPMM_PAGE_SIZE, &rounded))
		return memory_short(device, length);
	memory->length = rounded;
	ret = range_allocate(&device->memory, rounded, alignment_of(rounded),
			     &memory->device_offset);
	if (ret)
		return memory_short(device, length);
	ret = map(device, memory->device_offset, SPMM_PTE_DEVICE, memory);
	if (ret)
		range_release(&device->memory, memory->device_offset, rounded);
	return ret;
}

int bare_memory_allocate(struct driver_device *base, bool on_device,
			 struct driver_memory *memory)
{
	struct bare_device *device = bare_device(base);
	int ret;

	pthread_mutex_lock(&device->lock);
	ret = on_device ? allocate_device(device, memory) :
			  allocate_host(device, memory);
	pthread_mutex_unlock(&device->lock);
	return ret;
}

int bare_memory_import(struct driver_device *base,
		       const struct transport_memory *shown,
		       struct driver_memory *memory)
{
	struct bare_device *device = bare_device(base);
	int ret;

	pthread_mutex_lock(&device->lock);
	ret = dma_import(device->transport, shown, &memory->host);
	if (!ret)
		ret = map_host(device, memory);
	pthread_mutex_unlock(&device->lock);
	return ret;
}

/*
 * Every context that may remember the translation forgets it. A device that does
 * not answer is dead or will be reset: then nothing is remembered either.
 */
static void invalidate(struct bare_device *device, uint64_t queues,
		       const struct driver_memory *memory)
{
	for (unsigned int i = 0; i < 64; i++) {
		struct spmm_admin_sqe command = {
			.opcode = SPMM_ADMIN_INVALIDATE,
			.context = htole16((uint16_t)(i + 1)),
			.address = htole64(memory->virtual_address),
			.length = htole64(memory->length),
		};

		if (queues & 1ull << i)
			admin_execute(&device->admin, &command, NULL);
	}
}

void bare_memory_release(struct driver_device *base,
			 struct driver_memory *memory)
{
	struct bare_device *device = bare_device(base);

	pthread_mutex_lock(&device->lock);
	page_table_unmap(device->tables, memory->virtual_address,
			 memory->length);
	invalidate(device, device->queues, memory);
	range_release(&device->addresses, memory->virtual_address,
		      memory->length);
	if (memory->host.address)
		dma_release(device->transport, &memory->host);
	else
		range_release(&device->memory, memory->device_offset,
			      memory->length);
	pthread_mutex_unlock(&device->lock);
}

uint64_t bare_memory_used(struct driver_device *base)
{
	struct bare_device *device = bare_device(base);
	uint64_t used;

	pthread_mutex_lock(&device->lock);
	used = device->memory.used;
	pthread_mutex_unlock(&device->lock);
	return used;
}
