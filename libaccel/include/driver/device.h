/* SPDX-License-Identifier: MIT */
/*
 * A device that runs commands from queues, whoever drives it: this process through a
 * transport (driver/bare.h), or the kernel module (kernel/device.h).
 */
#ifndef DRIVER_DEVICE_H
#define DRIVER_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "driver/registers.h"
#include "pack/geometry.h"

struct driver_device;
struct driver_memory;
struct driver_queue;
struct transport_memory;
struct spmm_fault_record;

/**
 * struct driver_operations - what whoever drives a device does
 * @destroy: see driver_device_destroy()
 * @reset: see driver_device_reset()
 * @memory_allocate: @memory is zeroed but for its length, which is not rounded yet
 * @memory_import: @memory is zeroed; −ENOTSUP with a text for what it cannot reach
 * @memory_release: of memory that was allocated or imported
 * @memory_used: bytes of device memory
 * @queue_create: @queue is zeroed but for @device, @priority, and −1 as its event
 * @queue_destroy: see driver_queue_destroy(), as for the others
 * @queue_recover: the context lives again, or everything does after a reset
 * @queue_abort: the completions follow
 * @queue_sleep: until an interrupt or the deadline
 * @queue_event: of interrupts
 * @queue_ring: new commands, where the queue's doorbells are not plain memory
 * @queue_report: tell the device what was taken
 * @queue_poll: bring completions into the ring; NULL where they come by themselves
 * @queue_check: see driver_queue_check(); NULL where queue_poll() says that
 * @fault_find: see driver_fault_find()
 * @labels_take: see driver_labels_take(); NULL where nobody can watch
 * @label_name: tell who watches the device what a command with that label is
 * @end_trace: see accel_device_end_trace(); NULL where nothing is recorded
 */
struct driver_operations {
	void (*destroy)(struct driver_device *device);
	int (*reset)(struct driver_device *device);

	int (*memory_allocate)(struct driver_device *device, bool on_device,
			       struct driver_memory *memory);
	int (*memory_import)(struct driver_device *device,
			     const struct transport_memory *shown,
			     struct driver_memory *memory);
	void (*memory_release)(struct driver_device *device,
			       struct driver_memory *memory);
	uint64_t (*memory_used)(struct driver_device *device);

	int (*queue_create)(struct driver_queue *queue, uint32_t depth);
	void (*queue_destroy)(struct driver_queue *queue);
	int (*queue_recover)(struct driver_queue *queue);
	int (*queue_abort)(struct driver_queue *queue);
	int (*queue_sleep)(struct driver_queue *queue, uint64_t deadline);
	int (*queue_event)(struct driver_queue *queue);
	void (*queue_ring)(struct driver_queue *queue);
	void (*queue_report)(struct driver_queue *queue);
	int (*queue_poll)(struct driver_queue *queue);
	int (*queue_check)(const struct driver_queue *queue);
	bool (*fault_find)(struct driver_queue *queue, uint16_t id,
			   struct spmm_fault_record *record);

	uint16_t (*labels_take)(struct driver_device *device, uint32_t count);
	int (*label_name)(struct driver_device *device, uint16_t label,
			  const char *name);
	int (*end_trace)(struct driver_device *device, uint64_t deadline);
};

/**
 * struct driver_device - a device that is up
 * @operations: of who drives it
 * @capabilities: of it
 * @geometry: of it
 * @stall_timeout_ns: a queue without progress for so long is hung
 * @generation: counts resets
 */
struct driver_device {
	const struct driver_operations *operations;
	struct capabilities capabilities;
	struct geometry geometry;
	uint64_t stall_timeout_ns;
	atomic_uint generation;
};

/* No queue and no memory of it is left. */
static inline void driver_device_destroy(struct driver_device *device)
{
	device->operations->destroy(device);
}

/* Everything in the device is lost; its queues find out by the generation. */
static inline int driver_device_reset(struct driver_device *device)
{
	return device->operations->reset(device);
}

/*
 * Labels for that many commands, one after the other, that no other command of the
 * device has: the first, or 0 if nobody can watch the device or they are used up.
 */
static inline uint16_t driver_labels_take(struct driver_device *device,
					  uint32_t count)
{
	if (!device->operations->labels_take)
		return 0;
	return device->operations->labels_take(device, count);
}

#endif
