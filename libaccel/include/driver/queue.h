/* SPDX-License-Identifier: MIT */
/*
 * An I/O queue pair. One thread at a time uses it; on a device whose doorbells are plain
 * memory the fast path (put, ring, peek, take, report) makes no system call, allocates
 * nothing, takes no lock and reads no register.
 */
#ifndef DRIVER_QUEUE_H
#define DRIVER_QUEUE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include <spmm/queue.h>

#include "driver/device.h"
#include "driver/memory.h"
#include "driver/ring.h"

struct kernel_queue;

/**
 * struct driver_queue - the rings and their doorbells
 * @device: of the queue
 * @number: of both rings and of the context, for who drives the device
 * @priority: 0 … 3
 * @sq_entries: submission ring
 * @cq_entries: completion ring
 * @sq: its counters; the head is moved by driver_queue_take()
 * @cq: its counters
 * @cq_reported: the head that the device was told
 * @doorbells: SQ tail and CQ head as plain memory, or NULL: by the device's operations
 * @memory: of both rings
 * @lists: commands of the list in each entry of the ring, for a device that copies them;
 *	NULL for others
 * @kernel: what the kernel module's queues have besides; NULL for others
 * @generation: of the device when the queue was attached
 * @failed: the context is dead until driver_queue_recover()
 * @corrupt: a completion was not the one whose turn it was: only a reset helps
 * @event: eventfd of the interrupt, or −1 until somebody sleeps
 * @signals: that were taken from it
 * @progress: last seen value of the progress register
 * @progress_time: when it was first seen, in monotonic ns; 0: never
 * @last_head: cq.head when progress was last looked at
 * @start_cycles: device time then
 */
struct driver_queue {
	struct driver_device *device;
	uint16_t number;
	uint16_t priority;
	struct spmm_sqe *sq_entries;
	const struct spmm_cqe *cq_entries;
	struct ring sq;
	struct ring cq;
	uint32_t cq_reported;
	volatile uint32_t *doorbells;
	struct driver_memory memory;
	const struct spmm_sqe **lists;
	struct kernel_queue *kernel;
	uint32_t generation;
	bool failed;
	bool corrupt;
	int event;
	uint64_t signals;
	uint64_t progress;
	uint64_t progress_time;
	uint32_t last_head;
	uint64_t start_cycles;
};

/* So many commands can be outstanding. */
static inline int driver_queue_create(struct driver_device *device,
				      uint32_t depth, uint32_t priority,
				      struct driver_queue *queue)
{
	*queue = (struct driver_queue){
		.device = device,
		.priority = (uint16_t)priority,
		.event = -1,
	};
	return device->operations->queue_create(queue, depth);
}

/* What is outstanding is aborted. */
static inline void driver_queue_destroy(struct driver_queue *queue)
{
	queue->device->operations->queue_destroy(queue);
}

/* Make the context alive again after a failure, or all anew after a reset. */
static inline int driver_queue_recover(struct driver_queue *queue)
{
	int ret = queue->device->operations->queue_recover(queue);

	if (!ret)
		queue->corrupt = false;
	return ret;
}

/* End everything that the queue holds; the completions follow. */
static inline int driver_queue_abort(struct driver_queue *queue)
{
	return queue->device->operations->queue_abort(queue);
}

/*
 * Sleep until an interrupt or the deadline; a false alarm is possible. −EIO when
 * the device has made no progress for too long, −ENODEV when it is gone.
 */
static inline int driver_queue_sleep(struct driver_queue *queue,
				     uint64_t deadline)
{
	return queue->device->operations->queue_sleep(queue, deadline);
}

/* The eventfd of its interrupts, which does not belong to the caller. */
static inline int driver_queue_event(struct driver_queue *queue)
{
	return queue->device->operations->queue_event(queue);
}

/* Take what the eventfd was signalled: how often in all; it may be that nobody has one. */
uint64_t driver_queue_signals(struct driver_queue *queue);

/*
 * Take the records of the queue's faults off the log; that of the given command is put
 * into *record, false if there is none. Takes a lock and allocates.
 */
static inline bool driver_fault_find(struct driver_queue *queue, uint16_t id,
				     struct spmm_fault_record *record)
{
	return queue->device->operations->fault_find(queue, id, record);
}

static inline bool driver_queue_is_lost(const struct driver_queue *queue)
{
	return queue->generation !=
	       atomic_load_explicit(&queue->device->generation,
				    memory_order_relaxed);
}

/* Room for the next command, which the device sees after driver_queue_ring(). */
static inline struct spmm_sqe *driver_queue_put(struct driver_queue *queue)
{
	return &queue->sq_entries[ring_index(&queue->sq, queue->sq.tail++)];
}

/* The entry put last is a LIST of these, which stay while it is outstanding. */
static inline void driver_queue_set_list(struct driver_queue *queue,
					 const struct spmm_sqe *commands)
{
	if (queue->lists)
		queue->lists[ring_index(&queue->sq, queue->sq.tail - 1)] =
			commands;
}

/* A doorbell that is plain memory: the device sees all that was stored before. */
static inline void doorbell_write(volatile uint32_t *doorbell, uint32_t value)
{
	__atomic_store_n(doorbell, htole32(value), __ATOMIC_RELEASE);
}

static inline void driver_queue_ring(struct driver_queue *queue)
{
	if (!queue->doorbells) {
		queue->device->operations->queue_ring(queue);
		return;
	}
	doorbell_write(&queue->doorbells[0],
		       ring_index(&queue->sq, queue->sq.tail));
}

/* For a device whose completions do not come by themselves: look for new ones. */
static inline int driver_queue_poll(struct driver_queue *queue)
{
	if (!queue->device->operations->queue_poll)
		return 0;
	return queue->device->operations->queue_poll(queue);
}

/*
 * 0, or with a text why there is no sense in waiting for what is not there: −ENODEV when
 * the device was taken away, −EIO when it has to be reset. Asks nothing of the device.
 */
static inline int driver_queue_check(const struct driver_queue *queue)
{
	if (!queue->device->operations->queue_check)
		return 0;
	return queue->device->operations->queue_check(queue);
}

/* The next completion if it is there. */
static inline const struct spmm_cqe *
driver_queue_peek(const struct driver_queue *queue)
{
	const struct spmm_cqe *entry =
		&queue->cq_entries[ring_index(&queue->cq, queue->cq.head)];

	return ring_is_complete(&queue->cq, queue->cq.head, entry) ? entry :
								     NULL;
}

/*
 * Is it the completion of the oldest command, which has this id? A queue that others have
 * the number of has none.
 */
static inline bool driver_queue_expects(const struct driver_queue *queue,
					const struct spmm_cqe *entry,
					uint16_t id)
{
	return ring_is_oldest(&queue->sq, id, entry) &&
	       (!queue->number || entry->sq == queue->number);
}

/* −EIO and a text, from the first completion that is not expected to the next reset. */
int driver_queue_distrust(struct driver_queue *queue);

static inline void driver_queue_take(struct driver_queue *queue)
{
	queue->cq.head++;
	queue->sq.head++;
}

/* The device needs to know only before its ring could fill up. True if it was told. */
static inline bool driver_queue_report(struct driver_queue *queue)
{
	if (queue->cq.head - queue->cq_reported < queue->cq.entries / 4)
		return false;
	queue->device->operations->queue_report(queue);
	return true;
}

#endif
