/* SPDX-License-Identifier: MIT */
#include "driver/queue.h"

#include <errno.h>
#include <poll.h>
#include <spmm/registers.h>
#include <string.h>

#include "core/deadline.h"
#include "core/error.h"
#include "driver/bare.h"
#include "driver/page_table.h"
#include "driver/ring_memory.h"
#include "transport/transport.h"

/* How often a sleeper looks whether the device still moves. */
#define WATCH_NS 100000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_SECOND 1000000000ull

static uint32_t doorbell_offset(const struct driver_queue *queue)
{
	return SPMM_DOORBELL_BASE +
	       queue->number * queue->device->capabilities.doorbell_stride;
}

static void write32(const struct driver_queue *queue, uint32_t offset,
		    uint32_t value)
{
	struct transport *transport = bare_device(queue->device)->transport;

	transport->operations->write32(transport, offset, value);
}

static uint64_t read64(const struct driver_queue *queue, uint32_t offset)
{
	struct transport *transport = bare_device(queue->device)->transport;

	return transport->operations->read64(transport, offset);
}

void bare_queue_ring(struct driver_queue *queue)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	write32(queue, doorbell_offset(queue) + SPMM_DOORBELL_SQ_TAIL,
		ring_index(&queue->sq, queue->sq.tail));
}

void bare_queue_report(struct driver_queue *queue)
{
	uint32_t head = ring_index(&queue->cq, queue->cq.head);

	queue->cq_reported = queue->cq.head;
	if (queue->doorbells) {
		doorbell_write(&queue->doorbells[1], head);
		return;
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
	write32(queue, doorbell_offset(queue) + SPMM_DOORBELL_CQ_HEAD, head);
}

static int command(const struct driver_queue *queue, uint8_t opcode,
		   uint64_t address)
{
	struct spmm_admin_sqe entry = {
		.opcode = opcode,
		.queue = htole16(queue->number),
		.context = htole16(queue->number),
		.address = htole64(address),
		.entries = htole16((uint16_t)(queue->sq.entries - 1)),
		.vector = htole16(queue->number),
		.cq = htole16(queue->number),
		.priority = htole16(queue->priority),
		.command = htole32(SPMM_ABORT_ALL),
	};

	return admin_execute(&bare_device(queue->device)->admin, &entry, NULL);
}

/* Create context and rings in the device, with empty rings here. */
static int attach(struct driver_queue *queue)
{
	struct bare_device *device = bare_device(queue->device);
	uint64_t address = queue->memory.virtual_address;
	int ret;

	memset(queue->memory.host.address, 0, queue->memory.host.length);
	queue->sq.head = 0;
	queue->sq.tail = 0;
	queue->cq.head = 0;
	queue->cq_reported = 0;
	queue->failed = false;
	queue->progress_time = 0;
	queue->generation = atomic_load(&device->base.generation);
	ret = command(queue, SPMM_ADMIN_CREATE_CONTEXT, 0);
	if (!ret)
		ret = command(queue, SPMM_ADMIN_SET_PAGE_TABLE,
			      page_table_root(device->tables));
	if (!ret)
		ret = command(queue, SPMM_ADMIN_CREATE_CQ,
			      address + ring_memory_completions(queue));
	if (!ret)
		ret = command(queue, SPMM_ADMIN_CREATE_SQ, address);
	return ret;
}

/* Each fails harmlessly where attach() did not get so far. */
static void detach(struct driver_queue *queue)
{
	/* What a dead admin queue says would hide why it died. */
	if (driver_queue_is_lost(queue) ||
	    admin_is_dead(&bare_device(queue->device)->admin))
		return;
	command(queue, SPMM_ADMIN_DELETE_SQ, 0);
	command(queue, SPMM_ADMIN_DELETE_CQ, 0);
	command(queue, SPMM_ADMIN_DELETE_CONTEXT, 0);
}

static void doorbells_map(struct driver_queue *queue)
{
	struct transport *transport = bare_device(queue->device)->transport;
	void *page;

	if (!transport->operations->map_bar(
		    transport, SPMM_BAR_REGISTERS, doorbell_offset(queue),
		    queue->device->capabilities.doorbell_stride, &page))
		queue->doorbells = page;
}

int bare_queue_create(struct driver_queue *queue, uint32_t depth)
{
	struct bare_device *device = bare_device(queue->device);
	int number = bare_queue_number_take(device);
	int ret;

	if (number < 0)
		return number;
	queue->number = (uint16_t)number;
	ret = ring_memory_size(queue, depth);
	if (!ret)
		ret = ring_memory_allocate(queue);
	if (!ret) {
		doorbells_map(queue);
		ret = attach(queue);
		if (ret)
			detach(queue);
	}
	if (ret) {
		bare_queue_number_give(device, queue->number);
		driver_memory_release(&device->base, &queue->memory);
	}
	return ret;
}

void bare_queue_destroy(struct driver_queue *queue)
{
	detach(queue);
	/* The context is gone: releasing memory must not invalidate it. */
	bare_queue_number_give(bare_device(queue->device), queue->number);
	driver_memory_release(queue->device, &queue->memory);
}

int bare_queue_recover(struct driver_queue *queue)
{
	int ret;

	if (driver_queue_is_lost(queue))
		return attach(queue);
	ret = command(queue, SPMM_ADMIN_RESET_CONTEXT, 0);
	if (!ret)
		queue->failed = false;
	return ret;
}

int bare_queue_abort(struct driver_queue *queue)
{
	/* The device needs room for a completion of each. */
	bare_queue_report(queue);
	return command(queue, SPMM_ADMIN_ABORT, 0);
}

int bare_queue_check(const struct driver_queue *queue)
{
	return transport_check(bare_device(queue->device)->transport);
}

int bare_queue_event(struct driver_queue *queue)
{
	if (queue->event < 0)
		queue->event = bare_queue_number_watch(
			bare_device(queue->device), queue->number);
	return queue->event;
}

/*
 * The hard maximum counts device time, since a simulated device runs at the
 * host's speed; the queues share that time.
 */
static bool job_is_over_time(struct driver_queue *queue)
{
	const struct bare_device *device = bare_device(queue->device);
	uint64_t queues = (uint64_t)__builtin_popcountll(
		atomic_load_explicit(&device->queues, memory_order_relaxed));
	uint64_t seconds =
		device->base.capabilities.job_timeout_ns / NS_PER_SECOND;
	uint64_t cycles = read64(queue, SPMM_REG_CYCLES);
	uint64_t most =
		(seconds + 1) * (queues + 1) * device->base.geometry.clock_hz;

	if (!queue->progress_time || queue->last_head != queue->cq.head) {
		queue->last_head = queue->cq.head;
		queue->start_cycles = cycles;
	}
	return seconds && cycles - queue->start_cycles > most;
}

static int watch(struct driver_queue *queue)
{
	uint64_t progress = read64(queue, SPMM_REG_PROGRESS(queue->number));
	int ret = registers_check_alive(bare_device(queue->device)->transport);
	uint64_t now = monotonic_ns();

	if (ret)
		return ret;
	if (job_is_over_time(queue))
		return accel_error(
			-EIO,
			"queue %u: a command exceeds the device's hard maximum; the device has to be reset",
			queue->number);
	if (!queue->progress_time || progress != queue->progress) {
		queue->progress = progress;
		queue->progress_time = now;
	}
	if (now - queue->progress_time < queue->device->stall_timeout_ns)
		return 0;
	return accel_error(
		-EIO,
		"queue %u: no progress for %llu ms; the device has to be reset",
		queue->number,
		(unsigned long long)(queue->device->stall_timeout_ns /
				     NS_PER_MS));
}

int bare_queue_sleep(struct driver_queue *queue, uint64_t deadline)
{
	struct pollfd poller = { .fd = queue->event, .events = POLLIN };
	uint64_t left = deadline_remaining(deadline);
	uint64_t slice = left < WATCH_NS ? left : WATCH_NS;
	struct timespec timeout = { .tv_nsec = (long)slice };
	int ready;

	if (queue->event < 0) {
		/* What completed before this was not counted: look again. */
		int event = bare_queue_event(queue);

		return event < 0 ? event : 0;
	}
	ready = ppoll(&poller, 1, &timeout, NULL);
	if (ready < 0 && errno != EINTR)
		return accel_error(-errno, "poll: %s", strerror(errno));
	if (ready > 0) {
		driver_queue_signals(queue);
		queue->progress_time = 0;
		return 0;
	}
	return watch(queue);
}
