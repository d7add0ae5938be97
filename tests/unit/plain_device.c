/* SPDX-License-Identifier: MIT */
#include "plain_device.h"

#include "fake_device.h"

#include <backend/backend.h>
#include <driver/ring.h>
#include <pthread.h>
#include <sched.h>
#include <spmm/page_table.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define QUEUES 32
#define CONTEXTS 64
#define LEVELS 4
#define INDEX_BITS 9

/**
 * struct plain_queue - a queue pair as the device sees it
 * @doorbells: SQ tail and CQ head, written by the host
 * @sq: ring in the host's memory; NULL: there is no such queue
 * @cq: likewise
 * @entries: of both
 * @head: commands so far
 * @event: eventfd of its interrupts, or −1 until somebody asks
 */
struct plain_queue {
	_Alignas(64) uint32_t doorbells[16];
	_Alignas(64) const struct spmm_sqe *sq;
	struct spmm_cqe *cq;
	uint32_t entries;
	uint32_t head;
	int event;
};

/**
 * struct plain_device - all of it
 * @fake: registers, admin queue and memory
 * @thread: that executes commands
 * @stop: it ends
 * @waiting: how many others want @lock, which the thread would else never leave to them
 * @lock: over everything but @doorbells
 * @roots: page tables of contexts
 * @queues: by number; 0 is none
 */
struct plain_device {
	struct fake_device fake;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint waiting;
	pthread_mutex_t lock;
	uint64_t roots[CONTEXTS];
	struct plain_queue queues[QUEUES + 1];
};

static struct plain_device *plain_device(struct transport *transport)
{
	return (struct plain_device *)transport;
}

static void plain_lock(struct plain_device *device)
{
	atomic_fetch_add(&device->waiting, 1);
	pthread_mutex_lock(&device->lock);
	atomic_fetch_sub(&device->waiting, 1);
}

/* ---- commands ---- */

static void command_complete(struct plain_queue *queue, unsigned int number)
{
	uint32_t mask = queue->entries - 1;
	const struct spmm_sqe *entry = &queue->sq[queue->head & mask];
	struct spmm_cqe *completion = &queue->cq[queue->head & mask];
	uint32_t phase = queue->head & queue->entries ? 0 : SPMM_CQE_PHASE;
	uint32_t *word = (void *)&completion->id;

	completion->result = 0;
	completion->sq = (uint8_t)number;
	completion->sq_head = htole16((uint16_t)((queue->head + 1) & mask));
	queue->head++;
	__atomic_store_n(word, htole32(le16toh(entry->id) | phase << 16),
			 __ATOMIC_RELEASE);
}

static bool queue_execute(struct plain_queue *queue, unsigned int number)
{
	uint32_t mask = queue->entries - 1;
	uint32_t tail;

	if (!queue->sq)
		return false;
	tail = le32toh(__atomic_load_n(&queue->doorbells[0], __ATOMIC_ACQUIRE));
	if ((queue->head & mask) == tail)
		return false;
	while ((queue->head & mask) != tail)
		command_complete(queue, number);
	if (queue->event >= 0)
		eventfd_write(queue->event, 1);
	return true;
}

static void *plain_run(void *argument)
{
	struct plain_device *device = argument;

	while (!atomic_load(&device->stop)) {
		bool moved = false;

		if (!atomic_load(&device->waiting)) {
			pthread_mutex_lock(&device->lock);
			for (unsigned int i = 1; i <= QUEUES; i++)
				moved |= queue_execute(&device->queues[i], i);
			pthread_mutex_unlock(&device->lock);
		}
		if (!moved)
			sched_yield();
	}
	return NULL;
}

/* ---- the admin queue ---- */

static void *translate(const struct plain_device *device, uint64_t root,
		       uint64_t address)
{
	uint64_t entry = root;

	for (int level = LEVELS - 1; level >= 0; level--) {
		unsigned int shift =
			SPMM_PAGE_SHIFT + INDEX_BITS * (unsigned int)level;
		const uint64_t *table = fake_at(&device->fake.transport,
						entry & SPMM_PTE_ADDRESS_MASK);

		assert_non_null(table);
		entry = le64toh(__atomic_load_n(
			&table[address >> shift & (SPMM_PAGE_TABLE_ENTRIES - 1)],
			__ATOMIC_ACQUIRE));
		if (entry & SPMM_PTE_LEAF)
			return fake_at(&device->fake.transport,
				       (entry & SPMM_PTE_ADDRESS_MASK) +
					       (address &
						((1ull << shift) - 1)));
	}
	return NULL;
}

static void admin_execute_one(struct plain_device *device,
			      const struct spmm_admin_sqe *command)
{
	struct plain_queue *queue =
		&device->queues[le16toh(command->queue) % (QUEUES + 1)];
	uint64_t *root = &device->roots[le16toh(command->context) % CONTEXTS];

	switch (command->opcode) {
	case SPMM_ADMIN_SET_PAGE_TABLE:
		*root = le64toh(command->address);
		break;
	case SPMM_ADMIN_CREATE_CQ:
		queue->cq = translate(device, *root, le64toh(command->address));
		break;
	case SPMM_ADMIN_CREATE_SQ:
		queue->entries = le16toh(command->entries) + 1u;
		queue->head = 0;
		__atomic_store_n(&queue->doorbells[0], 0, __ATOMIC_RELAXED);
		queue->sq = translate(device, *root, le64toh(command->address));
		break;
	case SPMM_ADMIN_DELETE_SQ:
		queue->sq = NULL;
		break;
	}
}

static void admin_execute_all(struct plain_device *device, uint32_t tail)
{
	const struct spmm_admin_sqe *ring =
		fake_at(&device->fake.transport, device->fake.sq_address);

	for (uint32_t i = device->fake.tail; i % FAKE_ENTRIES != tail; i++)
		admin_execute_one(device, &ring[i % FAKE_ENTRIES]);
}

/* ---- the transport ---- */

static struct plain_queue *queue_at(struct plain_device *device,
				    uint64_t offset)
{
	uint64_t number = (offset - SPMM_DOORBELL_BASE) / FAKE_STRIDE;

	if (offset < SPMM_DOORBELL_BASE || !number || number > QUEUES)
		return NULL;
	return &device->queues[number];
}

static void plain_write32(struct transport *transport, uint32_t offset,
			  uint32_t value)
{
	struct plain_device *device = plain_device(transport);
	struct plain_queue *queue = queue_at(device, offset);

	if (queue) {
		__atomic_store_n(&queue->doorbells[offset % FAKE_STRIDE / 4],
				 htole32(value), __ATOMIC_RELEASE);
		return;
	}
	plain_lock(device);
	if (offset == SPMM_DOORBELL_BASE)
		admin_execute_all(device, value);
	fake_write32(transport, offset, value);
	pthread_mutex_unlock(&device->lock);
}

static int plain_map_bar(struct transport *transport, unsigned int bar,
			 uint64_t offset, size_t length, void **out)
{
	struct plain_queue *queue = queue_at(plain_device(transport), offset);

	(void)length;
	if (bar != SPMM_BAR_REGISTERS || !queue)
		return -ENOTSUP;
	*out = queue->doorbells;
	return 0;
}

static int plain_map_dma(struct transport *transport,
			 const struct transport_memory *memory,
			 uint64_t *bus_address)
{
	int ret;

	plain_lock(plain_device(transport));
	ret = fake_map_dma(transport, memory, bus_address);
	pthread_mutex_unlock(&plain_device(transport)->lock);
	return ret;
}

static int plain_unmap_dma(struct transport *transport, uint64_t bus_address,
			   size_t length)
{
	int ret;

	plain_lock(plain_device(transport));
	ret = fake_unmap_dma(transport, bus_address, length);
	pthread_mutex_unlock(&plain_device(transport)->lock);
	return ret;
}

static int plain_interrupt_fd(struct transport *transport, unsigned int vector)
{
	struct plain_device *device = plain_device(transport);
	struct plain_queue *queue = &device->queues[vector % (QUEUES + 1)];

	plain_lock(device);
	if (queue->event < 0)
		queue->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_unlock(&device->lock);
	return queue->event;
}

static void plain_close(struct transport *transport)
{
	struct plain_device *device = plain_device(transport);

	atomic_store(&device->stop, true);
	pthread_join(device->thread, NULL);
	fake_close(transport);
	for (unsigned int i = 0; i <= QUEUES; i++)
		if (device->queues[i].event >= 0)
			close(device->queues[i].event);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

struct transport *plain_transport_create(void)
{
	static const struct transport_operations operations = {
		.scheme = "plain",
		.close = plain_close,
		.read32 = fake_read32,
		.read64 = fake_read64,
		.write32 = plain_write32,
		.write64 = fake_write64,
		.map_bar = plain_map_bar,
		.map_dma = plain_map_dma,
		.unmap_dma = plain_unmap_dma,
		.interrupt_fd = plain_interrupt_fd,
		.reset = fake_reset,
	};
	struct plain_device *device =
		aligned_alloc(_Alignof(struct plain_device), sizeof(*device));

	assert_non_null(device);
	memset(device, 0, sizeof(*device));
	fake_device_create(&device->fake);
	device->fake.transport.base.operations = &operations;
	device->fake.cap &= ~(0xffull << SPMM_CAP_QUEUES_SHIFT |
			      0xffull << SPMM_CAP_CONTEXTS_SHIFT);
	device->fake.cap |= (uint64_t)QUEUES << SPMM_CAP_QUEUES_SHIFT |
			    (uint64_t)CONTEXTS << SPMM_CAP_CONTEXTS_SHIFT;
	for (unsigned int i = 0; i <= QUEUES; i++)
		device->queues[i].event = -1;
	pthread_mutex_init(&device->lock, NULL);
	assert_int_equal(
		pthread_create(&device->thread, NULL, plain_run, device), 0);
	return &device->fake.transport.base;
}

struct accel_device *plain_device_open(void)
{
	const struct accel_device_options options = {
		.size = sizeof(options), .stall_timeout_ns = 30 * ACCEL_SECOND
	};
	struct accel_device *device;

	if (driver_backend_open(plain_transport_create(), "plain", &options,
				&device))
		return NULL;
	device->uri = strdup(PLAIN_URI);
	atomic_init(&device->references, 1);
	return device;
}
