/* SPDX-License-Identifier: MIT */
/*
 * A device that comes up and obeys its admin queue, and executes nothing: what a
 * driver sees of hardware that hangs, fails or is pulled out.
 */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <linux/types.h>
#include <spmm/queue.h>
#include <spmm/registers.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fake_transport.h"

#define FAKE_STRIDE 0x10000

/**
 * struct fake_device - its registers and its moods
 * @transport: memory at bus addresses
 * @cap: SPMM_REG_CAP
 * @version: SPMM_REG_VERSION
 * @clusters: SPMM_REG_CLUSTERS
 * @status: SPMM_REG_STATUS
 * @never_ready: ENABLE has no effect
 * @gone: every read is all ones
 * @deaf: the admin queue does not answer
 * @progress: of every queue; @moving: a read of it moves it
 * @cycles: device time; @cycles_step: what a read of it adds
 * @admin_status: with which the next admin command of @admin_opcode ends
 * @sq_address: of the admin queue
 * @cq_address: likewise
 * @tail: of the admin queue as the device has executed it
 * @resets: RESET writes so far
 * @commands: admin commands so far
 * @event: eventfd of all vectors
 * @closed: close() was called
 */
struct fake_device {
	struct fake_transport transport;
	uint64_t cap;
	uint32_t version;
	uint32_t clusters;
	uint32_t status;
	bool never_ready;
	bool gone;
	bool deaf;
	uint64_t progress;
	bool moving;
	uint64_t cycles;
	uint64_t cycles_step;
	unsigned int admin_status;
	unsigned int admin_opcode;
	uint64_t sq_address;
	uint64_t cq_address;
	uint32_t tail;
	unsigned int resets;
	unsigned int commands;
	int event;
	bool closed;
};

#define FAKE_ENTRIES 32 /* the driver's choice, checked below */

static inline struct fake_device *fake_device(struct transport *transport)
{
	return (struct fake_device *)transport;
}

static inline uint64_t fake_read64(struct transport *transport, uint32_t offset)
{
	struct fake_device *device = fake_device(transport);

	if (device->gone)
		return UINT64_MAX;
	switch (offset) {
	case SPMM_REG_CAP:
		return device->cap;
	case SPMM_REG_CYCLES:
		return device->cycles += device->cycles_step;
	case SPMM_REG_SRAM_BYTES:
		return 1 << 20;
	case SPMM_REG_MEMORY_BYTES:
		return 1 << 30;
	case SPMM_REG_MEMORY_BANDWIDTH:
	case SPMM_REG_LINK_BANDWIDTH:
		return 1000000000;
	}
	return device->moving ? ++device->progress : device->progress;
}

static inline uint32_t fake_read32(struct transport *transport, uint32_t offset)
{
	struct fake_device *device = fake_device(transport);

	if (device->gone)
		return UINT32_MAX;
	switch (offset) {
	case SPMM_REG_VERSION:
		return device->version;
	case SPMM_REG_OMITTED:
		return 0;
	case SPMM_REG_STATUS:
		return device->status;
	case SPMM_REG_CLUSTERS:
		return device->clusters;
	case SPMM_REG_CLOCK_HZ:
		return 1000;
	case SPMM_REG_VECTOR_WIDTH:
		return 32;
	default:
		return 8;
	}
}

static inline void fake_admin_answer(struct fake_device *device)
{
	const struct spmm_admin_sqe *command =
		(const struct spmm_admin_sqe *)fake_at(&device->transport,
						       device->sq_address) +
		device->tail % FAKE_ENTRIES;
	struct spmm_cqe *answer =
		(struct spmm_cqe *)fake_at(&device->transport,
					   device->cq_address) +
		device->tail % FAKE_ENTRIES;
	unsigned int phase = !(device->tail / FAKE_ENTRIES & 1);
	unsigned int status = 0;

	if (device->admin_status && command->opcode == device->admin_opcode) {
		status = device->admin_status;
		device->admin_status = 0;
	}
	answer->id = command->id;
	answer->status = (uint16_t)(status << 1 | phase);
	device->tail++;
	answer->sq_head = (uint16_t)(device->tail % FAKE_ENTRIES);
	device->commands++;
}

static inline void fake_write32(struct transport *transport, uint32_t offset,
				uint32_t value)
{
	struct fake_device *device = fake_device(transport);

	switch (offset) {
	case SPMM_REG_RESET:
		device->resets++;
		device->status = 0;
		device->tail = 0;
		break;
	case SPMM_REG_CONTROL:
		if (!device->never_ready)
			device->status |= SPMM_STATUS_READY;
		break;
	case SPMM_REG_ADMIN_QUEUE_SIZE:
		assert_int_equal(value, (FAKE_ENTRIES - 1) * 0x10001u);
		break;
	case SPMM_DOORBELL_BASE:
		while (!device->deaf && !device->gone &&
		       device->tail % FAKE_ENTRIES != value)
			fake_admin_answer(device);
		break;
	}
}

static inline void fake_write64(struct transport *transport, uint32_t offset,
				uint64_t value)
{
	if (offset == SPMM_REG_ADMIN_SQ_ADDRESS)
		fake_device(transport)->sq_address = value;
	if (offset == SPMM_REG_ADMIN_CQ_ADDRESS)
		fake_device(transport)->cq_address = value;
}

static inline int fake_map_bar(struct transport *transport, unsigned int bar,
			       uint64_t offset, size_t length, void **out)
{
	(void)transport;
	(void)bar;
	(void)offset;
	(void)length;
	(void)out;
	return -ENOTSUP;
}

static inline int fake_interrupt_fd(struct transport *transport,
				    unsigned int vector)
{
	(void)vector;
	return fake_device(transport)->event;
}

static inline int fake_reset(struct transport *transport)
{
	fake_device(transport)->status = 0;
	return 0;
}

static inline void fake_close(struct transport *transport)
{
	fake_device(transport)->closed = true;
	close(fake_device(transport)->event);
}

/* In good health: 4 queues, half a second to get ready, jobs of a second. */
static inline void fake_device_create(struct fake_device *device)
{
	static const struct transport_operations operations = {
		.scheme = "fake",
		.close = fake_close,
		.read32 = fake_read32,
		.read64 = fake_read64,
		.write32 = fake_write32,
		.write64 = fake_write64,
		.map_bar = fake_map_bar,
		.map_dma = fake_map_dma,
		.unmap_dma = fake_unmap_dma,
		.interrupt_fd = fake_interrupt_fd,
		.reset = fake_reset,
	};

	memset(device, 0, sizeof(*device));
	fake_create(&device->transport);
	device->transport.base.operations = &operations;
	device->cap = 1023 | 4ull << SPMM_CAP_DOORBELL_STRIDE_SHIFT |
		      1ull << SPMM_CAP_READY_TIMEOUT_SHIFT |
		      1ull << SPMM_CAP_JOB_TIMEOUT_SHIFT |
		      4ull << SPMM_CAP_QUEUES_SHIFT |
		      8ull << SPMM_CAP_CONTEXTS_SHIFT;
	device->version = SPMM_VERSION_1_0;
	device->clusters = 16;
	device->event = eventfd(0, EFD_NONBLOCK);
}

#endif
