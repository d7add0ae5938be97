/* SPDX-License-Identifier: MIT */
/*
 * The userspace driver of a device behind a transport: bring-up, admin queue,
 * address space, contexts, reset. All of its queues share one address space, but
 * each has a context of its own, so that a failure stops no other queue.
 */
#ifndef DRIVER_BARE_H
#define DRIVER_BARE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/range.h"
#include "driver/admin.h"
#include "driver/device.h"

struct page_table;
struct transport;

/**
 * struct bare_device - a device that this process owns
 * @base: what its users see
 * @transport: owned
 * @admin: its admin queue
 * @lock: over everything below. It is held over the admin commands that invalidate, so it
 *	comes before @admin's lock and the transport's
 * @tables: of the address space
 * @addresses: free virtual addresses
 * @memory: free device memory
 * @queues: bit q: I/O queue q + 1, and its context, are in use; read without @lock by
 *	sleepers, who must not wait for admin commands
 * @watched: bit q: its interrupts are waited for
 * @labels: of commands, that have been given
 */
struct bare_device {
	struct driver_device base;
	struct transport *transport;
	struct admin_queue admin;
	pthread_mutex_t lock;
	struct page_table *tables;
	struct range_set addresses;
	struct range_set memory;
	_Atomic uint64_t queues;
	uint64_t watched;
	uint32_t labels;
};

static inline struct bare_device *bare_device(struct driver_device *device)
{
	return (struct bare_device *)device;
}

/* Takes the transport over, also when it fails. */
int bare_device_create(struct transport *transport, uint64_t stall_timeout_ns,
		       struct driver_device **out);

/* A number that no other queue has, 1 …; −EBUSY when there is none left. */
int bare_queue_number_take(struct bare_device *device);
void bare_queue_number_give(struct bare_device *device, unsigned int number);

/* The eventfd of a queue's interrupts; a reset of the device signals it, too. */
int bare_queue_number_watch(struct bare_device *device, unsigned int number);

/* Operations of a device, see struct driver_operations. */
int bare_memory_allocate(struct driver_device *device, bool on_device,
			 struct driver_memory *memory);
int bare_memory_import(struct driver_device *device,
		       const struct transport_memory *shown,
		       struct driver_memory *memory);
void bare_memory_release(struct driver_device *device,
			 struct driver_memory *memory);
uint64_t bare_memory_used(struct driver_device *device);
int bare_queue_create(struct driver_queue *queue, uint32_t depth);
void bare_queue_destroy(struct driver_queue *queue);
int bare_queue_recover(struct driver_queue *queue);
int bare_queue_abort(struct driver_queue *queue);
int bare_queue_sleep(struct driver_queue *queue, uint64_t deadline);
int bare_queue_event(struct driver_queue *queue);
void bare_queue_ring(struct driver_queue *queue);
void bare_queue_report(struct driver_queue *queue);
int bare_queue_check(const struct driver_queue *queue);
bool bare_fault_find(struct driver_queue *queue, uint16_t id,
		     struct spmm_fault_record *record);

#endif
