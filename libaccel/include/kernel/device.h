/* SPDX-License-Identifier: MIT */
/*
 * A device that the kernel module drives, /dev/accel/accelN: an open file of it is a
 * context of its own, with memory and queues that the module gives out.
 *
 * A queue is one of two kinds. Job queues hand each command to the module, which copies
 * it: a system call for each, bounded by the module's timeouts, ordered by its scheduler.
 * User queues are rings that the device reads and a doorbell of this process.
 */
#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include <pthread.h>

#include "core/range.h"
#include "driver/device.h"

struct kernel_import;
struct transport_memory;

/**
 * struct kernel_device - an open file of the module
 * @base: what its users see
 * @file: descriptor
 * @lock: over everything below; no ioctl but binding and importing is made under it
 * @addresses: free device addresses
 * @memory_used: bytes of device memory
 * @imports: objects that others made
 */
struct kernel_device {
	struct driver_device base;
	int file;
	pthread_mutex_t lock;
	struct range_set addresses;
	uint64_t memory_used;
	struct kernel_import *imports;
};

static inline struct kernel_device *kernel_device(struct driver_device *device)
{
	return (struct kernel_device *)device;
}

/* −ENOENT, −EACCES, −ENODEV if it is another module's, −EOPNOTSUPP without user queues. */
int kernel_device_open(const char *path, bool user_queues,
		       struct driver_device **device);

/* An ioctl, repeated when a signal interrupts it. Return: 0 or −errno, without a text. */
int kernel_ioctl(const struct kernel_device *device, unsigned long request,
		 void *arguments);

/* Operations of either kind, see struct driver_operations. */
int kernel_memory_allocate(struct driver_device *device, bool on_device,
			   struct driver_memory *memory);
int kernel_memory_import(struct driver_device *device,
			 const struct transport_memory *shown,
			 struct driver_memory *memory);
void kernel_memory_release(struct driver_device *device,
			   struct driver_memory *memory);
uint64_t kernel_memory_used(struct driver_device *device);

#endif
