/* SPDX-License-Identifier: MIT */
/*
 * The userspace driver of a device behind a transport: bring-up, admin queue,
 * address space, contexts, reset. All of its queues share one address space, but
 * each has a context of its own, so that a failure stops no other queue.
 */
#ifndef DRIVER_DEVICE_H
#define DRIVER_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "driver/admin.h"
#include "driver/range.h"
#include "driver/registers.h"
#include "pack/geometry.h"

struct page_table;
struct transport;

/**
 * struct driver_device - a device that is up
 * @transport: owned
 * @capabilities: of it
 * @geometry: of it
 * @admin: its admin queue
 * @stall_timeout_ns: a queue without progress for so long is hung
 * @lock: over everything below but @generation. It is held over the admin commands
 *	that invalidate, so it comes before @admin's lock and the transport's
 * @tables: of the address space
 * @addresses: free virtual addresses
 * @memory: free device memory
 * @queues: bit q: I/O queue q + 1, and its context, are in use
 * @labels: of commands, that have been given
 * @generation: counts resets
 */
struct driver_device {
	struct transport *transport;
	struct capabilities capabilities;
	struct geometry geometry;
	struct admin_queue admin;
	uint64_t stall_timeout_ns;
	pthread_mutex_t lock;
	struct page_table *tables;
	struct range_set addresses;
	struct range_set memory;
	uint64_t queues;
	uint32_t labels;
	atomic_uint generation;
};

/* Takes the transport over, also when it fails. */
int driver_device_create(struct transport *transport, uint64_t stall_timeout_ns,
			 struct driver_device **out);
void driver_device_destroy(struct driver_device *device);

/* Everything in the device is lost; its queues find out by the generation. */
int driver_device_reset(struct driver_device *device);

/* A number that no other queue has, 1 …; −EBUSY when there is none left. */
int driver_queue_number_take(struct driver_device *device);
void driver_queue_number_give(struct driver_device *device,
			      unsigned int number);

/*
 * Labels for that many commands, one after the other, that no other command of the
 * device has: the first, or 0 if nobody can watch the device or they are used up.
 */
uint16_t driver_labels_take(struct driver_device *device, uint32_t count);

#endif
