/* SPDX-License-Identifier: MIT */
/*
 * A device without IOMMU: every huge page has an address of its own, and memory that is not
 * the transport's cannot be reached. Here the simulator's bus stands for physical memory.
 */
#include "unit.h"

#include <accel/accel.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <backend/backend.h>
#include <transport/sim.h>

#include "runtime/object.h"

#define PAGE 4096ul
#define HUGE (512 * PAGE)
#define PAGES 64ul

/**
 * struct scattered - a transport that chooses memory itself
 * @inner: of the simulator
 * @start: PAGES huge pages, shared out from below
 * @next: bytes that are
 * @live: allocations
 * @bus: addresses of the pages, in descending order
 */
struct scattered {
	struct transport base;
	struct transport *inner;
	char *start;
	size_t next;
	int live;
	uint64_t bus[PAGES];
};

static struct scattered *scattered(struct transport *transport)
{
	return (struct scattered *)transport;
}

static struct transport *inner(struct transport *transport)
{
	return scattered(transport)->inner;
}

static uint32_t read32(struct transport *transport, uint32_t offset)
{
	return inner(transport)->operations->read32(inner(transport), offset);
}

static uint64_t read64(struct transport *transport, uint32_t offset)
{
	return inner(transport)->operations->read64(inner(transport), offset);
}

static void write32(struct transport *transport, uint32_t offset,
		    uint32_t value)
{
	inner(transport)->operations->write32(inner(transport), offset, value);
}

static void write64(struct transport *transport, uint32_t offset,
		    uint64_t value)
{
	inner(transport)->operations->write64(inner(transport), offset, value);
}

static int map_bar(struct transport *transport, unsigned int bar,
		   uint64_t offset, size_t length, void **out)
{
	return inner(transport)->operations->map_bar(inner(transport), bar,
						     offset, length, out);
}

static int interrupt_fd(struct transport *transport, unsigned int vector)
{
	return inner(transport)->operations->interrupt_fd(inner(transport),
							  vector);
}

static int reset(struct transport *transport)
{
	return inner(transport)->operations->reset(inner(transport));
}

static void close_both(struct transport *transport)
{
	struct scattered *all = scattered(transport);

	assert_int_equal(all->live, 0);
	all->inner->operations->close(all->inner);
	free(all->start);
}

/* Large ones begin in the middle of a page, too. */
static int allocate_dma(struct transport *transport, size_t length,
			struct transport_memory *memory)
{
	struct scattered *all = scattered(transport);

	if (all->next + length > PAGES * HUGE)
		return -ENOMEM;
	memory->address = all->start + all->next;
	all->next += length;
	all->live++;
	return 0;
}

static void release_dma(struct transport *transport,
			const struct transport_memory *memory)
{
	struct scattered *all = scattered(transport);

	assert_in_range((char *)memory->address - all->start, 0,
			PAGES * HUGE - memory->length);
	all->live--;
}

static uint64_t bus_at(struct transport *transport, const void *address)
{
	const struct scattered *all = scattered(transport);
	size_t offset = (size_t)((const char *)address - all->start);

	return all->bus[offset / HUGE] + offset % HUGE;
}

static void scattered_create(struct scattered *all)
{
	static const struct transport_operations operations = {
		.scheme = "scattered",
		.close = close_both,
		.read32 = read32,
		.read64 = read64,
		.write32 = write32,
		.write64 = write64,
		.map_bar = map_bar,
		.interrupt_fd = interrupt_fd,
		.reset = reset,
		.allocate_dma = allocate_dma,
		.release_dma = release_dma,
		.bus_at = bus_at,
	};
	struct sim_config config;

	memset(all, 0, sizeof(*all));
	all->base.operations = &operations;
	assert_int_equal(sim_config_preset("small", &config), 0);
	assert_int_equal(transport_sim_create(&config, NULL, &all->inner), 0);
	all->start = aligned_alloc(HUGE, PAGES * HUGE);
	assert_non_null(all->start);
	memset(all->start, 0, PAGES * HUGE);
	for (size_t i = PAGES; i-- > 0;) {
		const struct transport_memory page = {
			.address = all->start + i * HUGE,
			.length = HUGE,
			.file = -1,
		};

		assert_int_equal(all->inner->operations->map_dma(
					 all->inner, &page, &all->bus[i]),
				 0);
	}
}

static void copy_both_ways(struct accel_device *device, uint64_t length)
{
	struct accel_operation operations[2] = {
		{ .opcode = ACCEL_OPERATION_COPY },
		{ .opcode = ACCEL_OPERATION_COPY },
	};
	struct accel_completion done[2];
	struct accel_buffer *host, *far;
	struct accel_queue *queue;
	void *address;
	uint8_t *bytes;

	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_HOST,
					     2 * length, &host),
			 0);
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_DEVICE,
					     length, &far),
			 0);
	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	assert_int_equal(accel_buffer_map(host, &address), 0);
	bytes = address;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(i * 7 + i / PAGE);
	operations[0].copy.source = host;
	operations[0].copy.destination = far;
	operations[0].copy.length = length;
	operations[1].copy.source = far;
	operations[1].copy.destination = host;
	operations[1].copy.destination_offset = length;
	operations[1].copy.length = length;
	assert_int_equal(accel_queue_submit(queue, operations, 2), 2);
	assert_int_equal(accel_queue_wait(queue, done, 2, 2, 20 * ACCEL_SECOND),
			 2);
	assert_int_equal(done[0].status | done[1].status, 0);
	assert_memory_equal(bytes, bytes + length, length);
	accel_queue_destroy(queue);
	accel_buffer_destroy(far);
	accel_buffer_destroy(host);
}

static struct accel_device *device_create(struct scattered *all)
{
	const struct accel_device_options options = {
		.size = sizeof(options),
		.stall_timeout_ns = 10 * ACCEL_SECOND,
	};
	struct accel_device *device;

	scattered_create(all);
	assert_int_equal(driver_backend_open(&all->base, "scattered", &options,
					     &device),
			 0);
	device->uri = strdup("scattered:");
	atomic_init(&device->references, 1);
	return device;
}

static void commands_find_every_page(void **state)
{
	struct scattered all;
	struct accel_device *device = device_create(&all);

	(void)state;
	copy_both_ways(device, 3 * PAGE);
	copy_both_ways(device, HUGE);
	copy_both_ways(device, 3 * HUGE + 5 * PAGE);
	copy_both_ways(device, 4 * HUGE);
	accel_device_close(device);
}

static void what_is_short_or_others_is_refused(void **state)
{
	struct scattered all;
	struct accel_device *device = device_create(&all);
	struct accel_buffer_import import = {
		.size = sizeof(import),
		.address = all.start,
		.length = PAGE,
	};
	struct accel_buffer *buffer;

	(void)state;
	assert_int_equal(accel_buffer_import(device, &import, &buffer),
			 -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), "without IOMMU"));
	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_HOST,
					     PAGES * HUGE, &buffer),
			 -ENOMEM);
	copy_both_ways(device, HUGE);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_find_every_page),
		cmocka_unit_test(what_is_short_or_others_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
