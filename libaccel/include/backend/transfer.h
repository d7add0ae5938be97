/* SPDX-License-Identifier: MIT */
/* Copies between this process and device memory that are waited for. */
#ifndef BACKEND_TRANSFER_H
#define BACKEND_TRANSFER_H

#include <pthread.h>

#include "driver/queue.h"

/* Parts of the bounce buffer, each of which may be on its way to or from the device. */
#define TRANSFER_WINDOWS 4
#define TRANSFER_WINDOW_BYTES (512u << 10)

/**
 * struct transfer - a queue and a bounce buffer, made on first use
 * @lock: over everything; comes before the locks of @device
 * @device: of both
 * @queue: of a depth of TRANSFER_WINDOWS
 * @bounce: host memory, the windows one after the other
 */
struct transfer {
	pthread_mutex_t lock;
	struct driver_device *device;
	struct driver_queue queue;
	struct driver_memory bounce;
};

void transfer_create(struct driver_device *device, struct transfer *transfer);
void transfer_destroy(struct transfer *transfer);

/* address is the device-virtual one. Thread-safe. */
int transfer_upload(struct transfer *transfer, uint64_t address,
		    const void *bytes, uint64_t length);
int transfer_download(struct transfer *transfer, uint64_t address, void *bytes,
		      uint64_t length);

/*
 * For who fills windows itself: between begin and end the transfer is the caller's, and
 * copies that it put are waited for in their order. begin fails without anything held.
 */
int transfer_begin(struct transfer *transfer);

/* Copies not waited for are aborted. */
void transfer_end(struct transfer *transfer);

/* A window's bytes, and their address for the device. */
void *transfer_window(const struct transfer *transfer, unsigned int window);
uint64_t transfer_window_address(const struct transfer *transfer,
				 unsigned int window);

/* Begin a copy; how it is called for transfer_wait(). At most TRANSFER_WINDOWS at a time. */
uint16_t transfer_put(struct transfer *transfer, uint64_t source,
		      uint64_t destination, uint64_t length);
int transfer_wait(struct transfer *transfer, uint16_t id);

/* Something else may still write into the windows: they are not used again, nor freed. */
void transfer_abandon(struct transfer *transfer);

#endif
